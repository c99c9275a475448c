"""What notebook 02 shows: sources, votes, chunks with marked sentences, repairs, pairs left out."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import OpenRun
from test_display import HOSTILE, Reading

from generation_functions.display.browser import WIDGET
from generation_functions.display.item_browser import ItemBrowser, ItemPanel, group_by
from generation_functions.display.items import (
    browse_chunks,
    browse_rejected,
    mark_sentences,
    read_plan,
    read_rejected,
    show_asked_already,
    show_chunk_pairs,
    show_plan,
    show_rejected,
)
from generation_functions.display.markup import Html, tag
from generation_functions.display.questions import (
    read_votes,
    show_repairs,
    show_sources,
    show_votes,
)
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.questions import ASKED_ALREADY, REJECTED_PAIRS, RejectedPair
from generation_functions.pipelines.repairing import (
    REPAIR_ANSWER,
    REPLACE_PAIR,
    REVISE_PAIR,
    Repair,
)
from generation_functions.records import Chunk, QAPair
from generation_functions.status import Status
from generation_functions.steps.record import Outcome, Record, Reply
from generation_functions.steps.run import Run
from generation_functions.steps.stage_pass import ASKED

TEXT = "The bridge is long. It is <b>old</b>.\n\nIts toll was two pence. Nobody pays it now."
CHUNK = Chunk("c1", "d1", "texts", "On Bridges", TEXT, 0, len(TEXT), 20)
AGE = QAPair("p1", "How old is it?", "It is old.", (2,), "It is <b>old</b>.", CHUNK)
TOLL = QAPair("p2", "What was the toll?", "Two pence.", (3, 4), "Its toll was two pence.", CHUNK)
UNTRUE = RejectedPair(AGE, Problem("answer disagrees with the text", "It is not so."))
TWICE = RejectedPair(TOLL, replace(ASKED_ALREADY, told="The pair that stays asks: What toll?"))
EVIL_CHUNK = Chunk("c", "d", HOSTILE, HOSTILE, HOSTILE, 0, 9, 9, headings=(HOSTILE,))
EVIL = QAPair("p", HOSTILE, HOSTILE, (1,), HOSTILE, EVIL_CHUNK)


def say(text: str, vote: int = 0, prompt: str = "h", finish: str = "stop") -> Reply:
    return Reply("k", prompt, "m", vote, 0, 1, text, finish, 5, 0, 7, 0.5)


def write_record(folder: Path, record: Record) -> None:
    path = folder / record.step / f"{record.uuid}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record.as_json()), encoding="utf-8")


def vote_record(uuid: str, *texts: str, counted: str = "") -> Record:
    replies = [say(text, vote) for vote, text in enumerate(texts)]
    fields = {"question": f"{uuid}?", "answer": HOSTILE}
    return Record(uuid, "check_question", fields, replies, [], Outcome("kept"), counted)


@pytest.fixture
def run(open_small_run: OpenRun) -> Run:
    """A run whose questions' stage has kept two pairs of one chunk, and left two out."""
    run = open_small_run(questions={"double_check_counter": 3})

    async def go() -> None:
        async with run.stage("questions"):
            run.keep("worthy_for_questions", CHUNK)
            for pair in (AGE, TOLL):
                run.keep("qatuples_revised", pair)
            for rejected in (UNTRUE, TWICE):
                run.keep(REJECTED_PAIRS, rejected)

    asyncio.run(go())
    (run.folder / ASKED.format("questions")).unlink()  # tests write records that it did not ask for
    return run


def status_of(**findings: object) -> Status:
    return {"questions": {"findings": findings}}


def hostile_displays(run: Run) -> Iterator[tuple[str, Html]]:
    rejected = RejectedPair(EVIL, Problem(HOSTILE, HOSTILE))
    asked = RejectedPair(EVIL, replace(ASKED_ALREADY, told=HOSTILE))
    browser = ItemBrowser({HOSTILE: [HOSTILE]}, lambda text: tag("p", text), "", note=HOSTILE)
    cells = {"found": 1, HOSTILE: 1}
    yield "chunk", show_chunk_pairs(EVIL_CHUNK, [EVIL])
    yield "unmarked chunk", mark_sentences(EVIL_CHUNK, [])
    yield "plan", show_plan(EVIL_CHUNK, f"1: {HOSTILE}")
    yield "rejected", show_rejected(rejected)
    yield "asked already", show_asked_already([asked])
    yield "browser of rejected", browse_rejected([rejected]).show_plain()
    yield "browser", browser.show_plain()
    yield "widgets", Html(ItemPanel(browser).item.value)
    yield "sources", show_sources(status_of(sources={HOSTILE: {HOSTILE: 1}}))
    yield "repairs", show_repairs(run, status_of(repairs={HOSTILE: cells}))
    yield "votes", show_votes(run)


def test_whatever_a_repair_was_told_its_change_is_shown(run: Run) -> None:
    for step, item in (
        (REPAIR_ANSWER, Repair(AGE, UNTRUE.problem, (), 0)),
        (REPLACE_PAIR, Repair(AGE, UNTRUE.problem, ("What was the toll?",), 0)),
        (REVISE_PAIR, AGE),
    ):
        new = Outcome("kept", output={"question": f"By {step.name}?", "answer": "Very old."})
        record = Record(f"u {step.name}", step.name, dict(step.fields(item)), [], [], new)
        write_record(run.folder, record)
    shown = Reading(show_repairs(run, status_of()).source).text
    for step in (REPAIR_ANSWER, REPLACE_PAIR, REVISE_PAIR):
        assert f"By {step.name}?" in shown
    assert shown.count("How old is it?") == 3


def test_hostile_text_is_shown_as_text(run: Run) -> None:
    write_record(run.folder, vote_record("u", "Verdict: yes", f"Verdict: no\nReason: {HOSTILE}"))
    fields = {"existing": [HOSTILE], "problem": HOSTILE}
    changed = Outcome("kept", output={"question": HOSTILE, "answer": f"{HOSTILE}!"})
    write_record(run.folder, Record("u", "replace_pair", fields, [], [], changed))
    for name, shown in hostile_displays(run):
        reading = Reading(shown.source)
        assert HOSTILE in reading.text, name
        assert not reading.elements & {"script", "img"}, name
        assert not any(one.startswith("on") for one in reading.attributes), name


def test_each_source_has_its_chunks_reasons_and_share_the_least_suitable_first() -> None:
    good, bad = {"suitable": 1234, "no facts": 1}, {"no facts": 3, "exercises": 1, "suitable": 1}
    text = Reading(show_sources(status_of(sources={"A": good, "B": bad})).source).text
    assert text.index("B51420%no facts 3, exercises 1") < text.index("A1,2351,2341100%")
    assert "2 sources1,2401,2355100%no facts 4, exercises 1" in text
    assert "and 1 more" in show_sources(status_of(sources={"A": good, "B": bad}), most=1).source
    assert "No chunk has been judged" in show_sources({}).source


def test_sentences_are_marked_where_they_stand_with_the_numbers_of_their_pairs() -> None:
    shown = mark_sentences(CHUNK, [AGE.sentences, TOLL.sentences, (2,)])
    marks = shown.source.split("<mark")[1:]
    assert [Reading(f"<mark{one}").text.split("\n")[0].strip() for one in marks] == [
        "It is <b>old</b>. 1, 3",
        "Its toll was two pence. 2",
        "Nobody pays it now. 2",
    ]
    assert Reading(mark_sentences(CHUNK, []).source).text == TEXT


def test_a_chunk_stands_beside_its_pairs_with_their_quotes() -> None:
    text = Reading(show_chunk_pairs(CHUNK, [AGE, TOLL]).source).text
    for said in ("On Bridges", "1. How old is it?", "2. What was the toll?", "Two pence."):
        assert said in text
    assert text.count("It is <b>old</b>.") == 2
    assert "No pair of this chunk was kept" in show_chunk_pairs(CHUNK, []).source


def test_a_plan_is_shown_with_the_sentences_that_it_names(run: Run) -> None:
    plan = "1, 2: How long and old it is.\n3: The toll: two pence."
    write_record(run.folder, Record("c1", "plan_questions", outcome=Outcome("kept", output=plan)))
    assert read_plan(run.folder, CHUNK) == plan
    shown = show_plan(CHUNK, plan)
    assert Reading(shown.source).text.endswith("How long and old it is.The toll: two pence.")
    assert shown.source.count("<mark") == 3
    assert read_plan(run.folder, replace(CHUNK, uuid="other")) == ""
    assert "No plan" in show_plan(CHUNK, "").source
    assert "How long and old it is" in browse_chunks(run).show_plain().source


def test_the_browser_of_chunks_has_the_kept_pairs(run: Run) -> None:
    browser = browse_chunks(run)
    assert list(browser.groups) == ["On Bridges"]
    text = Reading(browser.show_plain().source).text
    assert "How old is it?" in text
    assert "What was the toll?" in text


def test_votes_are_counted_by_check_without_planted_pairs(run: Run) -> None:
    yes, no = "Verdict: yes", "Verdict: no\nReason: It is not told."
    write_record(run.folder, vote_record("agreed", yes, yes))
    write_record(run.folder, vote_record("refused", no, no))
    write_record(run.folder, vote_record("unsure", yes, no, yes))
    write_record(run.folder, vote_record("mute", "nothing", "nothing", yes))
    write_record(run.folder, vote_record("planted", no, yes, no, counted="planted"))
    text = Reading(show_votes(run).source).text
    assert "check_question4211102" in text  # pairs, all yes, all no, divided, votes, unusable
    assert "yes, no, yes" in text
    assert "unsure?" in text
    assert "It is not told." in text
    assert "planted" not in text


def test_votes_about_items_that_the_last_pass_did_not_ask_about_do_not_count(run: Run) -> None:
    for uuid in ("old", "new"):
        write_record(run.folder, vote_record(uuid, "Verdict: yes", "Verdict: no"))
    assert "check_question2002" in Reading(show_votes(run).source).text
    asked = run.folder / ASKED.format("questions")
    asked.write_text('{"check_question": ["new", "gone"]}', encoding="utf-8")
    text = Reading(show_votes(run).source).text
    assert "check_question1001" in text
    assert "new?" in text
    assert "old?" not in text


def test_only_the_votes_of_the_current_prompt_count() -> None:
    replies = [say("Verdict: no", 0, "old"), say("Verdict: yes", 0), say("Verdict: no", 1, "old")]
    replies += [say("Verdict: yes", 1, finish="length"), say("Verdict: yes", 2)]
    record = Record("u", "check_question", {}, replies)
    assert read_votes(record, 3) == ["yes", "unusable", "yes"]
    assert read_votes(record, 1) == ["yes"]
    assert read_votes(Record("u", "check_question"), 3) == []


def test_a_vote_is_what_code_made_of_it_not_what_its_words_say() -> None:
    taken, outvoted = say("Verdict: yes\nWords: a pier", 0), say("Verdict: yes\nWords: it", 1)
    taken, outvoted = replace(taken, key="one"), replace(outvoted, key="two")
    record = Record("u", "check_question", {}, [taken, outvoted])
    record.outcome = Outcome("rejected", "voted no")
    record.note("one", "taken")
    record.note("two", "outvoted")
    assert read_votes(record, 3) == ["no", "yes"]


def test_without_votes_the_table_says_so(open_small_run: OpenRun) -> None:
    run = open_small_run(questions={"double_check_counter": 0})
    assert "No votes" in show_votes(run).source


def test_repairs_are_counted_by_fault_and_shown_before_and_after(run: Run) -> None:
    tallied = {
        "rare": {"found": 1, "another answer": 1},
        "common": {"found": 9, "another answer": 2, "another question": 3},
    }
    fields = {"question": "How long?", "answer": "821 metres.", "problem": "It has “821”."}
    changed = Outcome("kept", output={"question": "How long?", "answer": "812 metres."})
    same = Outcome("kept", output={"question": "Same?", "answer": "Same."})
    write_record(run.folder, Record("u", "repair_answer", fields, [], [], changed))
    asked = {"question": "Same?", "answer": "Same."}
    write_record(run.folder, Record("v", "revise_pair", asked, [], [], same))
    text = Reading(show_repairs(run, status_of(repairs=tallied)).source).text
    assert text.index("common9234") < text.index("rare1100")
    assert text.index("821 metres.") < text.index("812 metres.")
    assert "It has “821”." in text
    assert "Same?" not in text
    assert "No pair needed to be mended" in show_repairs(run, {}).source


def test_pairs_left_out_are_read_by_reason_with_what_is_wrong(run: Run) -> None:
    rejected = read_rejected(run)
    assert rejected == [UNTRUE, TWICE]
    panel = ItemPanel(browse_rejected(rejected))
    assert [name for _, name in panel.group.options] == [
        "answer disagrees with the text",
        "asked already",
    ]
    assert "It is not so." in panel.item.value
    panel.group.value = "asked already"
    assert "The pair that stays asks: What toll?" in panel.item.value
    assert "No pair was left out" in browse_rejected([]).show_plain().source


def test_pairs_that_ask_the_same_name_the_one_that_stays() -> None:
    text = Reading(show_asked_already([UNTRUE, TWICE, TWICE], most=1).source).text
    assert text.startswith("1 of 2")
    assert "What was the toll?" in text
    assert "The pair that stays asks: What toll?" in text
    assert "How old is it?" not in text
    assert "No two pairs ask the same" in show_asked_already([UNTRUE]).source


@pytest.fixture
def browse() -> Callable[..., ItemBrowser[str]]:
    return lambda groups: ItemBrowser(groups, lambda text: tag("i", text), "Nothing here.")


def test_the_browser_of_items_goes_through_a_group_and_starts_the_next_at_its_first(
    browse: Callable[..., ItemBrowser[str]],
) -> None:
    panel = ItemPanel(browse({"a": ["a1", "a2"], "none": [], "b": ["b1", "b2", "b3"]}))
    assert [said for said, _ in panel.group.options] == ["a (2)", "b (3)"]
    panel.number.value = 2
    assert panel.item.value == "<i>a2</i>"
    panel.group.value = "b"
    assert (panel.number.value, panel.number.max, panel.item.value) == (1, 3, "<i>b1</i>")
    panel.number.value = 3
    assert panel.item.value == "<i>b3</i>"


def test_the_browser_of_items_carries_plain_html_beside_its_widgets(
    browse: Callable[..., ItemBrowser[str]],
) -> None:
    bundle = browse({"a": ["a1", "a2"], "b": ["b1"]})._repr_mimebundle_()
    assert WIDGET in bundle
    assert "a1" in bundle["text/html"]
    assert "a: 1 of 2" in bundle["text/html"]
    assert "b1" in bundle["text/html"]
    assert "a3" in browse({"a": ["a1", "a2", "a3"]}).show_plain().source
    nothing = browse({"a": []})._repr_mimebundle_()
    assert WIDGET not in nothing
    assert "Nothing here" in nothing["text/html"]


def test_items_are_grouped_in_the_order_in_which_they_come() -> None:
    assert list(group_by(["b1", "a1", "b2"], lambda item: item[0]).items()) == [
        ("b", ["b1", "b2"]),
        ("a", ["a1"]),
    ]
