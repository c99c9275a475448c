"""What notebook 04 shows: conversations with their sources, ways, diversity, what was left out."""

import asyncio
from dataclasses import replace

import pytest
from conftest import OpenRun
from test_display import HOSTILE, Reading
from ways import ARNO, BRENT, REPLIES, REQUEST

from generation_functions.display.markup import Html
from generation_functions.display.recalls import (
    browse_left_out,
    browse_recalls,
    measure_distinct,
    read_recalls,
    show_diversity,
    show_recall,
    show_related,
    show_ways,
)
from generation_functions.pipelines.exchange_checks import make_plain
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.questions import RejectedPair
from generation_functions.pipelines.recall import RECALLS, REJECTED_RECALLS
from generation_functions.pipelines.ways import BUILT_IN
from generation_functions.records import Recall
from generation_functions.status import Status

VAGUE = BUILT_IN["vague"].write.parse(REQUEST, REPLIES["vague"])
OPENENDED = BUILT_IN["openended"].write.parse(REQUEST, REPLIES["openended"])
FIRST = Recall("r1", "vague", 0, (VAGUE,), (ARNO, BRENT))
SECOND = Recall("r2", "openended", 1, (OPENENDED,), (ARNO, BRENT))
STATUS: Status = {
    "recall": {
        "findings": {
            "ways": {"vague": {"kept": 1, "name is not in the text": 2}, "mine": {"kept": 1}},
            "neighbours": {"pieces": 5, "with related chunks": 4, "changed": 1},
        },
        "pipelines": {"distinct recalls": {"in": 40, "rejected": 3}},
    }
}


def read(shown: Html) -> str:
    return Reading(shown._repr_html_()).text


def test_a_recall_is_shown_with_its_turns_and_the_sentences_that_it_rests_on() -> None:
    shown = show_recall(FIRST)
    text = read(shown)
    for said in (VAGUE.question, VAGUE.answer, VAGUE.meant, "Arno Bridge", BRENT.text[:40]):
        assert said in text
    marked = "stands on nine piers of granite.</mark><sup> 1</sup>"
    assert marked in shown._repr_html_()


def test_each_source_of_a_recall_stands_under_its_name() -> None:
    shown = show_recall(SECOND)
    text = read(shown)
    places = [
        text.rindex(said) for said in ("On Bridges, by", ARNO.text[:20], "Locks and", "The Bre")
    ]
    assert places == sorted(places)
    assert "later built the Arno Bridge.</mark><sup> 1</sup>" in shown._repr_html_()


def test_recalls_are_browsed_by_way() -> None:
    browser = browse_recalls([FIRST, SECOND])
    assert list(browser.groups) == ["vague", "openended"]
    assert "Nothing has been recalled" in read(browse_recalls([]).show_plain())


def test_each_way_says_what_was_kept_and_why_the_rest_was_not() -> None:
    text = read(show_ways(STATUS, [FIRST]))
    assert "name is not in the text 2" in text
    assert BUILT_IN["vague"].asks in text
    assert "A way of your own." in text
    assert "Nothing has been recalled" in read(show_ways({}, []))


def test_related_chunks_are_counted() -> None:
    assert "with related chunks" in read(show_related(STATUS))
    assert "Nothing has been recalled" in read(show_related({}))


@pytest.mark.parametrize(
    ("texts", "size", "share"),
    [
        (["a b a b"], 1, 0.5),
        (["a b a b"], 2, 2 / 3),
        (["A b", "a B"], 2, 0.5),
        (["a b", "c d"], 2, 1.0),
        (["a"], 2, 1.0),
        ([], 1, 1.0),
    ],
)
def test_distinct_n_grams_are_the_share_that_differ(
    texts: list[str], size: int, share: float
) -> None:
    assert measure_distinct(texts, size) == pytest.approx(share)


def test_diversity_is_shown_by_way_and_of_all_with_the_share_of_duplicates() -> None:
    text = read(show_diversity(STATUS, [FIRST, replace(FIRST, uuid="r3"), SECOND]))
    assert "50%" in text
    assert "all" in text
    assert "3 of 40 asked the same as another: 7.5%." in text
    assert "Nothing has been recalled" in read(show_diversity({}, []))


def test_recalls_and_what_was_left_out_are_read_from_the_run_folder(
    open_small_run: OpenRun,
) -> None:
    run = open_small_run()
    assert read_recalls(run) == []
    assert browse_left_out(run).groups == {}
    left_out = RejectedPair(make_plain(VAGUE, REQUEST.reading), Problem("thing is known", "No."))

    async def write() -> None:
        async with run.stage("recall"):
            run.keep(RECALLS, SECOND)
            run.keep(RECALLS, FIRST)
            run.keep(REJECTED_RECALLS, left_out)

    asyncio.run(write())
    assert read_recalls(run) == [FIRST, SECOND]
    (group,) = browse_left_out(run).groups.items()
    assert group == ("thing is known", [left_out])


def test_no_text_is_taken_for_markup() -> None:
    evil = replace(ARNO, text=f"{HOSTILE} It is long.", source=HOSTILE)
    exchange = replace(
        VAGUE, question=HOSTILE, answer=HOSTILE, meant=HOSTILE, things=(HOSTILE,), premise=HOSTILE,
        recalled=tuple(replace(one, told=HOSTILE) for one in VAGUE.recalled),
    )  # fmt: skip
    recall = Recall("r", HOSTILE, 0, (exchange,), (evil,))
    status = {"recall": {"findings": {"ways": {HOSTILE: {HOSTILE: 1}}}, "pipelines": {}}}
    for shown in (
        show_recall(recall),
        show_ways(status, [recall]),
        show_diversity(status, [recall]),
        browse_recalls([recall]).show_plain(),
    ):
        assert not {"script", "img"} & Reading(shown._repr_html_()).elements
