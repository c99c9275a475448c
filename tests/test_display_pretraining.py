"""What notebook 03 shows: pieces beside facts beside variations, forms, lengths, dropped facts."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from conftest import OpenRun
from test_display import HOSTILE, Reading
from test_notebooks import run_cells
from told import FACTS, TEXT, tell

from generation_functions import session
from generation_functions.display.pretraining import (
    Told,
    browse_pieces,
    mark_landmarks,
    name_variation,
    plot_lengths,
    read_told,
    show_dropped_facts,
    show_forms,
    show_piece,
)
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import RunFolderError
from generation_functions.pipelines.facts import make_sheet
from generation_functions.records import Chunk, Fact, Variation
from generation_functions.steps.run import Run

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "03_pretraining.ipynb"
CHUNK = Chunk("c1", "d1", "texts", "On Bridges", "The Arno is 812 metres <i>long</i>.", 0, 36, 7)
SHEET = replace(
    make_sheet(CHUNK, ("c1",), (Fact("f1", "The Arno is 812 metres long.", (1,), "q"),)),
    inferred=(Fact("f2", "It follows that the Arno is long.", (1,), "q", (1, 2)),),
)
ARTICLE = Variation("v1", "article", 1, "So the Arno: 812 metres.", CHUNK, ("c1",), inferred=True)
EVIL = Variation("v2", HOSTILE, 0, HOSTILE, replace(CHUNK, text=HOSTILE, source=HOSTILE), ())


@pytest.fixture
def told_run(open_small_run: OpenRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run over one bridge, before its stage."""
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "Arno.txt").write_text(TEXT, encoding="utf-8")
    first, _, rest = FACTS.partition("\n")
    wrong = "\n".join((first, first.replace("4 May", "5 May"), rest))

    def reply(request):  # type: ignore[no-untyped-def]
        said = tell(request)
        return wrong if said == FACTS else said

    engine = ScriptedEngine(reply)
    opened = partial(session.open_run, engines={"small": engine, "large": engine})
    monkeypatch.setattr(session, "open_run", opened)
    return open_small_run(
        engine,
        representation_variation={"enabled": True, "code_variation_functions": ["allcaps"]},
    )


def test_figures_and_names_are_marked_and_nothing_else() -> None:
    marked = mark_landmarks("The Arno is 812 metres <b>long</b>.").source
    assert marked.count("<mark") == 2
    assert "&lt;b&gt;long" in marked
    assert Reading(marked).text == "The Arno is 812 metres <b>long</b>."


def test_a_piece_stands_beside_its_facts_and_variations() -> None:
    shown = Reading(show_piece(SHEET, [ARTICLE]).source).text
    for said in ("<i>long</i>", "812 metres long. sentence 1", "the Arno is long. fact 1, 2"):
        assert said in shown
    assert "article 2, with what follows" in shown
    assert "No variation was kept" in show_piece(SHEET, []).source


def test_texts_cannot_bring_markup_of_their_own() -> None:
    evil = Told(
        (replace(SHEET, chunk=EVIL.chunk, facts=(Fact("f", HOSTILE, (1,), "q"),)),), (EVIL,)
    )
    for shown in (show_piece(evil.sheets[0], [EVIL]), show_forms(evil)):
        read = Reading(shown.source)
        assert not {"script", "img"} & read.elements


def test_variations_are_named_by_form_number_and_code() -> None:
    assert name_variation(ARTICLE) == "article 2, with what follows"
    first = replace(ARTICLE, form="structured_data", number=0, inferred=False, code="allcaps")
    assert name_variation(first) == "structured data, allcaps"


def test_forms_have_counts_and_lengths() -> None:
    shown = Reading(show_forms(Told((SHEET,), (ARTICLE, replace(ARTICLE, inferred=False)))).source)
    assert "article11555" in "".join(shown.text.split())
    assert "No variation." in show_forms(Told()).source
    assert plot_lengths(Told((SHEET,), (ARTICLE,)))._repr_png_()[0].startswith(b"\x89PNG")


def test_where_the_stage_is_off_there_is_nothing_to_show(open_small_run: OpenRun) -> None:
    run = open_small_run()
    assert read_told(run) == Told()
    assert "is `representation_variation.enabled` true" in browse_pieces(Told()).show_plain().source
    assert "None was dropped" in show_dropped_facts(run).source


def test_before_the_stage_has_ended_it_says_what_to_run(told_run: Run) -> None:
    with pytest.raises(RunFolderError, match="Run the stage before this one first"):
        read_told(told_run)


def test_the_notebook_shows_what_the_stage_made(told_run: Run, tmp_path: Path) -> None:
    shown = asyncio.run(run_cells(NOTEBOOK, tmp_path / "config.yaml"))
    pieces = Reading(shown["pieces"].show_plain().source).text  # type: ignore[attr-defined]
    assert "1 of 1" in pieces
    assert "The Arno Bridge is 812 metres long." in pieces
    dropped = Reading(shown["dropped"].source).text  # type: ignore[attr-defined]
    assert "5 May 1931" in dropped
    assert "a figure that is not in what it rests on" in dropped
    assert "by code: allcaps" in Reading(shown["forms"].source).text  # type: ignore[attr-defined]
