"""Related chunks: never the chunk itself, never nearly the same, the same in every run."""

from collections.abc import Sequence
from typing import Any

import pytest

from generation_functions.documents import retrieval
from generation_functions.documents.retrieval import ChunkIndex, find_terms
from generation_functions.pipelines.samples import make_chunk
from generation_functions.records import Chunk

BRIDGE = make_chunk(
    "The Arno Bridge is 812 metres long. It stands on nine piers of granite, which was quarried "
    "at Marle. Its engineer Maud Ferris had built three smaller bridges of iron before."
)
AGAIN = make_chunk(BRIDGE.text.replace("three smaller", "four smaller"))
LOCK = make_chunk(
    "Maud Ferris, the engineer of the Arno Bridge, made the gates of the Brent Lock of oak."
)
QUARRY = make_chunk(
    "Granite is quarried at Marle in blocks of two metres. Piers and quays are made of it."
)
BREAD = make_chunk("Dough rises twice: once while covered, once while baking.")
CHUNKS = (BRIDGE, BREAD, LOCK, AGAIN, QUARRY)
ALL = {chunk.uuid for chunk in CHUNKS}


def find(
    chunks: Sequence[Chunk], *parts: Chunk, most: int = 9, allowed: set[str] = ALL
) -> list[str]:
    index = ChunkIndex(chunks)
    found = index.find([one.uuid for one in parts], most, index.mark(allowed))
    return [one.uuid for one in found]


def test_what_speaks_of_the_same_is_found_the_best_first_with_its_score() -> None:
    index = ChunkIndex(CHUNKS)
    found = index.find([BRIDGE.uuid], 9, index.mark(ALL))
    assert {one.uuid for one in found} == {LOCK.uuid, QUARRY.uuid}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found[-1].score > 0
    assert find(CHUNKS, BRIDGE, most=1) == [found[0].uuid]
    assert find(CHUNKS, BRIDGE, most=0) == []


def test_neither_the_chunk_itself_nor_a_near_duplicate_is_found() -> None:
    for chunk in CHUNKS:
        assert chunk.uuid not in find(CHUNKS, chunk)
    assert AGAIN.uuid not in find(CHUNKS, BRIDGE)
    assert {BRIDGE.uuid, AGAIN.uuid} & set(find(CHUNKS, QUARRY)) == {BRIDGE.uuid}
    assert find(CHUNKS, BRIDGE, LOCK) == [QUARRY.uuid]


def test_only_allowed_chunks_are_found_and_nothing_without_common_words() -> None:
    assert find(CHUNKS, BRIDGE, allowed={QUARRY.uuid, BREAD.uuid}) == [QUARRY.uuid]
    assert find(CHUNKS, BREAD) == []
    assert find([BRIDGE], BRIDGE) == []
    assert find([], BRIDGE) == []
    assert find(CHUNKS, make_chunk("Not among them.")) == []
    silent = [make_chunk("* * *"), make_chunk("— — —")]
    assert find(silent, silent[0], allowed={one.uuid for one in silent}) == []


def test_the_order_in_which_chunks_come_changes_no_score() -> None:
    other = [AGAIN, *reversed([c for c in CHUNKS if c is not AGAIN]), BRIDGE]
    one, two = (
        index.find([BRIDGE.uuid], 9, index.mark(ALL)) for index in map(ChunkIndex, (CHUNKS, other))
    )
    assert set(one) == set(two)


def test_common_words_are_not_gone_through_and_no_match_is_lost_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    common = [f"c{number:04}" for number in range(200)]
    rare = [f"r{number:05}" for number in range(3000)]
    texts = [" ".join((*common, *rare[at * 10 : at * 10 + 12])) for at in range(200)]
    chunks = [make_chunk(text) for text in texts]
    index = ChunkIndex(chunks)
    looked: list[int] = []
    having = ChunkIndex._having

    def note(index: ChunkIndex, number: int) -> Any:
        looked.append(having(index, number).size)
        return having(index, number)

    monkeypatch.setattr(ChunkIndex, "_having", note)
    monkeypatch.setattr(retrieval, "MOST_TERMS", 4)
    monkeypatch.setattr(retrieval, "ALIKE", 1.0)
    found = index.find([chunks[7].uuid], 2, index.mark(index.uuids))
    assert {one.uuid for one in found} == {chunks[6].uuid, chunks[8].uuid}
    assert sum(looked) < 20


def test_words_are_found_together_only_where_one_chunk_has_them_all() -> None:
    index = ChunkIndex(CHUNKS)
    assert index.has_together("the Arno Bridge")
    assert index.has_together("granite pier")
    assert not index.has_together("the Arno loaf")
    assert not index.has_together("granite dough")
    assert not index.has_together("Brenham Viaduct")
    assert not index.has_together("")


def test_of_a_chunk_no_text_is_kept() -> None:
    text = " ".join(f"word{number:05}" for number in range(3000))
    index = ChunkIndex([make_chunk(text), BREAD])
    assert 0 < index.bytes_held < 20 * 3000


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Regulators regulate.", ["the", "regula", "regula"]),
        ("Piers, a pier's gas", ["pier", "a", "pier", "s", "gas"]),
        ("Straße, 1,5 m", ["strass", "1", "5", "m"]),
        ("铁路桥", ["铁路", "路桥"]),
    ],
)
def test_terms_are_the_beginnings_of_words(text: str, terms: list[str]) -> None:
    assert find_terms(text) == terms


def test_a_question_finds_the_chunks_that_share_its_words_near_duplicates_too() -> None:
    index = ChunkIndex(CHUNKS)
    everything = index.mark(ALL)
    found = index.search("On how many piers does the Arno Bridge stand?", 9, everything)
    assert {one.uuid for one in found[:2]} == {BRIDGE.uuid, AGAIN.uuid}
    assert BREAD.uuid not in {one.uuid for one in found}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert len(index.search("piers of granite", 1, everything)) == 1
    assert [one.uuid for one in index.search("Maud Ferris", 9, index.mark({LOCK.uuid}))] == [
        LOCK.uuid
    ]
    assert index.search("xylophone", 9, everything) == ()
    assert index.search("Maud Ferris", 0, everything) == ()
    empty = ChunkIndex([])
    assert empty.search("Maud Ferris", 9, empty.mark(ALL)) == ()
