"""What stands beside the rows in a training folder: README.md, files for other trainers."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment
from test_datasets import count_words, make_config, make_material, read_files, read_rows

from generation_functions.datasets import train_trl
from generation_functions.datasets.masked_rows import MaskedFormat
from generation_functions.datasets.masks import tokenize
from generation_functions.datasets.mix import write_datasets
from generation_functions.datasets.other_trainers import other_files
from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.segments import Segment, mask_turn, segment_row
from generation_functions.datasets.templates import TEMPLATES, ChatTemplate
from generation_functions.display.training import show_rows

FOLDERS = ("pretraining_run", "sft_run")
SEGMENTS = (Segment(False, "<Shown."), Segment(True, "Learnt.>"))


class Letters:
    """A tokenizer whose tokens are characters, called as one of transformers; < and > are ends."""

    bos, eos, eos_token_id = "<", ">", ord(">")
    chat_template = ""

    def __call__(self, text: str, add_special_tokens: bool = True, **_: Any) -> dict[str, Any]:
        text = f"<{text}" if add_special_tokens else text
        places = [(number, number + 1) for number in range(len(text))]
        return {"input_ids": self.encode(text), "offset_mapping": places}

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def decode(self, ids: list[int]) -> str:
        return "".join(map(chr, ids))

    def apply_chat_template(
        self, messages: list[Any], tokenize: bool, add_generation_prompt: bool = False
    ) -> str:
        template = ImmutableSandboxedEnvironment().from_string(self.chat_template)
        return template.render(messages=messages, add_generation_prompt=add_generation_prompt)


def learnt(ids: list[int], labels: list[int]) -> str:
    """Return the text of the learnt tokens; a stroke stands for those between."""
    assert all(label in (one, train_trl.IGNORED) for one, label in zip(ids, labels, strict=True))
    said = "".join("|" if label < 0 else chr(label) for label in labels)
    while "||" in said:
        said = said.replace("||", "|")
    return said


def load_script(folder: Path) -> Any:
    """Import the script out of a training folder, where a trainer finds it."""
    spec = importlib.util.spec_from_file_location("copied", folder / "train_trl.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(folder: Path, template: str = "atk", **training: Any) -> Path:
    settings = {"template": template}
    config = make_config(model_training=training, final_datasaving_settings=settings)
    write_datasets(folder, make_material(), config, count_words)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folders that tests only read."""
    return write(tmp_path_factory.mktemp("made"))


@pytest.mark.parametrize("name", FOLDERS)
def test_the_readme_says_how_to_start_and_how_much_it_is(made: Path, name: str) -> None:
    manifest = json.loads((made / name / "MANIFEST.json").read_text(encoding="utf-8"))
    readme = (made / name / "README.md").read_text(encoding="utf-8")
    assert f"\n   {manifest['launch']}\n" in readme
    assert "merge-lora" not in readme
    assert f"| rows | {manifest['rows']} |" in readme
    assert f"about {manifest['optimizer_steps']}" in readme
    assert manifest["advice"] in readme
    assert "variation_generation_counts" in readme or "number_of_factual_sft" in readme
    for entry in manifest["files"]:
        assert (f"`{entry['name']}` | texts" in readme) == entry["in_config"]


def test_an_adapter_is_merged_in_both_folders_before_it_is_used(tmp_path: Path) -> None:
    run = write(tmp_path, adapter="lora", gpus=2)
    for name, base in zip(
        FOLDERS, ("alpindale/Mistral", "../pretrained_model/merged"), strict=True
    ):
        readme = (run / name / "README.md").read_text(encoding="utf-8")
        config = json.loads((run / name / "MANIFEST.json").read_text(encoding="utf-8"))
        assert f"\n   {config['merge']}\n" in readme
        assert f"It starts from `{base}" in readme
        assert "--num_processes 2" in readme


def test_rows_longer_than_the_context_are_counted_where_it_is_set(tmp_path: Path) -> None:
    run = write(tmp_path, sequence_len=128, other_finetune_kwargs={"sequence_len": 20})
    for name, context in zip(FOLDERS, (128, 20), strict=True):
        manifest = json.loads((run / name / "MANIFEST.json").read_text(encoding="utf-8"))
        listed = [entry["name"] for entry in manifest["files"] if entry["in_config"]]
        lengths = [
            count_words(row["text"]) for one in listed for row in read_rows(run / name / one)
        ]
        longer = sum(length > context for length in lengths)
        assert (manifest["sequence_len"], manifest["longer"]) == (context, longer)
        assert (longer > 0) == (context == 20)
        assert max(entry["longest"] or 0 for entry in manifest["files"]) == max(lengths)


@pytest.mark.parametrize(
    ("training", "stage", "column"),
    [
        ({}, "pt", {"prompt": "text"}),
        (
            {"template": "chatml", "sft_format": "chat_template", "adapter": "qlora"},
            "sft",
            {"messages": "conversations"},
        ),
    ],
)
def test_llamafactory_gets_what_the_config_lists(
    tmp_path: Path, training: dict[str, Any], stage: str, column: dict[str, str]
) -> None:
    run = write(tmp_path, **training)
    folder = run / "sft_run"
    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    settings = yaml.safe_load((folder / "llamafactory.yaml").read_text(encoding="utf-8"))
    listed = yaml.safe_load((folder / "sft_training_config.yaml").read_text(encoding="utf-8"))
    assert settings["stage"] == stage
    names = settings["dataset"].split(",")
    assert [info[name]["file_name"] for name in names] == [
        entry["path"] for entry in listed["datasets"]
    ]
    assert all(info[name]["columns"] == column for name in names)
    assert all((folder / one["file_name"]).is_file() for one in info.values())
    assert settings["gradient_accumulation_steps"] == listed["gradient_accumulation_steps"]
    assert settings["finetuning_type"] == ("lora" if "adapter" in training else "full")
    assert settings.get("quantization_bit") == (4 if "adapter" in training else None)


def test_llamafactory_gets_nothing_where_all_rows_are_segments() -> None:
    segments = FileEntry("rag.jsonl", 3, 90, "", in_config=True, segments=True)
    read = FileEntry("read_me.txt", 3, 90, "", in_config=False)
    assert set(other_files([segments, read], ())) == {"train_trl.py"}


def test_chats_are_what_the_config_lists_when_asked_for(tmp_path: Path) -> None:
    run = write(tmp_path, template="chatml", sft_format="chat_template")
    config = yaml.safe_load((run / "sft_run/sft_training_config.yaml").read_text(encoding="utf-8"))
    assert [one["path"] for one in config["datasets"]] == [
        "combined_factual_data/multiturn_convs.jsonl",
        "combined_factual_data/qatuples.jsonl",
    ]
    assert {one["type"] for one in config["datasets"]} == {"chat_template"}
    pretraining = (run / "pretraining_run/axolotl_pretraining_config.yaml").read_text("utf-8")
    assert {one["type"] for one in yaml.safe_load(pretraining)["datasets"]} == {"completion"}


def test_trl_learns_of_segments_what_the_masks_mean() -> None:
    tokenizer = Letters()
    ids, labels = train_trl.label_row(segment_row(SEGMENTS), "input_output", tokenizer)
    ours = tokenize(SEGMENTS, tokenizer).tokens
    assert ids == [token.id for token in ours]
    assert [label >= 0 for label in labels] == [token.trained for token in ours]
    assert learnt(ids, labels) == "|Learnt.>"


def test_trl_learns_completions_whole_between_bos_and_eos() -> None:
    ids, labels = train_trl.label_row({"text": "Human: Why?"}, "completion", Letters())
    assert learnt(ids, labels) == "<Human: Why?>"
    again, _ = train_trl.label_row({"text": "Why?>"}, "completion", Letters())
    assert Letters().decode(again) == "<Why?>"


def test_trl_learns_of_chats_the_answers_and_their_ends() -> None:
    tokenizer = Letters()
    tokenizer.chat_template = TEMPLATES["chatml"]
    turns = [("system", "Be exact."), ("human", "Why?"), ("gpt", "So."), ("human", "And?"),
             ("gpt", "Nothing.")]  # fmt: skip
    row = {"conversations": [{"from": one, "value": text} for one, text in turns]}
    ids, labels = train_trl.label_row(row, "chat_template", tokenizer)
    assert learnt(ids, labels) == "|So.<|im_end|>|Nothing.<|im_end|>|"
    form = MaskedFormat(ChatTemplate(TEMPLATES["chatml"]), "", "")
    rendered = form.segments([mask_turn(one, text, one == "gpt") for one, text in turns])
    assert tokenizer.decode(ids).strip() == "".join(one.text for one in rendered)


def test_the_copied_script_reads_all_that_its_config_lists(made: Path) -> None:
    for name in FOLDERS:
        script = load_script(made / name)
        (file,) = (made / name).glob("*_config.yaml")
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        texts = [
            row["text"]
            for one in config["datasets"]
            for row in read_rows(made / name / one["path"])
        ]
        examples = list(script.make_examples(config, Letters()))
        assert [Letters().decode(one["input_ids"]) for one in examples] == [
            f"<{text}>" for text in texts
        ]
        arguments = script.make_arguments(config)
        assert arguments["per_device_train_batch_size"] == 2
        assert arguments["max_length"] == 5000


def test_long_completions_are_split_and_long_segments_left_out(tmp_path: Path) -> None:
    script = load_script(write(tmp_path) / "sft_run")
    folder = tmp_path / "sft_run"
    (folder / "long.jsonl").write_text(json.dumps({"text": "abcdefgh"}) + "\n", encoding="utf-8")
    rows = [segment_row(SEGMENTS), segment_row((Segment(True, "All."),))]
    (folder / "parts.json").write_text(json.dumps(rows), encoding="utf-8")
    listed = [
        {"path": "long.jsonl", "type": "completion"},
        {"path": "parts.json", "type": "input_output"},
    ]
    examples = script.make_examples({"sequence_len": 5, "datasets": listed}, Letters())
    said = [Letters().decode(one["input_ids"]) for one in examples]
    assert said == ["<abcd", "efgh>", "All."]


def test_the_same_rows_give_the_same_bytes_beside_them(made: Path, tmp_path: Path) -> None:
    again = write(tmp_path)
    assert read_files(again) == read_files(made)


def test_chats_are_shown_as_rendered_with_their_answers_in_colour(tmp_path: Path) -> None:
    run = write(tmp_path, template="chatml", sft_format="chat_template")
    shown = show_rows(run, most=1).source
    assert "&lt;|im_start|&gt;user" in shown
    coloured = re.findall(r'<span style="background[^>]*>(.*?)</span>', shown, re.DOTALL)
    assert coloured
    assert all(one.strip().endswith("&lt;|im_end|&gt;") for one in coloured)
    assert not any("How deep" in one for one in coloured)
