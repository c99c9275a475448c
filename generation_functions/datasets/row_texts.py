"""The texts of the rows that both training folders train on, one at a time."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.manifest import list_files
from generation_functions.errors import RunFolderError

FOLDERS = (PRETRAINING_FOLDER, SFT_FOLDER)


def read_row_texts(folder: Path) -> Iterator[str]:
    """Yield the text of every row of a run that its configs train on, segments or turns joined.

    Raises RunFolderError before the mix, before anything is read, and one that names the file for
    one that is missing or not as it was written.
    """
    for file in [file for name in FOLDERS for file in list_trained(folder / name)]:
        yield from (join_row(row) for row in read_file_rows(file))


def list_trained(folder: Path) -> list[Path]:
    """Return the files that a training folder's config lists. RunFolderError before the mix."""
    return [folder / one.name for one in list_files(folder) if one.in_config]


def read_file_rows(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a .jsonl file, or of an array that has a row a line."""
    try:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                row = line.strip().rstrip(",")
                if row not in ("", "[", "]"):
                    yield dict(json.loads(row))
    except (OSError, ValueError) as error:
        raise RunFolderError(f"{file}: {error}. Run the stage `mix` again.") from error


def join_row(row: dict[str, Any]) -> str:
    """Return a row's text; of segments, all as the model reads them, of chats a turn a line."""
    if "segments" in row:
        return "".join(str(one["text"]) for one in row["segments"])
    if "conversations" in row:
        return "\n".join(str(one["value"]) for one in row["conversations"])
    return str(row["text"])
