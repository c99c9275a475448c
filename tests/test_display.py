"""What the notebooks show: escaped text, records by outcome, bars that add up, kept comments."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import OpenRun
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from scripted_run import friendly_reply

from generation_functions import stages
from generation_functions.config import Config, load_config
from generation_functions.display.browser import WIDGET, Panel, browse_records
from generation_functions.display.config_text import save_option, set_option
from generation_functions.display.markup import Html, tag
from generation_functions.display.model_picker import choose_models
from generation_functions.display.models import show_models
from generation_functions.display.plots import plot_funnel, plot_token_lengths, save_funnel
from generation_functions.display.records import (
    find_record,
    list_asked,
    list_records,
    read_record,
    reply_lengths,
    show_record,
)
from generation_functions.display.tables import shorten, show_funnel, show_reasons, show_table
from generation_functions.display.training import (
    plot_row_lengths,
    show_changes,
    show_configs,
    show_manifests,
    show_rows,
)
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import ConfigError, RunFolderError
from generation_functions.status import Status, read_status
from generation_functions.steps.record import Outcome, Record, Reply
from generation_functions.steps.run import Run
from generation_functions.training_sections import ModelTraining

ROOT = Path(__file__).resolve().parents[1]
HOSTILE = """</pre></div><script>alert(1)</script><img src=x onerror="alert('2')">&amp;"""
REPLY = Reply("k", "h", "m", 0, 0, 1, HOSTILE, "stop", 5, 0, 7, 0.5)


class Reading(HTMLParser):
    """Reads markup as a front end does: its elements, and its text with references resolved."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_displays(folder: Path) -> Iterator[tuple[str, Html]]:
    record = Record("r", HOSTILE, {HOSTILE: [HOSTILE]}, [REPLY])
    record.outcome = Outcome("rejected", HOSTILE, {"a": HOSTILE})
    counts = dict.fromkeys(("in", "kept", "rejected", "failed", "new_calls", "replayed_calls"), 1)
    step = {HOSTILE: {**counts, "reasons": {"rejected": {HOSTILE: 1}}}}
    status = {"s": {"limit": None, "complete": True, "pipelines": {}, "steps": step}}
    file = {"name": "x.jsonl", "rows": 1, "tokens": 1, "longest": 1, "in_config": True}
    file |= {"segments": False, "chat": False}
    numbers = dict.fromkeys(("rows", "tokens", "optimizer_steps", "gpus", "longer"), 1)
    manifest = {**numbers, "launch": HOSTILE, "advice": HOSTILE, "files": [file]}
    for name in ("pretraining_run", "sft_run"):
        (folder / name).mkdir()
        (folder / name / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
        row = json.dumps({"text": HOSTILE}) + "\n"
        (folder / name / "x.jsonl").write_text(row, encoding="utf-8")
    yield "table", show_table([{HOSTILE: HOSTILE}])
    yield "record", show_record(record)
    yield "funnel", show_funnel(status, "s")
    yield "reasons", show_reasons(status, "s")
    yield "rows", show_rows(folder)
    yield "manifests", show_manifests(folder)


def test_hostile_text_is_shown_as_text_everywhere(tmp_path: Path) -> None:
    for name, shown in hostile_displays(tmp_path):
        reading = Reading(shown.source)
        assert not reading.elements & {"script", "img"}, name
        assert "onerror" not in reading.attributes, name
        assert "<script>alert(1)</script>" in reading.text, name


@given(st.text())
def test_any_text_comes_back_out_of_its_markup(text: str) -> None:
    reading = Reading(tag("b", text, title=text).source)
    assert reading.elements == {"b"}
    assert reading.text.replace("\r", "\n") == text.replace("\r", "\n")


def test_a_table_shows_its_columns_in_order_and_says_when_it_is_empty() -> None:
    reading = Reading(show_table([{"new_calls": 1234, "ok": True}], ("ok", "new_calls")).source)
    assert reading.text == "oknew callsyes1,234"
    assert "Nothing there" in show_table([], empty="Nothing there").source


def test_a_long_text_is_shortened_to_one_line() -> None:
    assert shorten("a\n b") == "a b"
    assert shorten("word " * 100, 20) == "word word word word…"


@pytest.fixture
def finished(open_small_run: OpenRun) -> Run:
    """A run whose stages are done, with something kept and something rejected."""
    run = open_small_run(ScriptedEngine(friendly_reply))

    async def go() -> None:
        for stage in stages.STAGES.values():
            await stage(run, None)

    asyncio.run(go())
    return run


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Five records of a step: kept, rejected twice for two reasons, failed, and an open one."""
    ends = [
        Outcome("kept", output="x"),
        Outcome("rejected", "no facts"),
        Outcome("rejected", "exercises"),
        Outcome("failed", "no verdict"),
        None,
    ]
    folder = tmp_path / "judge_chunk"
    folder.mkdir()
    for number, outcome in enumerate(ends):
        record = Record(f"u{number}", "judge_chunk", {"chunk": "text"}, [REPLY], outcome=outcome)
        text = json.dumps(record.as_json())
        (folder / f"u{number}.json").write_text(text, encoding="utf-8")
    reasons = {"rejected": {"no facts": 1, "exercises": 1}, "failed": {"no verdict": 1}}
    counts = {"in": 4, "kept": 1, "rejected": 2, "failed": 1, "new_calls": 5, "replayed_calls": 0}
    steps = {"judge_chunk": {**counts, "reasons": reasons}}
    stage = {"complete": True, "limit": None, "pipelines": {}, "steps": steps, "survivors": {}}
    (tmp_path / "status.json").write_text(json.dumps({"questions": stage}), encoding="utf-8")
    return tmp_path


def test_records_are_found_by_outcome_and_reason_in_both_directions(records: Path) -> None:
    paths = list_records(records, "judge_chunk")
    assert find_record(paths, 0, 1, "rejected") == 1
    assert find_record(paths, 2, 1, "rejected") == 2
    assert find_record(paths, 0, 1, reason="exercises") == 2
    assert find_record(paths, 1, -1, "kept") == 0
    assert find_record(paths, 0, 1, "open") == 4
    assert find_record(paths, 3, 1, "kept") is None


def test_finding_a_record_opens_no_more_files_than_it_must(records: Path) -> None:
    (records / "judge_chunk" / "u4.json").write_text("{ broken", encoding="utf-8")
    assert find_record(list_records(records, "judge_chunk"), 0, 1, "failed") == 3


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"uuid": "a"}', encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"a\.json: not a step's record"):
        read_record(file)


def test_a_record_shows_outcome_reason_fields_and_replies(records: Path) -> None:
    text = Reading(show_record(read_record(records / "judge_chunk" / "u1.json")).source).text
    for said in ("rejected", "no facts", "judge_chunk", "chunk", "vote 1", "7 tokens", "alert(1)"):
        assert said in text


def test_reply_lengths_are_by_step_and_cut_ones_apart(records: Path) -> None:
    cut = replace(REPLY, finish_reason="length", completion_tokens=160)
    record = json.dumps(Record("u5", "judge_chunk", {}, [cut, REPLY]).as_json())
    (records / "judge_chunk" / "u5.json").write_text(record, encoding="utf-8")
    lengths = reply_lengths(records, ["judge_chunk", "not_run"])
    assert {step: tokens for step, tokens in lengths.items() if tokens} == {
        "judge_chunk": [7] * 6,
        "judge_chunk, cut": [160],
    }
    assert reply_lengths(records, ["judge_chunk"], most_opened=2)["judge_chunk"] == [7, 7]


def test_the_browser_goes_forward_and_back_among_what_fits(records: Path) -> None:
    panel = Panel(browse_records(records, "questions"))
    assert panel.reason.options == ("any", "no facts", "exercises", "no verdict")
    assert "u0" in panel.record.value
    panel.outcome.value = "rejected"
    assert "u1" in panel.record.value
    panel.next.click()
    assert "u2" in panel.record.value
    panel.next.click()
    assert "u2" in panel.record.value
    panel.previous.click()
    assert "u1" in panel.record.value
    panel.reason.value = "no verdict"
    assert "No record fits" in panel.record.value


def test_the_browser_carries_plain_html_beside_its_widgets(records: Path) -> None:
    bundle = browse_records(records, "questions")._repr_mimebundle_()
    assert WIDGET in bundle
    for uuid in ("u0", "u1", "u3"):  # one of each outcome
        assert uuid in bundle["text/html"]


def test_the_browser_of_a_stage_that_has_not_run_says_so(records: Path) -> None:
    bundle = browse_records(records, "conversations")._repr_mimebundle_()
    assert WIDGET not in bundle
    assert "No step of this stage has run yet" in bundle["text/html"]


def test_the_bars_of_the_funnel_are_its_counts(records: Path) -> None:
    status = read_status(records)
    axes = plot_funnel(status).figure.axes[0]
    widths = {str(bars.get_label()): bars.datavalues.tolist() for bars in axes.containers}
    assert widths == {"kept": [1], "rejected": [2], "failed": [1]}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["questions: judge chunk"]
    assert [text.get_text() for text in axes.texts] == ["1 of 4"]


def test_the_funnel_of_a_whole_run_is_saved_as_a_picture(finished: Run, tmp_path: Path) -> None:
    status = read_status(finished.folder)
    save_funnel(status, tmp_path / "funnel.png")
    assert (tmp_path / "funnel.png").read_bytes().startswith(b"\x89PNG")
    data, size = plot_funnel(status, "questions")._repr_png_()
    assert data.startswith(b"\x89PNG")
    assert size["width"] > size["height"] / 2


def test_a_histogram_has_a_panel_for_each_name_that_has_values() -> None:
    figure = plot_token_lengths({"a": [1, 2, 3], "none": [], "b": [400]}, limit=400).figure
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "a: 3, median 2, most 3",
        "b: 1, median 400, most 400",
    ]
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 3
    assert plot_token_lengths({})._repr_png_()


def test_a_whole_pass_lists_what_each_step_was_asked_about(finished: Run) -> None:
    for step in ("judge_chunk", "check_question"):
        asked = list_asked(finished.folder, "questions", step)
        assert asked == list_records(finished.folder, step) != []
    asyncio.run(stages.write_questions(finished, 1))
    (one,) = list_asked(finished.folder, "questions", "judge_chunk")
    assert one in list_records(finished.folder, "judge_chunk")
    assert list_asked(finished.folder, "questions", "write_scene") == []


def test_a_finished_run_is_shown_from_its_folder(finished: Run) -> None:
    rows = Reading(show_rows(finished.folder).source).text
    assert "The bridge was opened on 4 May 1931" in rows
    assert "**Finished.**" in rows
    assert "axolotl.cli.train" in show_manifests(finished.folder).source
    configs = show_configs(finished).source
    assert "as by default" in configs
    assert "gradient_accumulation_steps" in configs
    assert "## How much it is" in configs
    assert "optimizer steps are few" in show_manifests(finished.folder).source


def test_rows_are_drawn_at_random_and_the_same_again(finished: Run) -> None:
    shown = [show_rows(finished.folder, most=1, seed=seed).source for seed in range(12)]
    assert len(set(shown)) > 1
    assert show_rows(finished.folder, most=1, seed=3).source == shown[3]


def test_lengths_of_rows_stand_beside_the_context(finished: Run) -> None:
    listed = [
        (name, one)
        for name in ("pretraining_run", "sft_run")
        for one in json.loads((finished.folder / name / "MANIFEST.json").read_text("utf-8"))[
            "files"
        ]
        if one["in_config"]
    ]
    figure = plot_row_lengths(finished.folder).figure
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert len(titles) == len(listed) > 2
    for title, (name, entry) in zip(titles, listed, strict=True):
        assert title.startswith(f"{name}/{entry['name']}: {entry['rows']}, ")
        assert title.endswith(f"most {entry['longest']}")
    assert figure.axes[0].lines[0].get_xdata()[0] == 5000


def test_changed_options_of_training_are_shown_beside_their_defaults(finished: Run) -> None:
    assert "as by default" in show_changes(finished.config).source
    training = ModelTraining(gpus=4, other_finetune_kwargs={"num_epochs": 2})
    shown = show_changes(finished.config.model_copy(update={"model_training": training}))
    text = Reading(shown.source).text
    assert "model_training.gpus14" in text
    assert "{'num_epochs': 2}" in text
    assert "wandb_project" not in text


def test_rows_of_a_folder_without_datasets_say_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="Run the stage `mix` first"):
        show_rows(tmp_path)


CONFIG = """\
# mine
models:
  small:   # the quick one
    gguf: old.gguf   # a note: with a colon
  large: {gguf: "big.gguf", slots: 2}  # flow

path: {input_dirs: [{path: texts}], output_dir: run, models_dir: models}
dataset_context: 'x'
"""


def test_an_option_is_set_and_no_other_character_changes() -> None:
    small = set_option(CONFIG, ("models", "small", "gguf"), "new one.gguf")
    assert small == CONFIG.replace("old.gguf", "new one.gguf")
    large = set_option(CONFIG, ("models", "large", "gguf"), "a.gguf")
    assert large == CONFIG.replace('"big.gguf"', "a.gguf")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_any_file_name_can_be_set_and_read_back(name: str) -> None:
    for role, old in (("small", "old.gguf"), ("large", '"big.gguf"')):
        changed = set_option(CONFIG, ("models", role, "gguf"), name)
        before, after = CONFIG.split(old)
        assert changed.startswith(before)
        assert changed.endswith(after)
        assert yaml.safe_load(changed)["models"][role]["gguf"] == name


@pytest.mark.parametrize(
    "text", ["a: 1\n", "models: {small: {}}\n", "models:\n  small:\n    gguf:\n", "[]\n", ""]
)
def test_an_option_that_is_not_there_is_an_error_and_the_file_stays(
    text: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"config\.yaml.*models\.small\.gguf"):
        save_option(file, ("models", "small", "gguf"), "new.gguf")
    assert file.read_text(encoding="utf-8") == text


def test_an_option_that_others_share_is_not_changed() -> None:
    shared = "models: {small: {gguf: &one a.gguf}, large: {gguf: *one}}\n"
    with pytest.raises(ConfigError, match="Set it by hand"):
        set_option(shared, ("models", "large", "gguf"), "b.gguf")


def test_the_picker_offers_what_is_there_and_writes_the_choice(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "models").mkdir()
    for name in ("old.gguf", "new.gguf"):
        (tmp_path / "models" / name).write_bytes(b"GGUF")
    picker = choose_models(file)
    bundle = picker._repr_mimebundle_()
    assert WIDGET in bundle
    for said in ("old.gguf", "new.gguf", "models.large.gguf", "big.gguf"):
        assert said in bundle["text/html"]
    picker.save("small", "new.gguf")
    assert load_config(file).models.small.gguf == "new.gguf"
    assert "# a note: with a colon" in file.read_text(encoding="utf-8")


def test_the_table_of_models_names_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    (tmp_path / "models").mkdir()
    assert "No GGUF in" in show_models(file).source
    (tmp_path / "models" / "broken.gguf").write_bytes(b"PK zip")
    assert "not a GGUF file" in show_models(file).source


def test_config_yaml_states_every_option_with_its_default() -> None:
    loaded = load_config(ROOT / "config.yaml")
    raw = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    shipped = raw["models"]["small"]["gguf"]
    raw["models"]["large"] = raw["models"]["small"] | raw["models"]["large"]  # stated once
    assert list(differences(loaded, raw, "")) == [
        f"models.{role}.gguf is {shipped!r}" for role in ("small", "large")
    ]


def differences(loaded: BaseModel, raw: dict[str, Any], place: str) -> Iterator[str]:
    """Yield the options that the file lacks, or gives another value than their default."""
    for name, field in type(loaded).model_fields.items():
        value = getattr(loaded, name)
        parts = value if isinstance(value, tuple) and value else (value,)
        if name not in raw:
            yield f"{place}{name} is missing"
        elif isinstance(parts[0], BaseModel):
            listed = raw[name] if isinstance(raw[name], list) else [raw[name]]
            for part, given in zip(parts, listed, strict=True):
                yield from differences(part, given, f"{place}{name}.")
        elif not field.is_required() and value != field.get_default(call_default_factory=True):
            yield f"{place}{name} is {value!r}"


def test_the_demo_is_small_and_says_which_settings_make_it_so() -> None:
    text = (ROOT / "config.demo.yaml").read_text(encoding="utf-8")
    config: Config = load_config(ROOT / "config.demo.yaml")
    assert config.questions.double_check_counter == 1
    assert config.questions.max_questions <= 2
    assert config.system.use_subset
    assert config.system.subset_size <= 8
    for option in ("subset_size", "max_questions", "double_check_counter"):
        assert re.search(rf"{option}: \d+ # small", text)


def test_show_funnel_says_when_a_stage_was_cut_short() -> None:
    stage = {"complete": False, "limit": 3, "pipelines": {}, "steps": {}, "survivors": {}}
    status: Status = {"questions": stage}
    text = Reading(show_funnel(status, "questions").source).text
    assert "first 3 chunks" in text
    assert "interrupted" in text
