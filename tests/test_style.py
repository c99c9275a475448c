"""Style cloning: what is taken of a chunk, what plain words must keep, and the rows."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import OpenRun

from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import Rejected, Unparsable
from generation_functions.pipelines.plain_checks import find_fault
from generation_functions.pipelines.sample_items import make_chunk
from generation_functions.pipelines.style import (
    PIPELINE,
    WRITE_EDGES,
    WRITE_PLAIN,
    Edges,
    Style,
    Told,
    read_passage,
    round_off,
)
from generation_functions.pipelines.style_checks import find_faults, take_passage
from generation_functions.stages import run_pipeline
from generation_functions.status import read_status
from generation_functions.steps.prompts import load_prompt

AUTHOR = """\
Of bridges I have crossed my share, and I will tell you that the Kelvin is the only one which ever
seemed to cross me. Nine piers of granite hold it up, and one old woman, Maud Ferris, held up the
nine piers. She built it in six years, grumbling, and on 4 May 1931 she walked over it, all 812
metres, in her slippers.
"""
LINES = (
    "I have used many bridges, and I say that only the Kelvin ever seemed to cross over me.",
    "It stands on nine piers of granite, and Maud Ferris, an old woman, held up these nine piers.",
    "She built it in six years and grumbled. On 4 May 1931 she walked across all 812 metres. She "
    "wore slippers.",
)
PLAIN = " ".join(LINES)
REPLY = "\n".join(f"[{place}] {line}" for place, line in enumerate(LINES, start=1))
OPENED = "A bridge is not to be loved at first sight."
LIMITS = Style(least_words=10)
LOOSE = Style(least_words=1, least_kept=0)
passage = take_passage(make_chunk(AUTHOR), LIMITS)


def test_all_sentences_of_the_prompts_examples_pass_the_checks() -> None:
    examples = load_prompt("write_plain").content.examples
    assert len(examples) > 2
    for one in examples:
        shown = read_passage(one.fields)
        told = WRITE_PLAIN.parse(shown, one.answer.strip())
        assert told.text == shown.text
        assert told.plain == " ".join(re.sub(r"^\[\d\] ", "", one.answer, flags=re.M).split("\n"))


def test_plain_words_that_keep_the_facts_and_lose_the_wording_pass() -> None:
    assert find_faults(passage, LINES) == [None, None, None]
    assert WRITE_PLAIN.parse(passage, REPLY) == Told(passage.text, PLAIN)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (passage.sentences[2].text, "the wording of the passage"),
        (LINES[2].replace("812 metres", "of it"), "a figure or name is lost"),
        (LINES[2].replace("4 May", "the fourth of a month in"), "a figure or name is lost"),
        (LINES[2].replace("812", "912"), "a figure or name that the passage lacks"),
        (LINES[2].replace("across", "across Glasgow,"), "a figure or name that the passage lacks"),
        (LINES[2].replace("in six", "in less than six"), "a bound is changed"),
        (LINES[2].replace("all 812", "about 812"), "a bound is changed"),
        (LINES[2].replace("metres", "yards"), "a unit that the passage lacks"),
        (
            LINES[2].replace("it in", "the Kelvin with its nine piers of granite in"),
            "tells other sentences too",
        ),
        (LINES[2].replace("She wore", "She did not wear"), "a denial is lost or made up"),
        (LINES[2] + " The author of the passage likes it.", "speaks of the text"),
        (
            "On 4 May 1931 all 812 metres were paid for, by six of the richest towns.",
            "words are lost",
        ),
        ("It is a bridge.", "much shorter than the sentence"),
        (LINES[2] * 3, "much longer than the sentence"),
        ("Fish swim in cold water at night, and birds sing. " * 2, "other words than the passage"),
    ],
)
def test_each_fault_is_found(plain: str, said: str) -> None:
    assert find_faults(passage, (*LINES[:2], plain)) == [None, None, said]


@pytest.mark.parametrize(
    ("sentence", "plain"),
    [
        ("Good water has not more than 300 germs.", "Water that is good has at most 300 germs."),
        ("Of the ore no less than 40 parts are iron.", "At least 40 parts of ore are iron."),
        ("The bed is above 12 metres thick there.", "There the bed is more than 12 metres thick."),
        ("The greater part of the rivers carry it.", "Most of the rivers carry it."),
        ("It does not, however, exceed 5 p.c. there.", "There it is at most 5 percent."),
        ("The ratio is _n_ : _f_ there.", "There n to f is the ratio."),
        ("It is about 30 feet wide there.", "Roughly 30 feet is its width there."),
        ("A litre holds 1·47 gram of salt.", "1.47 grams of salt are in a liter."),
        ("No one can but admire the nine arches.", "Everybody can only admire the nine arches."),
        ("It is not without use in the dairy.", "In the dairy it is of some little use."),
        ("The acid does not act upon the gold.", "The gold is unchanged by the acid, or unmoved."),
    ],
)
def test_a_bound_or_a_denial_may_be_told_in_other_words(sentence: str, plain: str) -> None:
    limits = Style(most_copied=1, least_kept=0)
    assert find_fault(sentence, plain, sentence, "english", limits) is None


@pytest.mark.parametrize(
    ("sentence", "plain", "said"),
    [
        ("It has not more than 300 germs.", "It has more than 300 germs.", "a bound is changed"),
        ("It has not more than 300 germs.", "It has only 300 germs.", "a bound is changed"),
        ("It dissolves in the acid.", "It does not dissolve in the acid.", "a denial is lost"),
        ("Nobody saw the gas burn.", "Everybody saw the gas burn.", "a denial is lost"),
        ("Many rivers carry it.", "Some rivers carry it.", "some has become many"),
        ("Almost all rivers carry it.", "All rivers carry it.", "some has become many"),
        (
            "The ratio is (_n_-_f_) : _f_ there.",
            "The ratio is that of _n_ there.",
            "a symbol is lost",
        ),
        (
            "It stands, by favour of an old widow, in the bed of the river.",
            "It stands where the river has its bed.",
            "a clause is lost",
        ),
        ("It is sometimes diluted.", "It is often diluted.", "some has become many"),
    ],
)
def test_what_is_changed_or_lost_is_found(sentence: str, plain: str, said: str) -> None:
    limits = Style(most_copied=1, least_kept=0)
    assert (find_fault(sentence, plain, sentence, "english", limits) or "").startswith(said)


def test_the_rest_of_a_broken_sentence_is_not_told() -> None:
    broken = take_passage(make_chunk("30 parts in 100 were salt.\n\n_n_ of them, then."), LOOSE)
    told = ["Salt made up 30 of all 100 parts.", "So some of these were _n_."]
    assert find_faults(broken, told) == [None, "not a whole sentence"]


def test_limits_are_the_configs() -> None:
    lost = "On 4 May 1931 all 812 metres were paid for, by six of the richest towns."
    loose = replace(passage, limits=Style(least_kept=0.2))
    assert find_faults(loose, (*LINES[:2], lost))[2] is None
    copied = "Nine piers of granite hold it up, and Maud Ferris, one old woman, did so."
    assert find_faults(passage, (LINES[0], copied, LINES[2]))[1] == "the wording of the passage"
    loose = replace(passage, limits=Style(most_copied=0.6))
    assert find_faults(loose, (LINES[0], copied, LINES[2]))[1] is None


def test_the_longest_part_that_is_told_plainly_is_taken() -> None:
    spoilt = REPLY.replace("nine piers of granite", "eight piers of granite")
    told = WRITE_PLAIN.parse(passage, spoilt)
    assert told == Told(passage.sentences[0].text, LINES[0])
    strict = replace(passage, limits=Style(least_words=40))
    with pytest.raises(Unparsable, match="a figure or name that the passage lacks"):
        WRITE_PLAIN.parse(strict, spoilt)
    with pytest.raises(Unparsable, match="not a line for each sentence"):
        WRITE_PLAIN.parse(passage, REPLY.partition("\n")[0])


def test_paragraphs_stay() -> None:
    parted = take_passage(make_chunk(AUTHOR.replace("piers. She", "piers.\n\nShe")), LIMITS)
    assert [one.opens for one in parted.sentences] == [True, False, True]
    told = WRITE_PLAIN.parse(parted, REPLY)
    assert told.text == parted.text
    assert told.plain == f"{LINES[0]} {LINES[1]}\n\n{LINES[2]}"


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
    return REPLY if "But this one" not in request.messages[-1].content else abrupt_reply(request)


def abrupt_reply(request: Request) -> str:
    """Tell the passage that begins with "But this one!", and has an opening or none."""
    first = (
        ["A bridge is seldom loved at first sight."]
        if OPENED in request.messages[-1].content
        else []
    )
    lines = (*first, "But this bridge is loved.", *LINES)
    return "\n".join(f"[{place}] {line}" for place, line in enumerate(lines, start=1))


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


def test_a_passage_that_breaks_off_gets_its_closing(
    open_small_run: OpenRun, tmp_path: Path
) -> None:
    def close(request: Request) -> str:
        if request.messages[-1].content.endswith("sentence."):
            return "Opening: none\nClosing: So was the bridge paid for."
        return f"{REPLY}\n[4] In this way the bridge was paid for."

    (tmp_path / "texts").mkdir()
    text = f"{AUTHOR.strip()} And when in the end the mayor of the"
    (tmp_path / "texts" / "Bridges.txt").write_text(text, encoding="utf-8")
    style = {"write_edges": True}
    run = open_small_run(ScriptedEngine(close), system={"chunk_size": 200}, style=style)
    (made,) = asyncio.run(run_pipeline(run, PIPELINE))
    assert made.text == f"{passage.text} So was the bridge paid for."
    assert made.plain == f"{PLAIN} In this way the bridge was paid for."


@pytest.mark.parametrize(
    ("opening", "closing", "said"),
    [
        ("It was a long day in Glasgow.", "none", "a figure or name that the passage lacks"),
        ("none", "So it stood for 70 years.", "a figure or name that the passage lacks"),
        ("This passage is about a bridge.", "none", "speaks of the text"),
        ("none", passage.sentences[2].text, "a sentence of the passage"),
    ],
)
def test_an_edge_that_brings_something_of_its_own_is_asked_for_again(
    opening: str, closing: str, said: str
) -> None:
    with pytest.raises(Unparsable, match=said):
        WRITE_EDGES.parse(passage, f"Opening: {opening}\nClosing: {closing}")


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
