"""Prompts in the hand: edited, checked, tried, compared and saved, and examples from records."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import OpenRun
from hypothesis import given, settings
from hypothesis import strategies as st

from generation_functions.display.prompt_editor import PromptEditor, edit_prompt
from generation_functions.display.prompt_panel import PromptPanel
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, GrammarError, PalimpsestError, PromptError
from generation_functions.examples import example_from
from generation_functions.pipelines.question_steps import JUDGE_CHUNK, WRITE_QUESTIONS
from generation_functions.pipelines.sample_items import CHUNK, make_chunk
from generation_functions.steps.editing import make_prompt, read_texts, split_texts, write_text
from generation_functions.steps.prompts import PROMPTS
from generation_functions.steps.record import Record
from generation_functions.steps.run import Run
from generation_functions.steps.trials import try_step

CHUNKS = [CHUNK, make_chunk("Tar keeps water out of hemp."), make_chunk("A knot has three turns.")]
FACTS = "Holds: It tells what ropes are made of.\nVerdict: facts"
NONE = "Holds: It tells nothing at all.\nVerdict: no facts"
HARSH = "Find a fault in every text."


def judge(request: Request) -> str:
    return NONE if request.messages[0].content.endswith(HARSH) else FACTS


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine(judge)


@pytest.fixture
def run(tmp_path: Path, open_small_run: OpenRun, engine: ScriptedEngine) -> Run:
    (tmp_path / "prompts").mkdir()
    return open_small_run(engine, path={"prompts": "prompts"})


@pytest.fixture
def editor(run: Run) -> PromptEditor:
    return edit_prompt(run, JUDGE_CHUNK, iter([*CHUNKS, make_chunk("A fourth.")]))


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return what a run's folder holds, but for trials and the lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "trials" not in path.parts and "lock" not in path.name
    }


async def judge_all(run: Run) -> None:
    async with run.stage("judging"):
        await run.map(partial(run.ask, JUDGE_CHUNK), CHUNKS)


def harsher(editor: PromptEditor) -> None:
    editor.change(system=f"{editor.texts.system}\n{HARSH}")


@pytest.mark.parametrize("name", ["judge_chunk", "write_questions", "tiny/write_questions"])
def test_texts_that_nobody_changed_are_the_file_s_bytes(name: str) -> None:
    text = (PROMPTS / f"{name}.yaml").read_text(encoding="utf-8")
    texts = split_texts(text, "", Path(name))
    assert write_text(texts, text) == text
    changed = write_text(replace(texts, user="Ask {{ chunk }}."), text)
    before, after = yaml.safe_load(text), yaml.safe_load(changed)
    assert after == {**before, "user": "Ask {{ chunk }}."}
    assert changed.partition("user:")[0] == text.partition("user:")[0]


@settings(max_examples=40, deadline=None)
@given(st.text(), st.text(alphabet=" \n\tab-:#{}'\"|", min_size=1))
def test_whatever_is_typed_is_what_the_file_says(system: str, user: str) -> None:
    text = "# Notes.\nuser: old # old\nexamples:\n- fields: {}\n  answer: a\nmax_tokens: 5\n"
    texts = split_texts(text, "", Path("a.yaml"))
    typed = {"system": f"s{system}s", "user": f"u{user}u"}
    said = yaml.safe_load(write_text(replace(texts, **typed), text))
    assert said == {**yaml.safe_load(text), **typed}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"user": "{{ chunk }} {{ mood }}"}, r"example 1 has the fields .*'mood'"),
        ({"user": "{% if %}"}, "line 1 of `user`"),
        ({"examples": "- fields: {\n  answer: a"}, "examples, line 2"),
        ({"settings": "max_tokens: 5\ntemprature: 2"}, "temprature"),
        ({"grammar": 'root ::= "a'}, "edited, grammar"),
        ({"grammar": 'root ::= "Verdict: facts"'}, "the answer of example 1 is not in the grammar"),
        ({"system": "{{ chunk }}"}, "`system` knows no name but"),
    ],
)
def test_what_is_wrong_with_a_text_is_said_with_its_part(
    editor: PromptEditor, engine: ScriptedEngine, parts: dict[str, str], said: str
) -> None:
    editor.change(**parts)
    with pytest.raises((PromptError, GrammarError), match=said):
        editor.make_prompt()
    (problem,) = editor.find_problems()
    assert problem in asyncio.run(editor.try_out()).source.replace("&#x27;", "'").replace(
        "&quot;", '"'
    ).replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    with pytest.raises(PalimpsestError):
        editor.save()
    assert engine.requests == []


def test_a_grammar_without_the_rules_that_a_step_replaces_is_refused(run: Run) -> None:
    texts, text = read_texts(WRITE_QUESTIONS, run.config)
    texts = replace(texts, grammar="root ::= [^#]{1,900}", examples="")
    with pytest.raises(GrammarError, match="no rule `"):
        make_prompt(WRITE_QUESTIONS, texts, text, run.config)


def test_a_trial_leaves_the_run_as_it_is_and_is_made_once(
    run: Run, editor: PromptEditor, engine: ScriptedEngine
) -> None:
    asyncio.run(judge_all(run))
    before, asked = snapshot(run.folder), len(engine.requests)
    harsher(editor)
    shown = asyncio.run(editor.try_out()).source
    assert len(engine.requests) == asked + 3, "what the run has answered is not asked again"
    assert shown.count("in force") == shown.count(">edited<") == 3
    assert "rejected, no facts" in shown
    asyncio.run(editor.try_out())
    assert len(engine.requests) == asked + 3
    assert snapshot(run.folder) == before


def test_a_saved_prompt_is_the_run_s_and_what_was_tried_is_not_asked_again(
    run: Run, editor: PromptEditor, engine: ScriptedEngine
) -> None:
    asyncio.run(judge_all(run))
    harsher(editor)
    asyncio.run(editor.try_out())
    asked = len(engine.requests)
    (file,) = editor.save()
    assert file == Path(str(run.config.path.prompts)) / "judge_chunk.yaml"
    assert "Nothing was changed" in editor.show_diff().source
    asyncio.run(judge_all(run))
    assert len(engine.requests) == asked
    record = Record.from_json(
        yaml.safe_load((run.folder / "judge_chunk" / f"{CHUNK.uuid}.json").read_text("utf-8"))
    )
    assert [reply.text for reply in record.replies] == [FACTS, NONE]


def test_the_diff_shows_both_files_and_only_what_changed_is_saved(
    run: Run, editor: PromptEditor
) -> None:
    editor.change(grammar=editor.texts.grammar + "# more\n")
    shown = editor.show_diff().source
    assert "+# more" in shown
    assert "judge_chunk.yaml" not in shown
    assert [file.name for file in editor.save()] == ["judge_chunk.gbnf"]
    assert editor.save() == []


def test_the_diff_to_the_default_shows_also_what_was_saved_before(
    run: Run, editor: PromptEditor
) -> None:
    harsher(editor)
    editor.save()
    again = edit_prompt(run, JUDGE_CHUNK, CHUNKS)
    assert "Nothing was changed" in again.show_diff().source
    panel = PromptPanel(again)
    panel.compare_default.click()
    assert f"+  {HARSH}" in panel.said.value
    assert "judge_chunk.yaml by default" in panel.said.value


def test_what_another_has_saved_meanwhile_is_not_overwritten(
    run: Run, editor: PromptEditor
) -> None:
    other = edit_prompt(run, JUDGE_CHUNK, CHUNKS)
    other.change(grammar=other.texts.grammar + "# theirs\n")
    (file,) = other.save()
    harsher(editor)
    with pytest.raises(ConfigError, match="changed since this editor was opened"):
        editor.save()
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_without_a_folder_for_prompts_saving_says_what_to_do(open_small_run: OpenRun) -> None:
    editor = edit_prompt(open_small_run(), JUDGE_CHUNK, CHUNKS)
    harsher(editor)
    with pytest.raises(ConfigError, match=r"`path\.prompts` names no folder"):
        editor.save()
    editor.run = open_small_run(path={"prompts": "mine"})
    assert [file.parent.name for file in editor.save()] == ["mine"]


def test_a_record_that_went_wrong_becomes_an_example(run: Run, editor: PromptEditor) -> None:
    harsher(editor)
    wrong = asyncio.run(try_step(run, JUDGE_CHUNK, CHUNKS, editor.make_prompt()))[1]
    assert wrong.outcome is not None
    assert wrong.outcome.reason == "no facts"
    entry = example_from(wrong, FACTS)
    assert yaml.safe_load(entry) == [{"fields": wrong.fields, "answer": FACTS}]
    assert "answer: |-\n" in entry
    before = len(editor.make_prompt().content.examples)
    assert editor.add_example(wrong, FACTS) == entry
    assert len(editor.make_prompt().content.examples) == before + 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [("Verdict: facts", "not in the grammar"), (FACTS[:-1], "not in the grammar")],
)
def test_an_answer_that_the_grammar_refuses_is_no_example(answer: str, said: str) -> None:
    record = Record("u", "judge_chunk", {"chunk": "[1] Tar."})
    with pytest.raises(PromptError, match=said):
        example_from(record, answer)


def test_an_answer_that_the_parser_cannot_read_is_no_example() -> None:
    fields: dict[str, Any] = {"source": "Ropes", "chunk": "[1] Hemp floats.", "problem": "Wrong."}
    record = Record("u", "repair_answer", {**fields, "question": "What floats?"})
    with pytest.raises(PromptError, match="new example"):
        example_from(record, "Sentences: 7\nAnswer: Hemp floats.")


def test_a_record_of_a_step_that_is_not_the_program_s_needs_its_step() -> None:
    with pytest.raises(PromptError, match="Pass yours as `step`"):
        example_from(Record("u", "write_poem", {}), "a")


def test_a_record_of_a_pipeline_that_is_found_by_its_name_becomes_an_example() -> None:
    text = "In 1731 the good people of Thorn laid their ropes by hand, and were proud of it."
    record = Record("u", "write_plain", {"text": f"[1] {text}"})
    plain = "[1] The people of Thorn made ropes by hand in 1731. This made them proud."
    assert yaml.safe_load(example_from(record, plain))[0]["answer"] == plain
    with pytest.raises(PromptError, match="the step's parser cannot read the answer"):
        example_from(record, "[1] The people of Thorn made ropes by hand in 1713. They were proud.")


def test_the_buttons_try_compare_and_save_what_stands_in_the_areas(editor: PromptEditor) -> None:
    panel = PromptPanel(editor)
    panel.areas["system"].value += f"\n{HARSH}"
    panel.compare.click()
    assert f"+  {HARSH}" in panel.said.value
    asyncio.run(press_and_wait(panel))
    assert "rejected, no facts" in panel.said.value
    assert not panel.try_it.disabled
    panel.areas["examples"].value = "- ["
    panel.save.click()
    assert "examples, line" in panel.said.value
    panel.areas["examples"].value = ""
    panel.save.click()
    assert "Saved: " in panel.said.value


async def press_and_wait(panel: PromptPanel) -> None:
    panel.try_it.click()
    assert panel.try_it.disabled
    assert panel.going is not None
    await panel.going


def test_without_items_a_prompt_is_tried_on_what_the_run_has_asked(run: Run) -> None:
    nothing = edit_prompt(run, JUDGE_CHUNK)
    assert "Nothing to try it on" in asyncio.run(nothing.try_out()).source
    asyncio.run(judge_all(run))
    assert {item.uuid for item in edit_prompt(run, JUDGE_CHUNK).items} == {
        chunk.uuid for chunk in CHUNKS
    }


def test_an_editor_has_its_texts_where_no_widget_can_be_shown(editor: PromptEditor) -> None:
    shown = editor._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert "Verdict" in shown["text/html"]
