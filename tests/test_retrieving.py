"""Simulated retrieval: what a failure may show, where the right chunk stands, small corpora."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import sqrt
from typing import Any

import pytest
from masking import PLACES, ask_length, ask_nests, make_asked, make_chunk, make_library, tell

from generation_functions.masked import (
    FAILURES,
    FOUND,
    FOUND_IN_TWO,
    HARD,
    HARD_NEGATIVES,
    NEAR_DUPLICATE,
    NOTHING,
    PARTIAL,
    PARTIAL_EVIDENCE,
    RANDOM,
    RANDOM_CHUNKS,
    RIGHT,
    Evidence,
    Grounded,
    RagItem,
)
from generation_functions.masked_sections import RagData
from generation_functions.pipelines.context_checks import (
    find_figures,
    has_quote,
    holds_answer,
    is_proved,
    leave_out_answers,
)
from generation_functions.pipelines.rag import draw_kind
from generation_functions.pipelines.retrieving import RagPlan, retrieve
from generation_functions.records import Chunk, make_uuid

CHUNKS = [make_chunk(number) for number in range(10)]


def plan(chunk: Chunk, kind: str, *asked: Grounded, name: str = "") -> RagPlan:
    asked = asked or (make_asked(ask_length(chunk)),)
    return RagPlan(make_uuid(chunk.uuid, "rag", name), chunk, asked, kind)


library_of = cache(make_library)


@pytest.mark.parametrize(
    "before",
    [
        "The ferry stopped when the new bridge was opened. (6)",
        "(The ferry stopped when the bridge fell, and so on, &c.)",
        "“The ferry stopped when the new bridge fell.”",
    ],
)
def test_a_sentence_of_a_quote_is_found_wherever_the_quote_is_cut(before: str) -> None:
    told = "Herons nest below it every spring."
    assert has_quote(f"Here is a bridge. {told} It is old.", f"{before} {told}")
    assert not has_quote("Here is a bridge. Herons nest elsewhere. It is old.", f"{before} {told}")


def find(
    chunks: Sequence[Chunk],
    made: RagPlan,
    near: tuple[tuple[str, Chunk], ...] = (),
    seed: int = 0,
    **options: Any,
) -> RagItem:
    return retrieve(library_of(tuple(chunks), near), made, RagData(**options), seed)


def whys(item: RagItem) -> Counter[str]:
    return Counter(one.why for one in item.shown)


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failed_context_has_neither_the_quote_nor_its_figures(kind: str) -> None:
    """Some chunks repeat the quote, its figure or its figure in words: none of them is shown."""
    own = CHUNKS[0]
    asked = make_asked(ask_length(own))
    traps = [
        make_chunk(20, f"It is said that {asked.evidence[0].quote} So it was."),
        make_chunk(21, "The Arno Bridge cost 1000 crowns, and the toll was low."),
        make_chunk(22, "One thousand metres of the Arno Bridge were painted."),
        make_chunk(23, asked.evidence[0].quote.upper().replace(" ", "\n")),
    ]
    assert find_figures(asked) == {"1000"}
    seen = Counter[str]()
    for number in range(60):
        made = plan(own, kind, asked, name=str(number))
        item = find([*CHUNKS, *traps], made, rag_max_chunks=5)
        assert item.kind == kind
        assert item.failed
        for one in item.shown:
            assert "1000" not in one.text
            assert "thousand" not in one.text.casefold()
            assert not has_quote(one.text, asked.evidence[0].quote)
        assert is_proved(item.shown, item.asked)
        seen += whys(item)
    assert bool(seen) == (kind != NOTHING)


def test_the_right_chunk_stands_anywhere_with_the_same_chance() -> None:
    """1,000 draws: of each number of shown chunks, the right one is as often at each place."""
    own, places = CHUNKS[0], Counter[tuple[int, int]]()
    asked = make_asked(ask_length(own))
    for number in range(1_000):
        item = find(CHUNKS, plan(own, FOUND, asked, name=str(number)), rag_max_chunks=4)
        places[len(item.shown), [one.why for one in item.shown].index(RIGHT)] += 1
    for size in range(1, 5):
        total = sum(count for (shown, _), count in places.items() if shown == size)
        assert abs(total - 250) < 4 * sqrt(1_000 * 3 / 16)
        for place in range(size):
            assert abs(places[size, place] - total / size) < 4 * sqrt(total) / size * sqrt(size)


def test_a_retrieval_shows_from_one_to_the_most_chunks_evenly() -> None:
    asked = make_asked(ask_length(CHUNKS[0]))
    sizes = Counter(
        len(find(CHUNKS, plan(CHUNKS[0], FOUND, asked, name=str(number))).shown)
        for number in range(300)
    )
    assert set(sizes) == {1, 2, 3}
    assert all(60 < count < 140 for count in sizes.values())


def test_success_shows_the_right_chunk_whole_and_once() -> None:
    for number in range(30):
        item = find(CHUNKS, plan(CHUNKS[3], FOUND, name=str(number)))
        (right,) = (one for one in item.shown if one.why == RIGHT)
        assert right.text == CHUNKS[3].text
        assert len({one.uuid for one in item.shown}) == len(item.shown)
        assert not any(holds_answer(one.text, item.asked) for one in item.shown if one.why != RIGHT)


def test_hard_negatives_match_the_question_and_random_chunks_need_not() -> None:
    others = [
        make_chunk(30 + n, f"Bread number {n} rises under a cloth of wool.") for n in range(30)
    ]
    chunks = [*CHUNKS[:3], *others]
    shown = [
        one
        for number in range(40)
        for one in find(chunks, plan(CHUNKS[0], HARD_NEGATIVES, name=str(number))).shown
    ]
    hard = [one for one in shown if one.why == HARD]
    assert hard
    assert all("Bridge" in one.text and one.score > 0 for one in hard)
    item_of = (find(chunks, plan(CHUNKS[0], RANDOM_CHUNKS, name=str(n))) for n in range(40))
    drawn = Counter(one.text.split()[0] for item in item_of for one in item.shown)
    assert drawn["Bread"] > 4 * drawn["The"]


def test_partial_evidence_is_the_right_chunk_without_what_answers() -> None:
    item = find(CHUNKS, plan(CHUNKS[0], PARTIAL_EVIDENCE), rag_max_chunks=1)
    (partial,) = item.shown
    assert partial.why == PARTIAL
    assert partial.text == CHUNKS[0].text.partition(" metres long. ")[2]
    assert partial.uuid == CHUNKS[0].uuid


def test_of_a_text_the_longest_run_without_an_answer_is_left() -> None:
    chunk = CHUNKS[0]
    asked = [make_asked(ask_length(chunk)), make_asked(ask_nests(chunk))]
    left = leave_out_answers(chunk.text, asked)
    assert left.startswith("It stands on piers of Arno granite. Fishermen mend")
    assert left.endswith("when the rust shows through.")
    assert leave_out_answers("The Arno Bridge is 1000 metres long. It is red.", asked[:1]) == ""


def test_an_answer_told_in_other_words_is_told() -> None:
    chunk = CHUNKS[0]
    asked = [make_asked(ask_nests(chunk))]
    assert holds_answer("Below the bridge there are herons, which nest in March.", asked)
    assert not holds_answer("Below the bridge the boats lie in winter.", asked)


def test_a_corpus_of_one_chunk_has_right_rows() -> None:
    (chunk,) = CHUNKS[:1]
    assert whys(find([chunk], plan(chunk, FOUND), rag_max_chunks=5)) == Counter([RIGHT])
    for kind in (HARD_NEGATIVES, RANDOM_CHUNKS):
        item = find([chunk], plan(chunk, kind), rag_max_chunks=5)
        assert item.kind == PARTIAL_EVIDENCE
        assert is_proved(item.shown, item.asked)
    bare = make_chunk(0, "The Arno Bridge is 1000 metres long.")
    assert find([bare], plan(bare, HARD_NEGATIVES)).kind == NOTHING
    assert find([], plan(bare, FOUND)).shown[0].why == RIGHT


def test_a_corpus_of_two_chunks_fails_with_the_other() -> None:
    two = CHUNKS[:2]
    item = find(two, plan(two[0], HARD_NEGATIVES), rag_max_chunks=5)
    assert [one.uuid for one in item.shown] == [two[1].uuid]
    sizes = {len(find(two, plan(two[0], FOUND, name=str(n)), rag_max_chunks=9).shown)
             for n in range(20)}  # fmt: skip
    assert sizes == {1, 2}


def test_identical_chunks_are_never_a_failed_context() -> None:
    own = CHUNKS[0]
    same = [replace(own, uuid=make_uuid("copy", str(n))) for n in range(4)]
    for kind in FAILURES:
        item = find([own, *same], plan(own, kind), rag_max_chunks=5)
        assert item.kind in (PARTIAL_EVIDENCE, NOTHING)
        assert is_proved(item.shown, item.asked)
    assert whys(find([own, *same], plan(own, FOUND), rag_max_chunks=5)) == Counter([RIGHT])


def test_chunks_that_differ_in_white_space_alone_are_not_shown_twice() -> None:
    own, other = CHUNKS[0], CHUNKS[1]
    same = [replace(other, uuid=make_uuid("c", str(n)), text=f"{other.text}\n") for n in range(9)]
    for number in range(20):
        shown = find([own, *same], plan(own, FOUND, name=str(number)), rag_max_chunks=5).shown
        assert len({one.text for one in shown}) == len(shown)


def test_a_near_duplicate_stands_beside_the_right_chunk_in_its_share() -> None:
    own = CHUNKS[0]
    near = ((own.uuid, make_chunk(40, own.text.replace("granite", "limestone"))),)
    seen = Counter(
        whys(find(CHUNKS, plan(own, FOUND, name=str(n)), near, near_duplicate_share=0.5))[
            NEAR_DUPLICATE
        ]
        for n in range(100)
    )
    assert 30 < seen[1] < 70
    assert set(seen) == {0, 1}
    alone = find(CHUNKS, plan(own, FOUND), near, near_duplicate_share=1.0, rag_max_chunks=1)
    assert whys(alone) == Counter([RIGHT])


def test_what_needs_two_chunks_is_shown_both() -> None:
    one, other = CHUNKS[:2]
    asked = Grounded("u", "Which is longer?", "The Brent Bridge.",
                  (Evidence(one.uuid, ask_length(one).quote),
                   Evidence(other.uuid, ask_length(other).quote)))  # fmt: skip
    for number in range(10):
        item = find(CHUNKS, plan(one, FOUND_IN_TWO, asked, name=str(number)), rag_max_chunks=2)
        assert item.kind == FOUND_IN_TWO
        assert {shown.uuid for shown in item.shown} == {one.uuid, other.uuid}


def test_directories_do_not_mix() -> None:
    south = [make_chunk(number, tell(number), "south") for number in range(5, 10)]
    known = {chunk.uuid for chunk in CHUNKS[:5]}
    for number in range(20):
        for kind in (FOUND, HARD_NEGATIVES, RANDOM_CHUNKS):
            made = plan(CHUNKS[0], kind, name=str(number))
            assert {one.uuid for one in find([*CHUNKS[:5], *south], made).shown} <= known


def test_another_seed_finds_other_chunks_and_the_same_seed_the_same() -> None:
    def shown(seed: int) -> list[list[str]]:
        made = (plan(chunk, RANDOM_CHUNKS) for chunk in CHUNKS)
        return [[one.uuid for one in find(CHUNKS, one, seed=seed).shown] for one in made]

    assert shown(0) == shown(0)
    assert shown(0) != shown(1)


def test_another_chunk_changes_few_retrievals() -> None:
    before = [make_chunk(n, f"Loaf {PLACES[n % 10]} number {n} rises.") for n in range(50, 150)]
    after = [*before, make_chunk(200, "Loaf of rye rises.")]
    plans = [plan(CHUNKS[0], RANDOM_CHUNKS, name=str(number)) for number in range(60)]
    changed = sum(find(before, made).shown != find(after, made).shown for made in plans)
    assert changed < 12


def test_kinds_of_failure_come_in_their_shares() -> None:
    shares = RagData().shares
    drawn = Counter(draw_kind(shares, number / 1000) for number in range(1000))
    assert [drawn[kind] for kind in FAILURES] == pytest.approx([500, 200, 200, 100], abs=1)
    only = shares.model_copy(update={"hard_negatives": 0.0, "random_chunks": 0.0, "nothing": 0.0})
    assert {draw_kind(only, number / 10) for number in range(10)} == {PARTIAL_EVIDENCE}


def test_chunks_beside_a_right_one_are_of_the_two_kinds_in_their_shares() -> None:
    shares = {"hard_negatives": 0.0, "random_chunks": 1.0}
    seen = Counter[str]()
    for number in range(30):
        seen += whys(find(CHUNKS, plan(CHUNKS[0], FOUND, name=str(number)), shares=shares))
    assert seen[RANDOM]
    assert not seen[HARD]
