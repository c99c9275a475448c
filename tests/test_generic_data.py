"""Generic datasets: every format, what cannot be read, what is said before, and the hub."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from conftest import OpenRun
from generic import WRITERS, Talk, as_messages, make_talk, write_json, write_jsonl
from hub_stand_in import Hub, serve
from masking import open_masked_run, tell
from pydantic import ValidationError
from test_balance import balance
from test_datasets import ATK, make_config, read_files, read_rows

from generation_functions import command_line, stages
from generation_functions.config import Config
from generation_functions.datasets import generic_files
from generation_functions.datasets.balance import Receipt
from generation_functions.datasets.generic_rows import add_context, read_turns
from generation_functions.datasets.generic_sources import prepare_generic
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import InputError, Rejected
from generation_functions.records import Turn
from generation_functions.status import read_status
from generation_functions.steps.run import Run
from generation_functions.training_sections import GenericDataset

TALKS = [make_talk(words, number) for number, words in enumerate([5, 60, 20])]
FOLDER = "sft_run/generic_sft_completion"


def configure(*paths: Path | str, entry: dict[str, Any] | None = None, **sections: Any) -> Config:
    entries = [{"path": str(path), **(entry or {})} for path in paths]
    saving = {"generic_dataset_paths": entries, "minimum_generic_sft": 10_000,
              "generic_dataset_percentages": [100] * len(paths)}  # fmt: skip
    path = make_config().path.model_dump() | sections.pop("path", {})
    saving |= sections.pop("final_datasaving_settings", {})
    return make_config(path=path, final_datasaving_settings=saving, **{"system": {}, **sections})


def texts_of(run: Path, name: str) -> list[str]:
    return [row["text"] for row in read_rows(run / FOLDER / f"{name}.jsonl")]


def render(talk: Talk) -> str:
    return ATK.render([Turn(turn["from"], turn["value"]) for turn in talk])


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("style", ["conversations", "messages"])
def test_files_of_every_format_give_the_same_rows(tmp_path: Path, suffix: str, style: str) -> None:
    talks = TALKS if style == "conversations" else list(map(as_messages, TALKS))
    file = WRITERS[suffix](tmp_path / f"chat{suffix}", [{style: talk, "id": 1} for talk in talks])
    balance(tmp_path / "run", configure(file))
    assert texts_of(tmp_path / "run", "chat") == list(map(render, TALKS))
    records = read_rows(tmp_path / "run/sft_run/provenance/generic_chat.jsonl")
    assert [(one["dataset"], one["number"]) for one in records] == [
        (file.name, number) for number in range(3)
    ]
    assert "path: generic_sft_completion/chat.jsonl" in (
        tmp_path / "run/sft_run/sft_training_config.yaml"
    ).read_text(encoding="utf-8")


def test_a_json_file_larger_than_a_block_is_read_object_by_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generic_files, "BLOCK", 7)
    rows = [{"messages": [{"role": "user", "content": f'"[{n}], {{'}]} for n in range(30)]
    assert list(generic_files.read_raw(write_json(tmp_path / "a.json", rows))) == rows
    one_after_another = tmp_path / "b.json"
    one_after_another.write_text("\ufeff" + "\n".join(map(json.dumps, rows)), encoding="utf-8")
    assert list(generic_files.read_raw(one_after_another)) == rows


def test_broken_json_names_the_place(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('[{"messages": []}, {"messages": oops}]', encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.json: no JSON from '\{\"messages\": oops"):
        list(generic_files.read_raw(file))


BAD = {
    "no JSON": "{not json",
    "none of the columns": {"text": "A novel."},
    "turns that are no list": {"messages": "Hello."},
    "not an object": {"messages": ["Hello."]},
    "no text": {"messages": [{"role": "user", "content": 3}]},
    "a speaker": {"messages": [{"role": "tool", "content": "3"}]},
    "no turn of an assistant": {"messages": [{"role": "user", "content": "Hi."}]},
    "half a character": {"messages": [{"role": "assistant", "content": "Ho \ud83d"}]},
    "without text": {"conversations": [*make_talk(3), {"from": "gpt", "value": " "}]},
    "not the first": {"conversations": [*make_talk(3), {"from": "system", "value": "Be."}]},
}


@pytest.mark.parametrize("why", list(BAD)[1:])
def test_what_is_no_conversation_is_refused_with_its_reason(why: str) -> None:
    with pytest.raises(Rejected, match=why):
        read_turns(BAD[why])


def test_rows_that_cannot_be_read_are_counted_and_named_and_the_others_taken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = json.dumps({"conversations": TALKS[0]})
    lines = [good, *(one if isinstance(one, str) else json.dumps(one) for one in BAD.values()),
             good.replace("w0x", "v0x"), "{more"]  # fmt: skip
    (tmp_path / "chat.jsonl").write_text("\n\n".join(lines), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        receipt = balance(tmp_path / "run", configure(tmp_path / "chat.jsonl"))
    line = receipt.lines[-1]
    assert line.rows == 2
    found = {one.why: (one.rows, one.first) for one in line.unreadable}
    assert found["no JSON"] == (2, (1, 12))
    assert sum(rows for rows, _ in found.values()) == len(BAD) + 1
    assert "2 rows left out: no JSON" in caplog.text


def test_a_row_that_the_template_refuses_is_left_out(tmp_path: Path) -> None:
    strict = "{% for m in messages %}{% if 'w1x' in m['content'] %}{{ raise_exception('no') }}"
    strict += "{% endif %}{{ m['content'] }}\n{% endfor %}"
    file = write_jsonl(tmp_path / "chat.jsonl", [{"conversations": talk} for talk in TALKS])
    config = configure(file, final_datasaving_settings={"template": strict})
    line = balance(tmp_path / "run", config).lines[-1]
    assert (line.rows, [one.why for one in line.unreadable]) == (2, ["the template refuses it"])


@pytest.mark.parametrize("content", ["", '{"text": "A novel."}\n' * 3])
def test_a_file_without_a_conversation_is_an_error_before_anything_is_written(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "chat.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"chat\.jsonl: no row is a conversation"):
        balance(tmp_path / "run", configure(file))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["gone.jsonl", "notes.txt"])
def test_a_file_that_is_not_there_or_of_another_kind_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("Hello.", encoding="utf-8")
    with pytest.raises(InputError, match=name):
        prepare_generic(configure(tmp_path / name))


SHARED = "Speak of {context_uppercase} and {context_lowercase}."
SHARED_IN_ROWS = "Speak of TIN MINING and tin mining."


@pytest.mark.parametrize(
    ("kind", "own", "expected"),
    [
        ("none", "", [SHARED_IN_ROWS, "Hi."]),
        ("none", "Be {context}.", [SHARED_IN_ROWS + "\nBe {context}.", "Hi."]),
        ("system", "Be {context}.", [SHARED_IN_ROWS + "\nOn Tin Mining.\nBe {context}.", "Hi."]),
        ("human", "", [SHARED_IN_ROWS, "On Tin Mining.\nHi."]),
    ],
)
def test_what_the_config_says_stands_before_what_a_row_says(
    kind: Any, own: str, expected: list[str]
) -> None:
    dataset = GenericDataset(path="a.jsonl", context_to_add="On {context}.",
                             context_to_add_type=kind)  # fmt: skip
    config = make_config(system={"shared_instruction": SHARED})
    system = [Turn("system", own)] if own else []
    turns = [*system, Turn("human", "Hi."), Turn("gpt", "Ho."), Turn("human", "Hi.")]
    said = add_context(turns, dataset, config)
    assert [turn.text for turn in said] == [*expected, "Ho.", "Hi."]


def test_without_anything_to_say_before_there_is_no_system_turn() -> None:
    turns = (Turn("human", "Hi."), Turn("gpt", "Ho."))
    assert add_context(turns, GenericDataset(path="a.jsonl"), make_config(system={})) == turns


def test_only_the_first_rows_are_looked_at_and_the_receipt_says_so(tmp_path: Path) -> None:
    file = write_jsonl(tmp_path / "chat.jsonl", [{"conversations": talk} for talk in TALKS])
    config = configure(file, final_datasaving_settings={"max_samples_per_dataset": 2})
    line = balance(tmp_path / "run", config).lines[-1]
    assert texts_of(tmp_path / "run", "chat") == list(map(render, TALKS[:2]))
    assert "max_samples_per_dataset" in line.why_short


def test_files_of_one_name_have_files_of_their_own(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        write_jsonl(tmp_path / name / "my chat.jsonl", [{"conversations": TALKS[0]}])
    config = configure(tmp_path / "a/my chat.jsonl", tmp_path / "b/my chat.jsonl")
    names = [one.name for one in prepare_generic(config)]
    assert names == ["my_chat", "my_chat_2"]


@pytest.mark.parametrize(
    ("saving", "message"),
    [
        ({"generic_dataset_percentages": []}, "give one percentage for each"),
        ({"generic_dataset_percentages": [-1]}, "greater than or equal to 0"),
        ({"generic_dataset_paths": [{"path": "a.json"}] * 2,
          "generic_dataset_percentages": [1, 1]}, "a.json stands there twice"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(saving: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        configure("a.jsonl", final_datasaving_settings=saving)


def test_a_hub_dataset_without_network_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    config = configure("some/chat", path={"huggingface_cache_dir": str(tmp_path)})
    with pytest.raises(InputError, match=r"some/chat: .*does not answer.*\.jsonl"):
        prepare_generic(config)
    assert list(tmp_path.iterdir()) == []


def test_a_run_says_it_before_any_model_is_asked(
    open_small_run: OpenRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    engine = ScriptedEngine()
    saving = {
        "generic_dataset_paths": [{"path": "some/chat"}],
        "generic_dataset_percentages": [100],
    }
    run = open_small_run(engine, final_datasaving_settings=saving)
    monkeypatch.setattr(command_line, "open_run", lambda file: run)
    assert command_line.main(["run", "config.yaml"]) == 1
    assert "some/chat" in capsys.readouterr().err
    assert engine.requests == []
    assert not (run.folder / "chunks.jsonl").exists()


def test_a_local_path_that_is_wrong_is_told_before_the_hub_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.jsonl: not there"):
        prepare_generic(configure("some/chat", tmp_path / "gone.jsonl"))


def test_a_hub_dataset_without_the_package_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    config = configure("some/chat", path={"huggingface_cache_dir": str(tmp_path)})
    with pytest.raises(InputError, match="pip install datasets"):
        prepare_generic(config)


def test_a_dataset_that_the_hub_does_not_have_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask_the_hub: None
) -> None:
    config = configure("some/chat", path={"huggingface_cache_dir": str(tmp_path)})
    with serve(Hub({})) as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        with pytest.raises(InputError, match="no such dataset"):
            prepare_generic(config)


def test_a_hub_dataset_is_fetched_once_and_read_from_the_cache_after_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []

    def load(path: str, subset: str | None, split: str, streaming: bool) -> list[dict[str, Any]]:
        asked.append((path, subset, split, streaming))
        return [{"conversations": talk, "source": "x"} for talk in [*TALKS, make_talk(9, 9)]]

    monkeypatch.setattr("datasets.load_dataset", load)
    monkeypatch.setattr("generation_functions.datasets.generic_sources._check_hub", lambda one: 0)
    config = configure("some/chat", entry={"subset": "all"},
                       path={"huggingface_cache_dir": str(tmp_path / "cache")},
                       final_datasaving_settings={"max_samples_per_dataset": 3})  # fmt: skip
    receipts: list[Receipt] = [balance(tmp_path / name, config) for name in "ab"]
    assert asked == [("some/chat", "all", "train", True)]
    assert receipts[0] == receipts[1]
    assert texts_of(tmp_path / "b", "some-chat") == list(map(render, TALKS))
    (cached,) = (tmp_path / "cache/generic_sft").iterdir()
    assert cached.name == "some-chat_all_train_3.jsonl"
    assert read_rows(cached) == [{"conversations": talk} for talk in TALKS]
    record = read_rows(tmp_path / "a/sft_run/provenance/generic_some-chat.jsonl")[0]
    assert record["dataset"] == "some/chat"


def test_half_a_character_costs_a_hub_dataset_that_row_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [BAD["half a character"], {"conversations": TALKS[0]}]
    monkeypatch.setattr("datasets.load_dataset", lambda *_, **__: rows)
    monkeypatch.setattr("generation_functions.datasets.generic_sources._check_hub", lambda one: 0)
    config = configure("some/chat", path={"huggingface_cache_dir": str(tmp_path / "cache")})
    line = balance(tmp_path / "run", config).lines[-1]
    assert (line.rows, len(line.unreadable)) == (1, 1)


def test_a_fetch_that_breaks_off_leaves_nothing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object, **__: object) -> Any:
        yield {"conversations": TALKS[0]}
        raise ConnectionError("gone")

    monkeypatch.setattr("datasets.load_dataset", load)
    monkeypatch.setattr("generation_functions.datasets.generic_sources._check_hub", lambda one: 0)
    config = configure("some/chat", path={"huggingface_cache_dir": str(tmp_path / "cache")})
    with pytest.raises(InputError, match="some/chat: could not be fetched: gone"):
        prepare_generic(config)
    assert list((tmp_path / "cache/generic_sft").iterdir()) == []


def test_a_stage_finds_files_beside_the_config_and_mixes_them(
    tmp_path: Path, prompts_once: None
) -> None:
    write_jsonl(tmp_path / "chat.jsonl", [{"conversations": talk} for talk in TALKS])
    run, _ = open_generic_run(tmp_path, "chat.jsonl")
    asyncio.run(stages.write_corrections(run))
    asyncio.run(stages.mix(run))
    assert len(texts_of(run.folder, "chat")) == 3
    assert read_status(run.folder)["mix"]["complete"]


def test_a_stage_without_network_does_nothing_at_all(
    tmp_path: Path, prompts_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    run, _ = open_generic_run(tmp_path, "some/chat")
    before = read_files(run.folder)
    with pytest.raises(InputError, match="some/chat"):
        asyncio.run(stages.mix(run))
    assert read_files(run.folder) == before


def open_generic_run(folder: Path, path: str) -> tuple[Run, ScriptedEngine]:
    saving = {"generic_dataset_paths": [{"path": path}], "generic_dataset_percentages": [100],
              "minimum_generic_sft": 10_000}  # fmt: skip
    return open_masked_run(
        folder,
        {"north": {"Bridge": tell(0)}},
        path={"huggingface_cache_dir": "cache"},
        correction_pipeline={"enabled": True},
        final_datasaving_settings=saving,
    )
