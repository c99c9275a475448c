"""Style cloning: what is taken of a chunk, what plain words must keep, and the rows."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import OpenRun

from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import Rejected
from generation_functions.pipelines.sample_items import make_chunk
from generation_functions.pipelines.style import (
    PIPELINE,
    WRITE_PLAIN,
    Edges,
    Style,
    read_passage,
    round_off,
)
from generation_functions.pipelines.style_checks import find_fault, share_of_facts, take_passage
from generation_functions.stages import run_pipeline
from generation_functions.status import read_status
from generation_functions.steps.prompts import load_prompt

AUTHOR = """\
Of bridges I have crossed my share, and I will tell you that the Kelvin is the only one which ever
seemed to cross me. Nine piers of granite hold it up, and one old woman, Maud Ferris, held up the
nine piers. She built it in six years, grumbling, and on 4 May 1931 she walked over it, all 812
metres, in her slippers.
"""
PLAIN = (
    "I have used many bridges, but the Kelvin is different from all others. It stands on nine "
    "granite piers. Maud Ferris, an old woman, was responsible for them. The work took her six "
    "years, and she complained about it. On 4 May 1931 she went across on foot in slippers. The "
    "bridge is 812 metres long."
)
OPENED = "A bridge is not to be loved at first sight."
passage = take_passage(make_chunk(AUTHOR), Style())


def test_the_examples_of_the_prompt_pass_the_checks() -> None:
    examples = load_prompt("write_plain").content.examples
    assert len(examples) > 2
    assert [find_fault(read_passage(one.fields), one.answer.strip()) for one in examples] == [
        None for _ in examples
    ]


def test_plain_words_that_keep_the_facts_and_lose_the_wording_pass() -> None:
    assert share_of_facts(passage, PLAIN) == 1
    assert find_fault(passage, PLAIN) is None


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (passage.text, "the wording of the passage"),
        (PLAIN.replace("812 metres long", "very long"), "figures or names are lost"),
        (PLAIN.replace("4 May", "the fourth of a month in"), "figures or names are lost"),
        (PLAIN.replace("Maud Ferris", "One woman"), "figures or names are lost"),
        (PLAIN.replace("812", "912"), "a figure or name that the passage lacks"),
        (PLAIN.replace("Ferris", "Ferris of Glasgow"), "a figure or name that the passage lacks"),
        (PLAIN + " The author of the passage likes it.", "speaks of the text"),
        ("It is a bridge.", "much shorter than the passage"),
        (PLAIN * 2, "much longer than the passage"),
        ("Fish swim in cold water at night. " * 9, "other words than the passage"),
    ],
)
def test_each_fault_is_found(plain: str, said: str) -> None:
    assert find_fault(passage, plain) == said


def test_limits_are_the_configs() -> None:
    lost = PLAIN.replace("812 metres long", "very long")
    assert find_fault(replace(passage, limits=Style(least_facts_kept=0.5)), lost) is None
    copied = PLAIN.replace("It st", "Nine piers of granite hold it up. It st")
    strict = replace(passage, limits=Style(most_copied=0))
    assert find_fault(passage, copied) is None
    assert find_fault(strict, copied) == "the wording of the passage"


def test_only_prose_in_whole_sentences_is_taken() -> None:
    noted = AUTHOR.replace("in six years,", "in six years,[12]")
    parts = ("[7] the lot. " + noted, "## Piers", "| a | b |", "- a pier", "It was then that she")
    found = take_passage(make_chunk("\n\n".join(parts)), Style())
    assert found.text == passage.text
    assert found.begins_abruptly
    assert not take_passage(make_chunk(AUTHOR), Style()).begins_abruptly


@pytest.mark.parametrize("opening", ["But ", "She had said so. ", "These are three. "])
def test_what_takes_up_something_begins_abruptly(opening: str) -> None:
    assert take_passage(make_chunk(opening + AUTHOR), Style()).begins_abruptly


def test_what_breaks_off_ends_abruptly_and_is_cut() -> None:
    found = take_passage(
        make_chunk(f"{AUTHOR.strip()} And when in the end the mayor of the town"), Style()
    )
    assert found.ends_abruptly
    assert found.text.endswith("slippers.")


def test_a_chunk_without_enough_prose_is_rejected() -> None:
    with pytest.raises(Rejected, match="too little prose"):
        take_passage(make_chunk("| a | b |\n\n- hemp\n- sisal"), Style())


def test_edges_stand_around_the_text() -> None:
    assert round_off(passage, Edges("Before.", "")).text == f"Before. {passage.text}"
    assert round_off(passage, Edges("", "After.")).text == f"{passage.text} After."


def write_text(folder: Path, opening: str = "") -> None:
    (folder / "texts").mkdir()
    name = "Bridges and I, by A. Mason, published 1970.txt"
    (folder / "texts" / name).write_text(opening + AUTHOR, encoding="utf-8")


def answer(request: Request) -> str:
    if request.messages[-1].content.endswith("sentence."):
        return f"Opening: {OPENED}\nClosing: none"
    return PLAIN


def read_rows(folder: Path) -> list[list[dict[str, str]]]:
    lines = (folder / PIPELINE.rows / "sharegpt.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["conversations"] for line in lines]


def test_a_row_asks_with_the_plain_words_and_answers_with_the_authors(
    open_small_run: OpenRun, tmp_path: Path
) -> None:
    write_text(tmp_path)
    run = open_small_run(ScriptedEngine(answer), system={"chunk_size": 200})
    (made,) = asyncio.run(run_pipeline(run, PIPELINE))
    assert "{author}" not in made.instruction
    assert "A. Mason" in made.instruction
    (row,) = read_rows(run.folder)
    assert row == [
        {"from": "human", "value": f"{made.instruction}\n\n{PLAIN}"},
        {"from": "gpt", "value": passage.text},
    ]
    text = (run.folder / PIPELINE.rows / "completion.jsonl").read_text(encoding="utf-8")
    assert json.loads(text)["text"].endswith(f"AI: {passage.text} **Finished.**")


def test_an_author_is_whom_the_last_by_names(open_small_run: OpenRun, tmp_path: Path) -> None:
    write_text(tmp_path)
    (text,) = (tmp_path / "texts").iterdir()
    text.rename(text.with_name("Bridges, by the Sea, by A. Mason.txt"))
    run = open_small_run(ScriptedEngine(answer), system={"chunk_size": 200})
    (made,) = asyncio.run(run_pipeline(run, PIPELINE))
    assert "A. Mason" in made.instruction
    assert "Sea" not in made.instruction


def test_an_abrupt_passage_gets_its_opening_where_that_is_wanted(
    open_small_run: OpenRun, tmp_path: Path
) -> None:
    write_text(tmp_path, "But this one! ")
    engine = ScriptedEngine(answer)
    style = {"write_edges": True, "author": "an old traveller"}
    run = open_small_run(engine, system={"chunk_size": 200}, style=style)
    (made,) = asyncio.run(run_pipeline(run, PIPELINE))
    assert made.text.startswith(f"{OPENED} But this one!")
    assert "an old traveller" in made.instruction
    assert len(engine.requests) == 2


def test_only_what_a_changed_prompt_touches_is_asked_again(
    open_small_run: OpenRun, tmp_path: Path
) -> None:
    write_text(tmp_path, "But this one! ")
    sections = {"style": {"write_edges": True}, "path": {"prompts": "own"}}
    settings = {"system": {"chunk_size": 200}, **sections}
    run = open_small_run(ScriptedEngine(answer), **settings)
    asyncio.run(run_pipeline(run, PIPELINE))
    prompt = load_prompt(WRITE_PLAIN.name).file.read_text(encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "write_plain.yaml").write_text(prompt.replace("soberly ", ""), "utf-8")
    engine = ScriptedEngine(answer)
    run = open_small_run(engine, **settings)
    asyncio.run(run_pipeline(run, PIPELINE))
    assert len(engine.requests) == 1
    counts = read_status(run.folder)["style"]["steps"]
    assert (counts["write_edges"]["replayed_calls"], counts["write_plain"]["new_calls"]) == (1, 1)
