"""What goes to the trainer: manifests, rows and configs of the two training folders."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.manifest import NAME as MANIFEST
from generation_functions.datasets.mask_check import read_rows
from generation_functions.display.markup import Html, folded, join, preformatted, tag
from generation_functions.display.masks import show_mask
from generation_functions.display.tables import show_table
from generation_functions.errors import RunFolderError
from generation_functions.steps.files import read_json

FOLDERS = (PRETRAINING_FOLDER, SFT_FOLDER)
_ROW = "border-left: 3px solid #9996; padding: 2px 12px; margin: 8px 0"


def show_manifests(folder: Path) -> Html:
    """Return both training folders as tables: files, rows, tokens, steps, what to start."""
    return join(_show_manifest(folder / name) for name in FOLDERS)


def show_rows(folder: Path, most: int = 5) -> Html:
    """Return the first rows of every file that a config lists, as the trainer sees them.

    Of rows that are trained on in part, that part is in colour.
    """
    return join(
        folded(f"{name}/{entry['name']}", _show_file(folder, name, entry, most))
        for name in FOLDERS
        for entry in _manifest(folder / name)["files"]
        if entry["in_config"]
    )


def show_configs(folder: Path) -> Html:
    """Return the text of both of the trainer's configs."""
    return join(
        folded(f"{name}/{entry['name']}", tag("pre", _read(folder / name / entry["name"])))
        for name in FOLDERS
        for entry in _manifest(folder / name)["files"]
        if entry["rows"] is None
    )


def _show_manifest(folder: Path) -> Html:
    manifest = _manifest(folder)
    steps = manifest["optimizer_steps"]
    said = f"{manifest['rows']:,} rows and {manifest['tokens']:,} tokens to train on"
    if steps is not None:
        said += f", about {steps:,} optimizer steps on one GPU"
    return join(
        [
            tag("p", tag("strong", f"{folder.name}/"), f": {said}"),
            show_table(manifest["files"], ("name", "rows", "tokens", "in_config")),
            tag("p", "Start inside the folder: ", tag("code", manifest["launch"])),
        ]
    )


def _show_file(folder: Path, name: str, entry: Mapping[str, Any], most: int) -> Html:
    if not entry.get("segments"):
        return _show_texts(folder / name / entry["name"], most)
    rows = (row for row in read_rows(folder) if row.file == entry["name"])
    return join(tag("div", show_mask(row.segments), style=_ROW) for row in islice(rows, most))


def _show_texts(path: Path, most: int) -> Html:
    return join(tag("div", preformatted(text), style=_ROW) for text in islice(_texts(path), most))


def _texts(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield str(json.loads(line)["text"])


def _manifest(folder: Path) -> dict[str, Any]:
    manifest = read_json(folder / MANIFEST)
    if manifest is None:
        raise RunFolderError(f"{folder}: no {MANIFEST} there. Run the stage `mix` first.")
    return dict(manifest)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
