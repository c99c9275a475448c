"""Recalls as rows of the mix: thoughts, rows of several turns, directories, files by generation."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ways import ARNO, BRENT, REPLIES, REQUEST

from generation_functions.config import Config
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.datasets.packing import pack_recalls
from generation_functions.datasets.rows import recall_turns
from generation_functions.errors import RunFolderError
from generation_functions.pipeline_sections import FactualSftSettings
from generation_functions.pipelines.ways import BUILT_IN
from generation_functions.records import Recall, make_uuid

OPENENDED = BUILT_IN["openended"].write.parse(REQUEST, REPLIES["openended"])
NEGATIVE = BUILT_IN["negative"].write.parse(REQUEST, REPLIES["negative"])


def make_recall(number: int, directory: str = "north", turns: int = 1, **changes: Any) -> Recall:
    chunk = replace(ARNO, directory=directory)
    exchanges = (replace(OPENENDED, question=f"How was bridge {number} built?"), NEGATIVE)
    uuid = make_uuid(directory, "recall", str(number), str(changes))
    made = Recall(uuid, "openended", 0, exchanges[:turns], (chunk, BRENT))
    return replace(made, **changes)


def make_config(**sections: Any) -> Config:
    small = {"gguf": "small.gguf"}
    dirs = [
        {"path": "north", "final_system_prompt_additional_context": "Of the north."},
        {"path": "south", "final_system_prompt_additional_context": "Of the south."},
    ]
    settings = {"final_assistant_prompts_no_rag": ["Help."], **sections.pop("settings", {})}
    return Config.model_validate(
        {
            "path": {"input_dirs": dirs, "output_dir": "run"},
            "models": {"small": small, "large": small},
            "dataset_context": "Bridges",
            "factual_sft_settings": settings,
            **sections,
        }
    )


def pack(recalls: list[Recall], items: int = 1, most: int = 1, seed: int = 0) -> list[list[int]]:
    settings = FactualSftSettings(items_per_conversation=items, combine_sharegpt_target_pairs=most)
    rows = pack_recalls(recalls, settings, seed)
    packed = [tuple(recalls[place] for place in row) for row in rows]
    assert Counter(one.uuid for row in packed for one in row) == Counter(r.uuid for r in recalls)
    assert all(len({one.chunk.directory for one in row}) == 1 for row in packed)
    return [[len(one.exchanges) for one in row] for row in packed]


def read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def write(folder: Path, recalls: list[Recall], **sections: Any) -> Path:
    material = Material([ARNO], [], [], recalls=recalls)
    write_datasets(folder, material, make_config(**sections), lambda text: len(text.split()))
    return folder / "sft_run"


def test_an_answer_recalls_by_source_and_then_answers() -> None:
    system, human, gpt = recall_turns([make_recall(1)], make_config())
    assert system.text == "Of the north.\nHelp."
    assert human.text == "How was bridge 1 built?"
    thought, answer = gpt.text.split("\n\nAnswer:\n")
    assert answer == OPENENDED.answer
    assert thought.splitlines() == [
        "Thought Process:",
        f"From On Bridges, by A. Mason: {OPENENDED.recalled[0].told}",
        f"From Locks and Weirs: {OPENENDED.recalled[1].told}",
    ]


def test_rows_may_only_answer_and_name_no_source_without_file_names() -> None:
    silent = make_config(settings={"think_aloud": False})
    assert recall_turns([make_recall(1)], silent)[-1].text == OPENENDED.answer
    nameless = make_config(system={"use_filenames": False})
    assert "A. Mason" not in recall_turns([make_recall(1)], nameless)[-1].text


def test_alone_each_recall_is_a_row() -> None:
    assert pack([make_recall(1), make_recall(2, turns=2), make_recall(3)]) != []
    assert sorted(pack([make_recall(1), make_recall(2, turns=2)])) == [[1], [2]]


def test_questions_of_one_turn_stand_together_those_of_several_alone() -> None:
    many = [make_recall(number, turns=1 + (number == 7)) for number in range(8)]
    assert sorted(pack(many, items=3)) == [[1], [1, 1, 1], [1, 1, 1], [2]]


def test_rows_are_filled_up_to_a_drawn_number_and_never_mix_directories() -> None:
    many = [make_recall(n, ("north", "south")[n % 2], 1 + n % 3 // 2) for n in range(80)]
    rows = pack(many, most=4)
    sizes = Counter(map(sum, rows))
    assert set(sizes) == {1, 2, 3, 4, 5}  # the last conversation may overshoot
    assert pack(many, most=4) == rows
    assert sorted(pack(many[::-1], most=4)) == sorted(rows)
    assert pack(many, most=4, seed=1) != rows


def test_each_generation_has_a_file_with_its_provenance(tmp_path: Path) -> None:
    recalls = [make_recall(n, ("north", "south")[n % 2], generation=n // 4) for n in range(8)]
    sft = write(tmp_path, recalls)
    names = ["combined_all_0.jsonl", "combined_all_1.jsonl"]
    assert sorted(one.name for one in (sft / "combined_factual_data").iterdir()) == names
    listed = (sft / "sft_training_config.yaml").read_text(encoding="utf-8")
    for generation, name in enumerate(names):
        rows, told = (read_lines(sft / part / name) for part in ("combined_factual_data",
                                                                 "provenance"))  # fmt: skip
        assert len(rows) == len(told)
        assert f"factual_sft_completion/{name}" in listed
        assert sum(len(one["recalls"]) for one in told) == 4
        for row, origin in zip(rows, told, strict=True):
            (directory,) = {one["sources"][0]["directory"] for one in origin["recalls"]}
            assert row["conversations"][0]["value"] == f"Of the {directory}.\nHelp."
            assert {one["generation"] for one in origin["recalls"]} == {generation}
            assert len(row["conversations"]) == 1 + 2 * len(origin["recalls"])


def test_the_same_recalls_in_any_order_give_the_same_files(tmp_path: Path) -> None:
    recalls = [make_recall(n, ("north", "south")[n % 2]) for n in range(9)]
    one = write(tmp_path / "one", recalls) / "MANIFEST.json"
    other = write(tmp_path / "other", recalls[::-1]) / "MANIFEST.json"
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("count", [0, 2])
def test_recalls_alone_are_enough_to_train_on(tmp_path: Path, count: int) -> None:
    recalls = [make_recall(number) for number in range(count)]
    if count:
        assert (write(tmp_path, recalls) / "factual_sft_completion/combined_all_0.jsonl").exists()
    else:
        with pytest.raises(RunFolderError, match="nothing to fine-tune on"):
            write(tmp_path, recalls)


def test_the_manifest_says_which_checks_a_way_went_without(tmp_path: Path) -> None:
    ways = {"openended": {}, "negative": {"skip_question_check": True}}
    manifest = json.loads((write(tmp_path, [make_recall(1)], factual_sft=ways) / "MANIFEST.json")
                          .read_text(encoding="utf-8"))  # fmt: skip
    assert "way of asking. Left out: of negative the check of the question." in manifest["checks"]
