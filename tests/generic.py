"""Generic datasets for tests: conversations of so many words, and the files that hold them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Talk = list[dict[str, str]]


def make_talk(words: int, number: int = 0) -> Talk:
    """Return a conversation whose answer has so many words, different for each number."""
    answer = " ".join(f"w{number}x{place}" for place in range(words))
    return [{"from": "human", "value": f"Say {number}."}, {"from": "gpt", "value": answer}]


def as_messages(talk: Talk) -> Talk:
    roles = {"system": "system", "human": "user", "gpt": "assistant"}
    return [{"role": roles[turn["from"]], "content": turn["value"]} for turn in talk]


def write_jsonl(file: Path, rows: Sequence[Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def write_json(file: Path, rows: Sequence[Any]) -> Path:
    file.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return file


def write_parquet(file: Path, rows: Sequence[dict[str, Any]]) -> Path:
    from pyarrow import Table, parquet

    parquet.write_table(Table.from_pylist(list(rows)), file)
    return file


WRITERS: dict[str, Callable[[Path, Sequence[Any]], Path]] = {
    ".jsonl": write_jsonl,
    ".json": write_json,
    ".parquet": write_parquet,
}
