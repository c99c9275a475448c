"""Which characters of a document are covered: passages, ranges, what a run folder tells."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest
from conftest import TEXT, OpenRun
from hypothesis import given
from hypothesis import strategies as st
from test_display import HOSTILE, Reading
from ways import ARNO, BRENT, REPLIES, REQUEST

from generation_functions import stages
from generation_functions.command_line import main
from generation_functions.display.coverage import CELLS, measure_cells, show_bars, show_coverage
from generation_functions.documents.layout import Span
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.pipelines.coverage import (
    FACTS,
    KINDS,
    NOTHING,
    QUESTIONS,
    UNREAD,
    UNWORTHY,
    VARIATIONS,
    Coverage,
    read_coverage,
)
from generation_functions.pipelines.passages import (
    Covered,
    Passage,
    locate_facts,
    locate_pair,
    locate_recall,
    merge,
    subtract,
)
from generation_functions.pipelines.question_steps import make_pair
from generation_functions.pipelines.questions import REVISED, WORTHY
from generation_functions.pipelines.questions import judge as judge_chunk
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.ways import BUILT_IN
from generation_functions.records import Chunk, Fact, FactSheet, QAPair, Recall, Variation
from generation_functions.sources import Source
from generation_functions.status import coverage_rows, describe_coverage
from generation_functions.steps.run import Run

DOCUMENT = "Barges pass. The lock is 90 metres long.\n\nIts gates are of oak, and oak swells. "
CHUNK = Chunk("c", "d", "texts", "Locks", DOCUMENT[13:], 25, len(DOCUMENT), 9, overlap=12)
ranges = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def text_of(passages: tuple[Passage, ...]) -> list[str]:
    return [DOCUMENT[one.start : one.end] for one in passages]


def test_a_pair_stands_where_its_sentences_do_with_the_space_behind_them() -> None:
    pair = make_pair(CHUNK, (2,), "Of what are the gates?", "Of oak.")
    assert text_of(locate_pair(pair)) == ["Its gates are of oak, and oak swells. "]
    both = locate_pair(replace(pair, sentences=(1, 2)))
    assert "".join(text_of(both)) == CHUNK.text


def test_of_an_edited_chunk_and_of_sentences_that_it_has_not_no_place_is_made_up() -> None:
    pair = make_pair(replace(CHUNK, text=f"Now: {CHUNK.text}"), (2,), "Why?", "So.")
    assert locate_pair(pair) == (Passage("d", 25, len(DOCUMENT)),)
    assert locate_pair(replace(pair, sentences=(9,))) == ()


def test_facts_stand_where_the_sentences_of_all_of_them_do() -> None:
    listed, turned = Fact("f", "x", (1,), "q"), Fact("g", "y", (1,), "q", (1,))
    sheet = FactSheet("s", CHUNK, ("c",), (listed,), (turned,), ())
    assert text_of(locate_facts(sheet)) == ["The lock is 90 metres long.\n\n"]
    more = replace(sheet, inferred=(Fact("h", "z", (1, 2), "q", (1,)),))
    assert "".join(text_of(locate_facts(more))) == CHUNK.text


def test_a_recall_stands_in_each_of_its_sources() -> None:
    arno, brent = (
        replace(one, document=name, start=100, end=100 + len(one.text))
        for one, name in ((ARNO, "arno"), (BRENT, "brent"))
    )
    exchange = BUILT_IN["comparison"].write.parse(REQUEST, REPLIES["comparison"])
    found = locate_recall(Recall("r", "comparison", 0, (exchange,), (arno, brent)))
    said = {one.document: (one.start, one.end) for one in found}
    assert set(said) == {"arno", "brent"}
    start, end = (place - 100 for place in said["arno"])
    assert ARNO.text[start:end] == "It is 812 metres long and stands on nine piers of granite. "
    start, end = (place - 100 for place in said["brent"])
    assert BRENT.text[start:end].startswith("The Brent Lock lets barges climb eleven metres")


def test_sentences_of_which_nothing_is_known_are_numbered() -> None:
    reading = read_together([CHUNK, BRENT])
    assert Covered().list_open(reading) == (1, 2)
    assert Covered([Passage("d", 30, 31)]).list_open(reading) == (2,)
    assert Covered([Passage("other", 30, 31)]).list_open(reading) == (1, 2)


@given(ranges, ranges)
def test_ranges_are_joined_and_subtracted_as_sets_of_characters_are(
    one: list[Span], other: list[Span]
) -> None:
    def characters(some: list[Span]) -> set[int]:
        return {place for start, end in some for place in range(start, end)}

    joined, left = merge(one), subtract(one, other)
    assert characters(joined) == characters(one)
    assert characters(left) == characters(one) - characters(other)
    for some in (joined, left):
        assert all(start < end for start, end in some)
        assert all(a[1] < b[0] for a, b in pairwise(some))
    covered = Covered(Passage("d", *span) for span in one)
    for start, end in ((3, 9), (20, 21), (0, 40)):
        inside = bool(characters(one) & set(range(start, end)))
        assert covered.touches(Passage("d", start, end)) is inside


@given(ranges, st.integers(1, 40), st.integers(1, 12))
def test_cells_of_a_bar_have_the_share_of_their_characters(
    some: list[Span], length: int, count: int
) -> None:
    inside = [(start, min(end, length)) for start, end in some if start < min(end, length)]
    cells = measure_cells(inside, length, count)
    whole = sum(end - start for start, end in merge(inside))
    assert sum(cells) * length / count == pytest.approx(whole)


def judge(request: Request) -> str:
    """Take the first chunk for no facts; others are worthy."""
    unworthy = "was opened on 4 May" in request.messages[-1].content
    return f"Holds: A bridge.\nVerdict: {'no facts' if unworthy else 'facts'}"


@pytest.fixture
def run(open_small_run: OpenRun) -> Run:
    """A run over two chunks: the first is unworthy, of the second a sentence has a pair."""
    run = open_small_run(ScriptedEngine(judge), system={"chunk_size": 45})
    asyncio.run(stages.documents(run))

    async def take(chunk: Chunk) -> None:
        await judge_chunk(run, chunk)
        run.keep(WORTHY, chunk)
        run.keep(REVISED, make_pair(chunk, (1,), "How often?", "Twelve."))

    async def make() -> None:
        async with run.stage("questions"):
            await run.map(take, [one.chunk for one in Source(run.config).decisions()])

    asyncio.run(make())
    return run


def parts(one: Coverage, kind: str) -> str:
    return "|".join(TEXT.strip()[start:end].strip() for start, end in one.ranges.get(kind, ()))


def test_a_run_folder_tells_what_of_each_document_has_questions_or_nothing(run: Run) -> None:
    (one,) = read_coverage(run.folder)
    assert one.source == "The Kelvin Bridge, by A. Mason, published 1970"
    assert one.length == len(TEXT.strip())
    assert parts(one, QUESTIONS) == "Paint is renewed every twelve years."
    assert parts(one, UNWORTHY).startswith("The Kelvin Bridge")
    assert "Maud Ferris" in parts(one, UNWORTHY)
    assert parts(one, NOTHING).startswith("The work takes two summers")
    assert parts(one, NOTHING).endswith("museum of ropes.")
    assert sum(map(one.share, KINDS)) == pytest.approx(1)
    assert parts(one, FACTS) == parts(one, UNREAD) == ""


def test_facts_and_variations_count_and_what_a_person_deletes_does_not(run: Run) -> None:
    (chunk,) = run.survivors(WORTHY, Chunk)
    sheet = FactSheet("s", chunk, (chunk.uuid,), (Fact("f", "x", (4,), "q"),))

    async def make() -> None:
        async with run.stage("pretraining"):
            run.keep("atomic_facts", sheet)
            run.keep("representation_variations", Variation("v", "list", 0, "t", chunk, ()))

    asyncio.run(make())
    (one,) = read_coverage(run.folder)
    assert parts(one, FACTS) == "The toll house is now a museum of ropes."
    assert parts(one, VARIATIONS).startswith("Paint is renewed")
    assert parts(one, NOTHING) == ""
    (run.folder / "representation_variations" / "v.json").unlink()
    (pair,) = run.survivors(REVISED, QAPair)
    (run.folder / REVISED / f"{pair.uuid}.json").unlink()
    (one,) = read_coverage(run.folder)
    assert parts(one, QUESTIONS) == ""
    assert parts(one, NOTHING).startswith("Paint is renewed")
    (run.folder / WORTHY / f"{chunk.uuid}.json").unlink()
    (one,) = read_coverage(run.folder)
    assert parts(one, FACTS) == "The toll house is now a museum of ropes."
    assert parts(one, UNWORTHY).endswith("taken from every cart.")


def test_what_no_pass_has_judged_is_told_apart(open_small_run: OpenRun) -> None:
    run = open_small_run()
    assert read_coverage(run.folder) == []
    assert "has the documents stage run" in show_coverage(run).source
    asyncio.run(stages.documents(run))
    (one,) = read_coverage(run.folder)
    assert one.share(UNREAD) == 1


def test_status_has_a_line_for_each_document(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(run.folder)]) == 0
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "The Kelvin" in one]
    length, begin = len(TEXT.strip()), TEXT.index("Paint is")
    asked = len("Paint is renewed every twelve years. ")
    shares = [0, 0, asked / length, (length - begin - asked) / length, begin / length, 0, 0]
    assert line.split()[-7:] == [f"{100 * share:.0f}" for share in shares]
    assert main(["status", str(run.folder), "--json"]) == 0
    assert '"not_worthy": 0.5' in capsys.readouterr().out


def test_long_names_are_cut_and_nothing_is_said_of_no_document() -> None:
    found = [Coverage("d", "A" * 99, 1000, {FACTS: ((0, 250),)})]
    assert coverage_rows(found)[0]["facts"] == 0.25
    assert max(map(len, describe_coverage(found).splitlines())) == 128
    assert describe_coverage([]) == ""


def test_bars_are_drawn_for_each_kind_and_no_name_is_taken_for_markup(run: Run) -> None:
    (one,) = read_coverage(run.folder)
    shown = Reading(show_coverage(run).source)
    assert all(kind in shown.text for kind in KINDS)
    assert f"{one.length} characters" in shown.text
    hostile = show_bars(replace(one, source=HOSTILE))
    assert not {"script", "img"} & Reading(hostile.source).elements
    assert HOSTILE in Reading(hostile.source).text


def test_a_bar_is_as_dark_as_its_share_and_ends_where_the_text_does() -> None:
    one = Coverage("d", "Locks", 2 * CELLS, {FACTS: ((0, CELLS), (CELLS + 1, CELLS + 2))})
    bar = show_bars(one, [FACTS]).source
    assert "rgba(59, 122, 120, 1.0) 0.00% 50.00%" in bar
    assert "rgba(59, 122, 120, 0.5) 50.00%" in bar
    assert "100.00%" in bar


def test_more_documents_than_can_be_shown_are_counted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [Coverage(str(n), f"Book {n}", 10, {}) for n in range(3)]
    monkeypatch.setattr("generation_functions.display.coverage.read_coverage", lambda _: many)
    shown = Reading(show_coverage(run, most=2).source).text
    assert "Book 1" in shown
    assert "Book 2" not in shown
    assert "and 1 documents more" in shown
