"""What goes to the trainer: manifests, rows and configs of the two training folders."""

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import yaml
from pydantic import BaseModel

from generation_functions.config import Config
from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_CONFIG, SFT_FOLDER
from generation_functions.datasets.manifest import NAME as MANIFEST
from generation_functions.datasets.mask_check import read_rows
from generation_functions.datasets.segments import Segment
from generation_functions.datasets.templates import ChatTemplate
from generation_functions.display.markup import Html, folded, join, preformatted, tag
from generation_functions.display.masks import show_mask
from generation_functions.display.plots import Picture, plot_token_lengths
from generation_functions.display.tables import show_table
from generation_functions.errors import RunFolderError
from generation_functions.records import Turn
from generation_functions.steps.files import read_json
from generation_functions.steps.run import Run
from generation_functions.training_sections import FinalDatasaving, ModelTraining

FOLDERS = (PRETRAINING_FOLDER, SFT_FOLDER)
MOST_LENGTHS = 20_000  # rows of a file that a plot looks at
_ROW = "border-left: 3px solid #9996; padding: 2px 12px; margin: 8px 0"


def show_manifests(folder: Path) -> Html:
    """Return both training folders as tables: files, rows, tokens, steps, what to start."""
    return join(_show_manifest(folder / name) for name in FOLDERS)


def plot_row_lengths(folder: Path) -> Picture:
    """Draw how many tokens the rows of each file have that a config lists.

    The line is sequence_len, where the two configs differ the smaller one. Of a long file the
    first 20,000 rows are looked at.
    """
    manifests = {name: _manifest(folder / name) for name in FOLDERS}
    lengths = {
        f"{name}/{entry['name']}": list(islice(_lengths(folder / name, entry), MOST_LENGTHS))
        for name, manifest in manifests.items()
        for entry in _listed(manifest)
    }
    limit = min(manifest["sequence_len"] for manifest in manifests.values())
    return plot_token_lengths(lengths, limit=limit, label="tokens in a row")


def show_rows(folder: Path, most: int = 5, seed: int = 0) -> Html:
    """Return random rows of every file that a config lists, as the trainer sees them.

    Of rows that are trained on in part, that part is in colour. Another `seed` shows others.
    """
    return join(
        folded(
            f"{name}/{entry['name']}",
            join(
                tag("div", row, style=_ROW) for row in _draw_rows(folder, name, entry, most, seed)
            ),
        )
        for name in FOLDERS
        for entry in _listed(_manifest(folder / name))
    )


def show_configs(run: Run) -> Html:
    """Return what of training is not as by default, then both configs and their README.md."""
    shown = (
        folded(f"{name}/{file}", tag("pre", _read(run.folder / name / file)))
        for name in FOLDERS
        for file in (_manifest(run.folder / name)["launch"].split()[-1], "README.md")
    )
    return join([show_changes(run.config), *shown])


def show_changes(config: Config) -> Html:
    """Return the options of training, and of the rows' text, that are not as by default."""
    sections: Mapping[str, tuple[BaseModel, BaseModel]] = {
        "model_training": (config.model_training, ModelTraining()),
        "final_datasaving_settings": (config.final_datasaving_settings, FinalDatasaving()),
    }
    changed = [
        {"option": f"{section}.{name}", "default": getattr(usual, name), "here": value}
        for section, (ours, usual) in sections.items()
        for name, value in ours
        if value != getattr(usual, name)
    ]
    return show_table(changed, empty="All options of training are as by default.")


def _show_manifest(folder: Path) -> Html:
    manifest = _manifest(folder)
    steps, gpus = manifest["optimizer_steps"], manifest["gpus"]
    said = f"{manifest['rows']:,} rows and {manifest['tokens']:,} tokens to train on"
    if steps is not None:
        said += f", about {steps:,} optimizer steps on {gpus} GPU{'s' if gpus > 1 else ''}"
    said += f"; {manifest['longer']:,} rows are longer than sequence_len."
    columns = ("name", "rows", "tokens", "longest", "in_config")
    return join(
        [
            tag("p", tag("strong", f"{folder.name}/"), f": {said}"),
            tag("p", tag("em", manifest["advice"])) if manifest["advice"] else "",
            show_table([one for one in manifest["files"] if one["rows"] is not None], columns),
            tag("p", "Start inside the folder: ", tag("code", manifest["launch"])),
        ]
    )


def _draw_rows(
    folder: Path, name: str, entry: Mapping[str, Any], most: int, seed: int
) -> Iterator[Html]:
    """Yield some rows of a file, in their order."""
    count = entry["rows"]
    chosen = set(Random(f"{seed} {entry['name']}").sample(range(count), min(most, count)))
    if entry["segments"]:
        for row in read_rows(folder):
            if row.file == entry["name"] and row.number in chosen:
                yield show_mask(row.segments)
        return
    template = _read_template(folder) if entry["chat"] else None
    for number, line in enumerate(_lines(folder / name / entry["name"])):
        if number in chosen:
            content = json.loads(line)
            yield _show_chat(content, template) if template else preformatted(content["text"])


def _show_chat(row: Mapping[str, Any], template: ChatTemplate) -> Html:
    """Return a conversation as the trainer renders it, the answers in colour."""
    turns = [Turn(one["from"], one["value"]) for one in row["conversations"]]
    pieces = zip(turns, template.split(turns), strict=True)
    parts = (
        part
        for turn, piece in pieces
        for part in (Segment(False, piece.head), Segment(turn.speaker == "gpt", piece.body))
    )
    return show_mask([part for part in parts if part.text])


def _read_template(folder: Path) -> ChatTemplate:
    values = yaml.safe_load(_read(folder / SFT_FOLDER / SFT_CONFIG))
    return ChatTemplate(values["chat_template_jinja"])


def _lengths(folder: Path, entry: Mapping[str, Any]) -> Iterator[int]:
    for line in _lines(folder / entry["provenance"]):
        yield int(json.loads(line)["tokens"][entry["name"]])


def _listed(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [entry for entry in manifest["files"] if entry["in_config"]]


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from file


def _manifest(folder: Path) -> dict[str, Any]:
    manifest = read_json(folder / MANIFEST)
    if manifest is None:
        raise RunFolderError(f"{folder}: no {MANIFEST} there. Run the stage `mix` first.")
    return dict(manifest)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
