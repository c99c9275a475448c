"""MANIFEST.json: what is in a training folder, and how to train on it."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from generation_functions.config import Config
from generation_functions.datasets.balance import Receipt
from generation_functions.datasets.row_files import FileEntry, write_text
from generation_functions.errors import RunFolderError
from generation_functions.records import from_json, to_json

NAME = "MANIFEST.json"
COUNTER_NOTE = (
    "The counter is not the tokenizer of the model to be trained, which will find somewhat more or "
    "fewer tokens."
)
CARD = "DATASET_CARD.md"


def name_counter(config: Config) -> tuple[str, str]:
    """Return what counts the tokens of rows, and a note where the trainer will count otherwise.

    Of a file or folder that is its name, not its place on this machine's disk.
    """
    tokenizer = config.model_training.tokenizer
    counter = tokenizer or config.system.token_counter or config.models.small.gguf or ""
    name = Path(counter).name if Path(counter).is_absolute() else counter
    return name, "" if tokenizer else COUNTER_NOTE


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


class ListedFile(BaseModel):
    """As much of a file in a MANIFEST.json as every version of this program writes."""

    name: str
    sha256: str = ""
    in_config: bool = False
    segments: bool = False


class _Listed(BaseModel):
    files: list[ListedFile]


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


def list_files(folder: Path) -> list[ListedFile]:
    """Return the files that MANIFEST.json lists. Raises RunFolderError where there is none."""
    try:
        return _Listed.model_validate_json((folder / NAME).read_bytes()).files
    except FileNotFoundError as error:
        raise RunFolderError(f"{folder / NAME}: not there. Run the stage `mix` first.") from error
    except ValidationError as error:
        raise RunFolderError(
            f"{folder / NAME}: damaged ({error.error_count()} faults). Run the stage `mix` again."
        ) from error


def read_listed_names(folder: Path) -> set[str]:
    """Return the names that the folder's MANIFEST.json lists and its own; none without one."""
    listed = read_checksums(folder)
    return {NAME, *listed} if listed else set()


def read_checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file that MANIFEST.json lists, by name; none without one."""
    try:
        return {entry.name: entry.sha256 for entry in list_files(folder)}
    except RunFolderError:
        return {}
