"""The files of a training folder while they are written, and what its manifest says of each."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from generation_functions.datasets.rows import Row


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file. `name` is relative to the folder; rows and tokens are None for a config.

    `tokens` is of the text as it is trained on, None also where nothing is; `in_config` says
    whether the Axolotl config lists the file; `provenance` is the file that tells, line by
    line, where its rows come from. With `segments` only a part of each row is trained on, and
    `tokens` are of the whole; with `chat` rows are ShareGPT, of which answers are trained on.
    `longest` is the row of most tokens, `lengths` how many rows have how many (not in the file).
    """

    name: str
    rows: int | None
    tokens: int | None
    sha256: str
    in_config: bool
    provenance: str | None = None
    segments: bool = False
    chat: bool = False
    longest: int | None = None
    lengths: Mapping[int, int] = field(default_factory=dict)

    def count_longer(self, tokens: int) -> int:
        """Return how many rows have more tokens."""
        return sum(rows for length, rows in self.lengths.items() if length > tokens)


class RowFile:
    """A JSONL file while it is written; its `entry` stands once the `with` block has ended.

    One whose name ends in .json is an array of rows, one a line.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        in_config: bool,
        provenance: str | None = None,
        *,
        segments: bool = False,
        chat: bool = False,
    ) -> None:
        self.name = name
        self._path = folder / name
        self._in_config = in_config
        self._provenance = provenance
        self._segments = segments
        self._chat = chat
        self._array = name.endswith(".json")
        self._digest = hashlib.sha256()
        self._rows = 0
        self._lengths: Counter[int] = Counter()

    def __enter__(self) -> "RowFile":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        with self._file:
            if self._array:
                self._put(b"\n]\n" if self._rows else b"[]\n")
            _sync(self._file)

    def write(self, row: Row, tokens: int | None = None) -> str:
        """Append one row; return the SHA-256 of its JSON.

        `tokens` is its length in the text that is trained on.
        """
        line = json.dumps(row, ensure_ascii=False).encode()
        if self._array:
            self._put((b",\n" if self._rows else b"[\n") + line)
        else:
            self._put(line + b"\n")
        self._rows += 1
        if tokens is not None:
            self._lengths[tokens] += 1
        return hashlib.sha256(line).hexdigest()

    @property
    def rows(self) -> int:
        """How many rows were written so far."""
        return self._rows

    @property
    def entry(self) -> FileEntry:
        """What the manifest says of the file."""
        return FileEntry(
            name=self.name,
            rows=self._rows,
            tokens=sum(length * rows for length, rows in self._lengths.items()) or None,
            sha256=self._digest.hexdigest(),
            in_config=self._in_config,
            provenance=self._provenance,
            segments=self._segments,
            chat=self._chat,
            longest=max(self._lengths, default=None),
            lengths=dict(self._lengths),
        )

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)


def write_text(folder: Path, name: str, text: str) -> FileEntry:
    """Write a config file."""
    data = text.encode()
    with (folder / name).open("wb") as file:
        file.write(data)
        _sync(file)
    return FileEntry(name, None, None, hashlib.sha256(data).hexdigest(), False)


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
