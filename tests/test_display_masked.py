"""What notebooks 05 and 06 show: retrievals and why each chunk is there, shares, coloured rows."""

import asyncio
from dataclasses import replace
from pathlib import Path

from masking import ask_length, make_asked, make_chunk, make_config, open_masked_run, show, tell
from test_display import HOSTILE, Reading

from generation_functions import stages
from generation_functions.display import corrections as corrections_shown
from generation_functions.display import retrievals as retrievals_shown
from generation_functions.display.markup import Html
from generation_functions.display.training import show_rows
from generation_functions.masked import (
    FOUND,
    HARD,
    HARD_NEGATIVES,
    NOTHING,
    RIGHT,
    Correction,
    RagItem,
)
from generation_functions.status import read_status

TEXTS = {"north": {f"Bridge {n}": tell(n) for n in range(6)}}
CHUNK = make_chunk(0)
ASKED = (make_asked(ask_length(CHUNK)),)
OTHER = replace(show(make_chunk(1), HARD), score=4.25)
FOUND_ITEM = RagItem("a", CHUNK, ASKED, (OTHER, show(CHUNK, RIGHT)), FOUND)
FAILED_ITEM = RagItem("b", CHUNK, ASKED, (OTHER,), HARD_NEGATIVES, ("Nothing tells the length.",))
WRONG = Correction("c", ask_length(CHUNK), "It is 9 metres.", "Is it?", "No, 1000.", "asks", False)
STATUS = {"rag": {"findings": {"retrievals": {HARD_NEGATIVES: {HARD_NEGATIVES: 1, NOTHING: 1}}}}}


def read(shown: Html) -> str:
    return Reading(shown._repr_html_()).text


def test_a_retrieval_says_why_each_chunk_is_there_and_marks_the_quote() -> None:
    shown = retrievals_shown.show_retrieval(FOUND_ITEM)
    text = read(shown)
    assert "Document 1: hard negative, score 4.25 · Bridge 1" in text
    assert "Document 2: answers · Bridge 0" in text
    assert "The Arno Bridge is 1000 metres long.</mark>" in shown._repr_html_()
    assert shown._repr_html_().count("<mark") == 1


def test_a_failure_says_what_is_missing() -> None:
    assert "missing: Nothing tells the length." in read(
        retrievals_shown.show_retrieval(FAILED_ITEM)
    )
    nothing = replace(FAILED_ITEM, kind=NOTHING, shown=())
    assert "Nothing was found." in read(retrievals_shown.show_retrieval(nothing))


def test_shares_that_were_asked_for_stand_beside_those_that_were_had() -> None:
    config = make_config(rag_data={"rag_failure_percentage": 0.5})
    text = read(retrievals_shown.show_shares(STATUS, [FOUND_ITEM, FAILED_ITEM], config))
    assert "succeeds50%1150%" in text
    assert "fails: hard negatives25%2150%" in text
    assert "fails: nothing5%000%" in text


def test_places_of_the_right_chunk_are_counted() -> None:
    text = read(retrievals_shown.show_places([FOUND_ITEM, FAILED_ITEM]))
    assert text.endswith("2101")  # shown, retrievals, at place 1, at place 2


def test_a_correction_shows_its_turns_and_its_text() -> None:
    text = read(corrections_shown.show_correction(WRONG))
    for said in ("answers, wrongly: ", "It is 9 metres.", "doubts (asks)", "sets it right"):
        assert said in text
    firm = corrections_shown.show_correction(replace(WRONG, firm=True))
    assert "stands by it" in read(firm)


def test_without_data_everything_says_so(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_masked_run(tmp_path, TEXTS)
    assert retrievals_shown.read_retrievals(run) == []
    assert corrections_shown.read_corrections(run) == []
    config = make_config()
    for shown in (
        retrievals_shown.show_shares({}, [], config),
        retrievals_shown.show_places([]),
        corrections_shown.show_firmness([], config),
        corrections_shown.show_doubts([]),
        retrievals_shown.browse_retrievals([]).show_plain(),
        retrievals_shown.browse_rows(run, []).show_plain(),
        corrections_shown.browse_rows(run, []).show_plain(),
    ):
        assert "enabled` true" in read(shown)
    assert retrievals_shown.plot_lengths(run, [])._repr_png_()


def test_a_whole_run_is_shown_in_colour_and_escaped(tmp_path: Path, prompts_once: None) -> None:
    run, _ = open_masked_run(
        tmp_path, TEXTS, rag_data={"enabled": True},
        correction_pipeline={"enabled": True, "stand_firm_share": 0.5},
        system={"shared_instruction": HOSTILE},
    )  # fmt: skip
    asyncio.run(stages.write_rag_items(run))
    asyncio.run(stages.write_corrections(run))
    asyncio.run(stages.mix(run))
    rows = show_rows(run.folder)._repr_html_()
    assert rows.count("background: rgba(59, 122, 120") >= 10
    assert HOSTILE not in rows
    status = read_status(run.folder)
    items = retrievals_shown.read_retrievals(run)
    made = corrections_shown.read_corrections(run)
    assert len(items) == len(made) == 6
    for shown in (
        retrievals_shown.browse_rows(run, items).show_plain(),
        corrections_shown.browse_rows(run, made).show_plain(),
    ):
        assert HOSTILE not in shown._repr_html_()
        assert "background: rgba(59, 122, 120" in shown._repr_html_()
    assert "succeeds" in read(retrievals_shown.show_shares(status, items, run.config))
    assert "is corrected" in read(corrections_shown.show_firmness(made, run.config))
    assert "for example" in read(corrections_shown.show_doubts(made))
    assert corrections_shown.plot_lengths(run, made)._repr_png_()
    assert retrievals_shown.plot_lengths(run, items)._repr_png_()
