"""Rows, files, manifests and the swap of the two training folders."""

import errno
import hashlib
import json
import os
import shutil
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from generation_functions.config import Config
from generation_functions.datasets import rows
from generation_functions.datasets.made_rows import MadeRow
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.datasets.pretraining import name_directories
from generation_functions.datasets.templates import TEMPLATES, ChatTemplate
from generation_functions.errors import RunFolderError
from generation_functions.records import Chunk, Conversation, QAPair, Turn, make_uuid

ATK = ChatTemplate(TEMPLATES["atk"])
SETTINGS: dict[str, Any] = {
    "path": {
        "input_dirs": [
            {"path": "texts/mines", "final_system_prompt_additional_context": "On {context}."},
            {"path": "texts/letters"},
        ],
        "output_dir": "outputs/test",
    },
    "models": {"small": {"gguf": "small.gguf"}, "large": {"gguf": "large.gguf"}},
    "dataset_context": "Tin Mining",
    "system": {"seed": 3, "shared_instruction": "Be exact about {context_lowercase}."},
    "factual_sft_settings": {
        "final_assistant_prompts_no_rag": ["Explain {context_uppercase}.", "Answer {briefly}."]
    },
}


def make_config(**sections: Any) -> Config:
    return Config.model_validate(SETTINGS | sections)


def make_chunk(directory: str, number: int) -> Chunk:
    document = make_uuid(directory, "a text")
    text = f"Shaft {number} is {number} fathoms deep – “dry”.\nSunk in 18{number:02}.\n\n"
    start = number * 100
    return Chunk(
        make_uuid(document, text), document, directory, "A text", text, start, start + 90, 20
    )


def make_pair(chunk: Chunk) -> QAPair:
    question, answer = "How deep is {context} shaft?", f"See: {chunk.start} fathoms."
    return QAPair(make_uuid(chunk.uuid, question), question, answer, (1,), "quote", chunk)


def make_conversation(pair: QAPair) -> Conversation:
    turns = (Turn("human", pair.question), Turn("gpt", pair.answer), Turn("human", "And now?"))
    turns += (Turn("gpt", "Now as then.\n"),)
    return Conversation(make_uuid(pair.uuid, "talk"), turns, (pair,), pair.chunk)


def make_material(chunks: int = 4) -> Material:
    made = [make_chunk("texts/mines", number) for number in range(chunks - 1)]
    made.append(make_chunk("texts/letters", 7))
    pairs = [make_pair(chunk) for chunk in made]
    return Material(made, pairs, [make_conversation(pair) for pair in pairs[:2]])


def count_words(text: str) -> int:
    return len(text.split())


def read_rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def read_files(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_atk_text_has_the_exact_shape() -> None:
    turns = [Turn("system", "Be kind.\n"), Turn("human", " Why?"), Turn("gpt", "A\n\nB")]
    assert ATK.render(turns) == (
        "Instruction: Be kind. **Finished.**\nHuman: Why? **Finished.**\nAI: A\n\nB **Finished.**"
    )


def test_template_syntax_in_a_turn_stays_text() -> None:
    turns = [Turn("human", "{{ 7 * 7 }} {% raw %}"), Turn("gpt", "<b>&amp;</b>")]
    assert ATK.render(turns) == (
        "Human: {{ 7 * 7 }} {% raw %} **Finished.**\nAI: <b>&amp;</b> **Finished.**"
    )


def test_system_prompt_has_its_three_parts_filled_in() -> None:
    config = make_config(
        factual_sft_settings={"final_assistant_prompts_no_rag": ["{context_uppercase}, {x}!"]}
    )
    made = rows.write_system_prompt(config, "texts/mines/", "some-uuid")
    assert made == "Be exact about tin mining.\nOn Tin Mining.\nTIN MINING, {x}!"


def test_absent_parts_of_the_system_prompt_leave_no_line() -> None:
    made = rows.write_system_prompt(make_config(system={}), "texts/letters", "some-uuid")
    assert made in {"Explain TIN MINING.", "Answer {briefly}."}


def test_no_system_turn_without_a_system_prompt() -> None:
    config = make_config(
        system={}, factual_sft_settings={"final_assistant_prompts_no_rag": ["", " "]}
    )
    pair = make_pair(make_chunk("texts/letters", 1))
    assert [turn.speaker for turn in rows.pair_turns(pair, config)] == ["human", "gpt"]


def test_a_context_with_braces_is_not_filled_twice() -> None:
    assert rows.fill_context("{context}!", "{context_uppercase}") == "{context_uppercase}!"


def test_assistant_prompts_are_spread_and_depend_on_the_seed() -> None:
    uuids = [make_uuid("parent", str(number)) for number in range(300)]
    first = [rows.choose("abc", 0, uuid) for uuid in uuids]
    assert first == [rows.choose("abc", 0, uuid) for uuid in uuids]
    assert first != [rows.choose("abc", 1, uuid) for uuid in uuids]
    assert all(70 <= first.count(option) <= 130 for option in "abc")


def test_directories_of_one_name_get_distinct_stable_file_names() -> None:
    names = name_directories(["a/docs", "b/Docs", "c/old texts (1)", "."])
    assert len({name.casefold() for name in names.values()}) == 4
    assert names["c/old texts (1)"] == "old_texts_1_"
    assert names["a/docs"].startswith("docs_")
    assert name_directories(["b/Docs", "a/docs"]) == {
        path: names[path] for path in ("b/Docs", "a/docs")
    }


def test_written_files_hold_the_material(tmp_path: Path) -> None:
    material = make_material()
    write_datasets(tmp_path, material, make_config(), count_words)
    assert set(read_files(tmp_path)) == {
        "pretraining_run/MANIFEST.json",
        "pretraining_run/README.md",
        "pretraining_run/axolotl_pretraining_config.yaml",
        "pretraining_run/dataset_info.json",
        "pretraining_run/llamafactory.yaml",
        "pretraining_run/provenance/text_chunks_letters.jsonl",
        "pretraining_run/provenance/text_chunks_mines.jsonl",
        "pretraining_run/text_chunks_letters.jsonl",
        "pretraining_run/text_chunks_mines.jsonl",
        "pretraining_run/train_trl.py",
        "sft_run/MANIFEST.json",
        "sft_run/README.md",
        "sft_run/combined_factual_data/multiturn_convs.jsonl",
        "sft_run/combined_factual_data/qatuples.jsonl",
        "sft_run/dataset_info.json",
        "sft_run/factual_sft_completion/multiturn_convs.jsonl",
        "sft_run/factual_sft_completion/qatuples.jsonl",
        "sft_run/llamafactory.yaml",
        "sft_run/plain_qa_list.jsonl",
        "sft_run/provenance/multiturn_convs.jsonl",
        "sft_run/provenance/qatuples.jsonl",
        "sft_run/sft_training_config.yaml",
        "sft_run/train_trl.py",
    }
    texts = read_rows(tmp_path / "pretraining_run/text_chunks_mines.jsonl")
    assert texts == [{"text": chunk.text.strip()} for chunk in material.chunks[:3]]

    talks = read_rows(tmp_path / "sft_run/combined_factual_data/multiturn_convs.jsonl")
    system, *turns = talks[0]["conversations"]
    assert system["from"] == "system"
    assert system["value"].startswith("Be exact about tin mining.\nOn Tin Mining.\n")
    assert [(turn["from"], turn["value"]) for turn in turns] == [
        ("human", "How deep is {context} shaft?"),
        ("gpt", "See: 0 fathoms."),
        ("human", "And now?"),
        ("gpt", "Now as then."),
    ]
    for name in ("multiturn_convs.jsonl", "qatuples.jsonl"):
        sharegpt = read_rows(tmp_path / "sft_run/combined_factual_data" / name)
        completion = read_rows(tmp_path / "sft_run/factual_sft_completion" / name)
        assert [row["text"] for row in completion] == [
            ATK.render([Turn(t["from"], t["value"]) for t in row["conversations"]])
            for row in sharegpt
        ]


def columns(name: str) -> list[str]:
    if name.startswith("provenance/"):
        pairs = [] if "text_chunks" in name else ["pairs"]
        scene = ["scene"] if "multiturn_convs" in name else []
        return ["row", "sha256", "tokens", "uuid", "chunk", *pairs, *scene]
    if name == "plain_qa_list.jsonl":
        return ["question", "answer"]
    return ["conversations"] if name.startswith("combined_factual_data/") else ["text"]


def test_every_jsonl_loads_with_the_datasets_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    from datasets import load_dataset

    run = tmp_path / "run"
    manifest = write_datasets(run, make_material(), make_config(), count_words)
    loaded = 0
    for folder, entries in (
        ("pretraining_run", manifest.pretraining.files),
        ("sft_run", manifest.sft.files),
    ):
        for entry in entries:
            if entry.name.endswith(".jsonl"):
                file = str(run / folder / entry.name)
                data = load_dataset(
                    "json", data_files=file, split="train", cache_dir=str(tmp_path / "cache")
                )
                assert data.num_rows == entry.rows
                assert data.column_names == columns(entry.name)
                assert data[0] == read_rows(Path(file))[0]
                loaded += 1
    assert loaded == 11


def test_manifest_tells_the_truth_about_every_file(tmp_path: Path) -> None:
    manifest = write_datasets(tmp_path, make_material(), make_config(), count_words)
    for name, part in (("pretraining_run", manifest.pretraining), ("sft_run", manifest.sft)):
        folder = tmp_path / name
        stored = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
        told = json.loads(json.dumps(asdict(part)))
        assert stored == told | {
            "files": [
                {key: value for key, value in entry.items() if key != "lengths"}
                for entry in told["files"]
            ]
        }
        assert {entry.name for entry in part.files} | {"MANIFEST.json"} == set(read_files(folder))
        for entry in part.files:
            data = (folder / entry.name).read_bytes()
            assert entry.sha256 == hashlib.sha256(data).hexdigest()
            if entry.name.endswith(".jsonl"):
                assert entry.rows == data.count(b"\n")
            if entry.in_config:
                texts = [row["text"] for row in read_rows(folder / entry.name)]
                lengths = [count_words(text) for text in texts]
                assert (entry.tokens, entry.longest) == (sum(lengths), max(lengths))
                beside = read_rows(folder / str(entry.provenance))
                assert [one["tokens"][entry.name] for one in beside] == lengths
        used = [entry for entry in part.files if entry.in_config]
        assert part.rows == sum(entry.rows or 0 for entry in used)
        assert part.tokens == sum(entry.tokens or 0 for entry in used) > 0
        assert part.token_counter == "small.gguf"
        assert (folder / part.launch.split()[-1]).is_file()


def test_same_material_in_another_order_gives_the_same_bytes(tmp_path: Path) -> None:
    material = make_material()
    backwards = Material(
        material.chunks[::-1], material.pairs[::-1], tuple(material.conversations[::-1])
    )
    write_datasets(tmp_path / "a", material, make_config(), count_words)
    write_datasets(tmp_path / "b", backwards, make_config(), count_words)
    assert read_files(tmp_path / "a") == read_files(tmp_path / "b")
    write_datasets(tmp_path / "a", material, make_config(), count_words)
    assert read_files(tmp_path / "a") == read_files(tmp_path / "b")


class Watched(QAPair):
    """A pair of which one can see whether it is still held."""


class Stored:
    """Pairs as they come from the disk, made when they are asked for; counts those held at once."""

    def __init__(self, pairs: Sequence[QAPair]) -> None:
        self.pairs = pairs
        self.alive: list[weakref.ref[QAPair]] = []
        self.most = 0

    def __len__(self) -> int:
        return len(self.pairs)

    def __iter__(self) -> Iterator[QAPair]:
        return map(self.__getitem__, range(len(self.pairs)))

    def __getitem__(self, place: int) -> QAPair:
        pair = self.pairs[place]
        made = Watched(*(getattr(pair, one.name) for one in fields(QAPair)))
        self.alive = [one for one in (*self.alive, weakref.ref(made)) if one() is not None]
        self.most = max(self.most, len(self.alive))
        return made


def test_what_lies_on_disk_is_not_held(tmp_path: Path) -> None:
    material = make_material(40)
    stored = Stored(material.pairs[::-1])
    write_datasets(tmp_path / "a", replace(material, pairs=stored), make_config(), count_words)
    assert stored.most < 4
    write_datasets(tmp_path / "b", material, make_config(), count_words)
    assert read_files(tmp_path / "a") == read_files(tmp_path / "b")


def test_what_breaks_the_build_leaves_nothing_of_it(tmp_path: Path) -> None:
    class Broken(Stored):
        def __getitem__(self, place: int) -> QAPair:
            raise RunFolderError("an edit that does not fit")

    material = make_material()
    broken = replace(material, pairs=Broken(material.pairs))
    with pytest.raises(RunFolderError, match="does not fit"):
        write_datasets(tmp_path, broken, make_config(), count_words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("material", "message"),
    [
        (replace(make_material(), chunks=[]), "stage `questions`"),
        (replace(make_material(), pairs=[], conversations=[]), "stages `questions` and `conv"),
    ],
)
def test_nothing_to_train_on_is_an_error_and_changes_nothing(
    tmp_path: Path, material: Material, message: str
) -> None:
    with pytest.raises(RunFolderError, match=message):
        write_datasets(tmp_path, material, make_config(), count_words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("missing", "left", "plain"),
    [
        ("conversations", "qatuples.jsonl", {"plain_qa_list.jsonl"}),
        ("pairs", "multiturn_convs.jsonl", set()),
    ],
)
def test_a_missing_kind_is_left_out_of_folder_and_config(
    tmp_path: Path, missing: str, left: str, plain: set[str]
) -> None:
    write_datasets(tmp_path, make_material(), make_config(), count_words)
    write_datasets(tmp_path, replace(make_material(), **{missing: []}), make_config(), count_words)
    folder = tmp_path / "sft_run"
    assert {path.name for path in folder.rglob("*.jsonl")} == {left} | plain
    config = yaml.safe_load((folder / "sft_training_config.yaml").read_text(encoding="utf-8"))
    assert [one["path"] for one in config["datasets"]] == [f"factual_sft_completion/{left}"]


def test_rows_of_a_pipeline_of_ones_own_are_a_file_beside_the_others(tmp_path: Path) -> None:
    turns = (Turn("human", "What is a kibble?"), Turn("gpt", "A bucket."))
    made = {"cards": [MadeRow(turns, {"uuid": "1", "chunk": "a chunk"})], "nothing": []}
    write_datasets(tmp_path, replace(make_material(), made=made), make_config(), count_words)
    folder = tmp_path / "sft_run"
    assert read_rows(folder / "combined_factual_data" / "cards.jsonl") == [rows.sharegpt_row(turns)]
    assert read_rows(folder / "provenance" / "cards.jsonl")[0]["chunk"] == "a chunk"
    assert "completion/cards.jsonl" in (folder / "sft_training_config.yaml").read_text("utf-8")
    assert not list(folder.rglob("nothing.jsonl"))
    assert "Rows of cards passed" in (folder / "MANIFEST.json").read_text("utf-8")


def test_an_unlisted_directory_is_an_error(tmp_path: Path) -> None:
    material = make_material()
    stray = make_pair(make_chunk("texts/elsewhere", 1))
    with pytest.raises(RunFolderError, match="texts/elsewhere"):
        write_datasets(
            tmp_path, replace(material, pairs=[*material.pairs, stray]), make_config(), count_words
        )


def test_a_file_that_someone_put_into_a_folder_is_not_thrown_away(tmp_path: Path) -> None:
    write_datasets(tmp_path, make_material(), make_config(), count_words)
    before = read_files(tmp_path / "pretraining_run")
    model = tmp_path / "sft_run/checkpoint-7/model.safetensors"
    model.parent.mkdir()
    model.write_bytes(b"weights")
    with pytest.raises(RunFolderError, match=r"checkpoint-7.*Move the file"):
        write_datasets(tmp_path, make_material(6), make_config(), count_words)
    assert model.read_bytes() == b"weights"
    assert read_files(tmp_path / "pretraining_run") == before
    shutil.rmtree(model.parent)
    (tmp_path / "sft_run/.ipynb_checkpoints").mkdir()
    (tmp_path / "sft_run/.ipynb_checkpoints/x.yaml").write_text("", encoding="utf-8")
    write_datasets(tmp_path, make_material(6), make_config(), count_words)
    assert read_files(tmp_path / "pretraining_run") != before


def test_a_full_disk_is_a_clear_error_and_keeps_the_old_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_datasets(tmp_path, make_material(), make_config(), count_words)
    before = read_files(tmp_path)

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(RunFolderError, match="No space left"):
        write_datasets(tmp_path, make_material(6), make_config(), count_words)
    assert read_files(tmp_path) == before


class Died(BaseException):
    """Stands for SIGKILL: no handler of the program catches it."""


def die_at(moment: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """Die at the nth count, rename, sync or removal; return the token counter that dies."""
    ticks = 0

    def tick() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == moment:
            raise Died

    def wrap(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            tick()
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)

    wrap(Path, "rename")
    wrap(os, "fsync")
    wrap(shutil, "rmtree")

    def count(text: str) -> int:
        tick()
        return count_words(text)

    return count


def test_death_at_any_moment_leaves_the_old_or_the_new_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, old, new = make_config(), make_material(3), make_material(5)
    write_datasets(tmp_path / "old", old, config, count_words)
    write_datasets(tmp_path / "new", new, config, count_words)
    for name in ("pretraining_run", "sft_run"):
        assert read_files(tmp_path / "old" / name) != read_files(tmp_path / "new" / name)
    run = tmp_path / "run"
    deaths = 0
    for moment in range(1, 200):
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(tmp_path / "old", run)
        with monkeypatch.context() as patch:
            count = die_at(moment, patch)
            try:
                write_datasets(run, new, config, count)
            except Died:
                deaths += 1
            else:
                break
        for name in ("pretraining_run", "sft_run"):
            kept = run / name if (run / name).exists() else run / f".{name}.old"
            versions = [read_files(tmp_path / which / name) for which in ("old", "new")]
            assert read_files(kept) in versions
        with pytest.raises(RunFolderError):
            write_datasets(run, replace(new, chunks=[]), config, count_words)
        assert {path.name for path in run.iterdir()} == {"pretraining_run", "sft_run"}
        write_datasets(run, new, config, count_words)
        assert read_files(run) == read_files(tmp_path / "new")
    assert deaths > 20
    assert read_files(run) == read_files(tmp_path / "new")
