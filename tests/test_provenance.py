"""What leaves the program beside the trainer's files: roles, system turns, plain list, origins."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from generation_functions.config import Config
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.datasets.provenance import find_quote
from generation_functions.pipelines.conversations import (
    WRITE_CONVERSATION,
    WRITE_SCENE_CONVERSATION,
)
from generation_functions.pipelines.question_steps import make_pair
from generation_functions.records import Chunk, ConversationInfo, QAPair, Scene, Turn, make_uuid

DOCUMENT = (
    "The tide mill.\n\nA tide mill has two gates. They shut by themselves\nwhen the tide turns. "
    "Its stones turn for five hours. The miller sleeps.\n"
)
OVERLAP, START = 5, 16
CARD = "Name: Ana Reis\nTraits: calm, exact\nLife: She keeps {context} and bees."
SCENE = Scene("Ana Reis", "Bo Lind", ("Ana Reis is calm.",), CARD, "Ana and Bo sit on a dam.")
CHUNK = Chunk(
    uuid=make_uuid("mills", "chunk"),
    document=make_uuid("mills", "document"),
    directory="texts/mills",
    source="Mills, by A. Miller",
    text=DOCUMENT[START - OVERLAP :],
    start=START,
    end=len(DOCUMENT),
    tokens=30,
    overlap=OVERLAP,
    headings=("Water", "Tides"),
    page=3,
)
PAIRS = (
    make_pair(CHUNK, (3,), "When do the gates shut?", "They shut when the tide turns."),
    make_pair(CHUNK, (2, 4), "What does a tide mill have?", "Two gates, and stones."),
)


def make_config(**sections: Any) -> Config:
    small = {"gguf": "small.gguf"}
    return Config.model_validate(
        {
            "path": {
                "input_dirs": [
                    {
                        "path": "texts/mills",
                        "final_system_prompt_additional_context": "On {context}.",
                    }
                ],
                "output_dir": "outputs/test",
            },
            "models": {"small": small, "large": small},
            "dataset_context": "Mills",
            "system": {"shared_instruction": "Be exact."},
            "factual_sft_settings": {"final_assistant_prompts_no_rag": ["Help.", "Tell."]},
        }
        | sections
    )


def make_material() -> Material:
    """The conversations are read from replies, as the stage reads them."""
    in_scene = ConversationInfo(make_uuid(CHUNK.uuid, "scene"), PAIRS, CHUNK, SCENE)
    assisted = ConversationInfo(make_uuid(CHUNK.uuid, "assistant"), PAIRS[:1], CHUNK)
    reply = "\n".join(
        f"Bo Lind: Ana Reis: {pair.question}\nAna Reis: *She nods.* {pair.answer}" for pair in PAIRS
    )
    plain = f"User: {PAIRS[0].question}\nAssistant: {PAIRS[0].answer}"
    return Material(
        [CHUNK],
        PAIRS,
        [
            WRITE_SCENE_CONVERSATION.parse(in_scene, reply),
            WRITE_CONVERSATION.parse(assisted, plain),
        ],
    )


def write(folder: Path) -> Path:
    write_datasets(folder, make_material(), make_config(), lambda text: len(text.split()))
    return folder / "sft_run"


def read_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def read_turns(file: Path) -> list[tuple[Turn, ...]]:
    return [
        tuple(Turn(turn["from"], turn["value"]) for turn in row["conversations"])
        for row in read_lines(file)
    ]


def test_sharegpt_rows_read_back_are_the_conversations_who_answers_is_gpt(tmp_path: Path) -> None:
    """W8: the first notebook's converter called who answers "human", or every turn "gpt"."""
    back = read_turns(write(tmp_path) / "combined_factual_data/multiturn_convs.jsonl")
    written = {turns[1:] for turns in back}
    assert written == {one.turns for one in make_material().conversations}
    for system, *turns in back:
        assert system.speaker == "system"
        assert [turn.speaker for turn in turns] == ["human", "gpt"] * (len(turns) // 2)
        for pair, asked, told in zip(PAIRS, turns[::2], turns[1::2], strict=False):
            assert pair.question in asked.text
            assert pair.answer in told.text
            assert not told.text.startswith(("Ana Reis:", "Assistant:"))


def test_rows_of_pairs_read_back_are_the_pairs(tmp_path: Path) -> None:
    back = read_turns(write(tmp_path) / "combined_factual_data/qatuples.jsonl")
    assert {turns[1:] for turns in back} == {
        (Turn("human", pair.question), Turn("gpt", pair.answer)) for pair in PAIRS
    }


def test_the_system_turn_of_a_scene_is_card_and_scene_word_for_word(tmp_path: Path) -> None:
    back = read_turns(write(tmp_path) / "combined_factual_data/multiturn_convs.jsonl")
    told = {len(turns): turns[0].text for turns in back}
    assert told[5] == f"Be exact.\nOn Mills.\n{CARD}\nScene: Ana and Bo sit on a dam."
    assert told[3] in {f"Be exact.\nOn Mills.\n{prompt}" for prompt in ("Help.", "Tell.")}


def test_the_plain_list_has_questions_and_answers_and_nothing_else(tmp_path: Path) -> None:
    rows = read_lines(write(tmp_path) / "plain_qa_list.jsonl")
    asked = {pair.question: pair.answer for pair in PAIRS}
    assert [list(row) for row in rows] == [["question", "answer"]] * 2
    assert {row["question"]: row["answer"] for row in rows} == asked


@pytest.mark.parametrize("folder", ["pretraining_run", "sft_run"])
def test_every_row_of_every_file_has_its_line_of_provenance(tmp_path: Path, folder: str) -> None:
    run = write(tmp_path).parent / folder
    entries = json.loads((run / "MANIFEST.json").read_text(encoding="utf-8"))["files"]
    by_name = {entry["name"]: entry for entry in entries}
    files = [entry for entry in entries if entry["provenance"]]
    beside = {entry["provenance"] for entry in files}
    assert {name for name, entry in by_name.items() if entry["rows"]} == beside | {
        entry["name"] for entry in files
    }
    for entry in files:
        lines = (run / entry["name"]).read_bytes().splitlines()
        records = read_lines(run / entry["provenance"])
        assert by_name[entry["provenance"]]["rows"] == entry["rows"] == len(lines)
        assert [record["row"] for record in records] == list(range(len(lines)))
        hashes = [record["sha256"][entry["name"]] for record in records]
        assert hashes == [hashlib.sha256(line).hexdigest() for line in lines]


def test_provenance_speaks_of_the_row_it_stands_beside(tmp_path: Path) -> None:
    run = write(tmp_path)
    records = read_lines(run / "provenance/qatuples.jsonl")
    pairs = {pair.uuid: pair for pair in PAIRS}
    for record, row in zip(records, read_lines(run / "plain_qa_list.jsonl"), strict=True):
        pair = pairs[record["uuid"]]
        (told,) = record["pairs"]
        assert row == {"question": told["question"], "answer": told["answer"]}
        assert (told["question"], told["quote"]) == (pair.question, pair.quote)
        assert record["chunk"] == json.loads(json.dumps(asdict(CHUNK)))
    talks = read_lines(run / "provenance/multiturn_convs.jsonl")
    turns = read_turns(run / "combined_factual_data/multiturn_convs.jsonl")
    for record, (_, *said) in zip(talks, turns, strict=True):
        assert len(said) == 2 * len(record["pairs"])
        assert all(one["question"] in said[2 * n].text for n, one in enumerate(record["pairs"]))
        assert (record["scene"] is None) == (len(said) == 2)
    (chunk,) = read_lines(tmp_path / "pretraining_run/provenance/text_chunks_mills.jsonl")
    assert (chunk["uuid"], chunk["chunk"]["page"]) == (CHUNK.uuid, 3)
    assert chunk["chunk"]["headings"] == ["Water", "Tides"]
    assert "text" not in chunk["chunk"]


def test_offsets_find_chunk_and_quote_in_the_document(tmp_path: Path) -> None:
    for record in read_lines(write(tmp_path) / "provenance/qatuples.jsonl"):
        chunk, (pair,) = record["chunk"], record["pairs"]
        assert DOCUMENT[chunk["start"] - chunk["overlap"] : chunk["end"]] == chunk["text"]
        found = [" ".join(DOCUMENT[a:b].split()) for a, b in pair["quote_spans"]]
        assert len(found) == len(pair["sentences"])
        assert " ".join(found) == pair["quote"]


@pytest.mark.parametrize(
    "edited",
    [
        replace(PAIRS[0], quote="Somebody wrote this."),
        replace(PAIRS[0], sentences=(99,)),
        replace(PAIRS[0], chunk=replace(CHUNK, text="Another text.")),
    ],
)
def test_an_edited_quote_has_no_offsets_rather_than_wrong_ones(edited: QAPair) -> None:
    assert find_quote(PAIRS[0])
    assert find_quote(edited) == []


def test_no_config_of_the_trainer_lists_a_file_of_provenance(tmp_path: Path) -> None:
    write(tmp_path)
    listed: list[str] = []
    for name in ("pretraining_run", "sft_run"):
        for file in (tmp_path / name).glob("*config.yaml"):
            config = yaml.safe_load(file.read_text(encoding="utf-8"))
            listed += [one["path"] for one in config["datasets"]]
    assert sorted(listed) == [
        "factual_sft_completion/multiturn_convs.jsonl",
        "factual_sft_completion/qatuples.jsonl",
        "text_chunks_mills.jsonl",
    ]
