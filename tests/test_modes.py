"""Shares of rows without system prompt and without thoughts, each row true to what it shows."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from test_datasets import count_words, make_material, read_rows
from test_recall_rows import make_config, make_recall

from generation_functions.choosing import spread
from generation_functions.config import Config
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.datasets.rows import THOUGHT

CUE = "Just the answer."
SYSTEM = {"remove_system_prompt_ratio": 0.3, "remove_thought_process_ratio": 0.2,
          "remove_thought_process_prompt": CUE}  # fmt: skip


def write(folder: Path, config: Config, name: str, **material: Any) -> list[list[dict[str, str]]]:
    chunks = make_material().chunks
    write_datasets(folder, Material(**{"chunks": chunks, "pairs": [], "conversations": [],
                                       **material}), config, count_words)  # fmt: skip
    rows = read_rows(folder / "sft_run/combined_factual_data" / name)
    return [row["conversations"] for row in rows]


def test_a_share_of_numbers_that_are_spread_is_exact_to_one() -> None:
    options = [f"item {number}" for number in range(7)]
    for seed in range(5):
        places = spread(options, seed)
        assert sorted(places.values()) == [(place + 0.5) / 7 for place in range(7)]
        assert sum(place < 0.3 for place in places.values()) == 2
    assert spread(options, 0) == spread(options[::-1], 0) != spread(options, 1)


@pytest.mark.parametrize("seed", range(3))
def test_recalls_show_what_their_system_prompt_says(tmp_path: Path, seed: int) -> None:
    recalls = [make_recall(number) for number in range(40)]
    settings = {"items_per_conversation": 1, "combine_sharegpt_target_pairs": 1}
    config = make_config(system={**SYSTEM, "seed": seed}, settings=settings)
    found: Counter[tuple[str, bool]] = Counter()
    for first, *_, answer in write(tmp_path, config, "combined_all_0.jsonl", recalls=recalls):
        said = first["value"] if first["from"] == "system" else ""
        kind = "cue" if said.endswith(f"\n{CUE}") else "prompt" if said else "none"
        found[kind, THOUGHT in answer["value"]] += 1
    assert found == {("none", True): 12, ("cue", False): 8, ("prompt", True): 20}


def test_without_system_prompt_the_shared_instruction_stays(tmp_path: Path) -> None:
    recalls = [make_recall(number) for number in range(10)]
    system = {"remove_system_prompt_ratio": 1.0, "shared_instruction": "Of {context}."}
    for first, *_ in write(tmp_path, make_config(system=system), "combined_all_0.jsonl",
                           recalls=recalls):  # fmt: skip
        assert (first["from"], first["value"]) == ("system", "Of Bridges.")


def test_pairs_and_conversations_lose_system_prompts_but_have_no_thoughts_to_lose(
    tmp_path: Path,
) -> None:
    material = make_material(20)
    config = make_config(
        system=SYSTEM, path={"input_dirs": [{"path": "texts/mines"}, {"path": "texts/letters"}],
                             "output_dir": "run"},
    )  # fmt: skip
    parts = {"pairs": material.pairs, "conversations": material.conversations}
    rows = write(tmp_path, config, "qatuples.jsonl", **parts)
    assert Counter(row[0]["from"] for row in rows) == {"system": 14, "human": 6}
    assert CUE not in str(rows)
    talks = read_rows(tmp_path / "sft_run/combined_factual_data/multiturn_convs.jsonl")
    assert Counter(row["conversations"][0]["from"] for row in talks) == {"system": 1, "human": 1}


def test_rows_that_do_not_think_aloud_are_not_told_so(tmp_path: Path) -> None:
    recalls = [make_recall(number) for number in range(10)]
    config = make_config(system=SYSTEM, settings={"think_aloud": False})
    assert CUE not in str(write(tmp_path, config, "combined_all_0.jsonl", recalls=recalls))


def test_shares_that_are_more_than_all_rows_are_refused() -> None:
    with pytest.raises(ValidationError, match="together at most 1"):
        make_config(system={**SYSTEM, "remove_system_prompt_ratio": 0.9})
