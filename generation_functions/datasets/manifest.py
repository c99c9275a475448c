"""What is in a training folder, and writing its files: MANIFEST.json and what it lists."""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ValidationError

from generation_functions.config import Config
from generation_functions.datasets.balance import Receipt
from generation_functions.datasets.rows import Row
from generation_functions.errors import RunFolderError
from generation_functions.pipeline_sections import FactualWay
from generation_functions.records import from_json, to_json

NAME = "MANIFEST.json"
COUNTER_NOTE = (
    "Tokens are counted with token_counter, which is not the tokenizer of the model to be "
    "trained: the trainer will find somewhat more or fewer."
)
CARD = "DATASET_CARD.md"
SKIPPED = {  # option of a way of asking -> the check that it leaves out
    "skip_question_check": "the check of the question",
    "skip_answer_relevancy_check": "that of the answer's relevance",
    "skip_answer_accuracy_check": "that of its accuracy",
}


def describe_origin(varied: bool) -> str:
    """Return where the rows to pretrain on come from; `varied`: a model told them again too."""
    if not varied:
        return "The texts are those of the documents; no model wrote or checked them."
    return (
        "The texts of text_chunks_* are those of the documents. Facts and variations were written "
        "by a model; code checked that their figures, dates and names are in their text. No model "
        "checked what else they say."
    )


def describe_checks(votes: int) -> str:
    """Return how the rows that a model wrote were checked; `votes` is double_check_counter."""
    if not votes:
        return (
            "Question-answer pairs passed checks by code only (double_check_counter: 0): no model "
            "was asked whether they agree with the text."
        )
    by_votes = "one vote" if votes == 1 else f"the majority of {votes} votes"
    return (
        f"Question-answer pairs passed checks by code, then three by a model, each by {by_votes}."
    )


def describe_masked_checks(retrievals: int, corrections: int, votes: int) -> str:
    """Return how rows were checked of which only a part is trained on, of as many as there are."""
    said = ""
    if retrievals:
        said += (
            " Rows on retrieved documents ask vetted pairs; where a retrieval is to fail, code "
            "proved that no document has the quote that an answer rests on, or a figure of it."
        )
    if corrections:
        said += (
            " In corrections the right answer is a vetted one; a wrong one differs from it, and "
            "from its text, by code" + (" and lost a vote on its accuracy." if votes else ".")
        )
    return said


def describe_made_checks(names: Iterable[str]) -> str:
    """Return how the rows of these pipelines, which are found by their names, were checked."""
    said = ", ".join(names)
    return f" Rows of {said} passed the checks of their own pipelines." if said else ""


def describe_recall_checks(ways: Mapping[str, FactualWay]) -> str:
    """Return how the recalls of these ways were checked beside that, and what was left out."""
    left_out = [
        f"{name} without {', '.join(skipped)}"
        for name, way in ways.items()
        if (skipped := [check for option, check in SKIPPED.items() if getattr(way, option)])
    ]
    return (
        "Recalls passed the same checks, and by code one of their way of asking"
        + "".join(f"; {one}" for one in left_out)
        + "."
    )


def name_counter(config: Config) -> tuple[str, str]:
    """Return what counts the tokens of rows, and a note where the trainer will count otherwise.

    Of a file or folder that is its name, not its place on this machine's disk.
    """
    tokenizer = config.model_training.tokenizer
    counter = tokenizer or config.system.token_counter or config.models.small.gguf or ""
    name = Path(counter).name if Path(counter).is_absolute() else counter
    return name, "" if tokenizer else COUNTER_NOTE


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


@dataclass(frozen=True, slots=True)
class FolderManifest:
    """A training folder: what is in it and how to train on it.

    `checks` says how the rows were checked. `rows` and `tokens` are sums over the files that
    the config lists; `longer` of these rows have more tokens than `sequence_len`. A `merge` is
    needed where an adapter is trained. `optimizer_steps` is an estimate for `gpus` GPUs, None where
    the config leaves it open, as is `effective_batch` (sequences a step). `tokens_per_epoch` are
    those that are not held out. `advice` says what to do about few steps.
    `balance`, of fine-tuning data, says which part has how many tokens.
    """

    launch: str
    merge: str
    axolotl: str
    token_counter: str
    token_counter_note: str
    checks: str
    rows: int
    tokens: int
    sequence_len: int
    longer: int
    gpus: int
    effective_batch: int | None
    tokens_per_epoch: int
    optimizer_steps: int | None
    advice: str
    files: tuple[FileEntry, ...]
    balance: Receipt | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Both training folders."""

    pretraining: FolderManifest
    sft: FolderManifest


class _ListedFile(BaseModel):
    name: str
    sha256: str = ""


class _Listed(BaseModel):
    """As much of a MANIFEST.json as every version of this program writes."""

    files: list[_ListedFile]


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


def write_manifest(folder: Path, manifest: FolderManifest) -> None:
    """Write MANIFEST.json."""
    content = to_json(manifest)
    for entry in content["files"]:
        del entry["lengths"]
    text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    write_text(folder, NAME, text)


def read_manifest(folder: Path) -> FolderManifest:
    """Read MANIFEST.json. Raises RunFolderError where there is none that fits."""
    try:
        return from_json(FolderManifest, json.loads((folder / NAME).read_bytes()))
    except (FileNotFoundError, ValueError) as error:
        raise RunFolderError(
            f"{folder / NAME}: not there, or of another version. Run the stage `mix`."
        ) from error


def read_listed_names(folder: Path) -> set[str]:
    """Return the names that the folder's MANIFEST.json lists and its own; none without one."""
    listed = read_checksums(folder)
    return {NAME, *listed} if listed else set()


def read_checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that MANIFEST.json lists, by name; none without one."""
    try:
        listed = _Listed.model_validate_json((folder / NAME).read_bytes())
    except (FileNotFoundError, ValidationError):
        return {}
    return {entry.name: entry.sha256 for entry in listed.files}


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
