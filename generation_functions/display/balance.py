"""The receipt of the fine-tuning data: what each part was to have, and what it has."""

from pathlib import Path
from typing import Any

from generation_functions.datasets.axolotl import SFT_FOLDER
from generation_functions.datasets.manifest import NAME as MANIFEST
from generation_functions.display.markup import Html, join, tag
from generation_functions.display.plots import Picture, plot_parts
from generation_functions.display.tables import show_table
from generation_functions.errors import RunFolderError
from generation_functions.steps.files import read_json

_COLUMNS = ("part", "rows", "tokens", "share_%", "asked_tokens", "asked_%", "has_%", "of")


def show_balance(folder: Path) -> Html:
    """Return the parts as a table, why some have fewer tokens than asked, and what is unreadable.

    Raises RunFolderError before the datasets were written.
    """
    manifest = _read_manifest(folder)
    lines = manifest["balance"]["lines"]
    renamed = {"share": "share_%", "asked_percent": "asked_%", "percent": "has_%"}
    rows = [{renamed.get(key, key): value for key, value in line.items()} for line in lines]
    counted = f"Counted with {manifest['token_counter']}. {manifest['token_counter_note']}"
    notes = [f"{line['part']}: {line['why_short']}." for line in lines if line["why_short"]]
    notes += [
        f"{line['part']}: {one['rows']:,} rows left out: {one['why']} (row "
        f"{', '.join(map(str, one['first']))}{' …' if one['rows'] > len(one['first']) else ''})."
        for line in lines
        for one in line["unreadable"]
    ]
    said = (tag("p", note) for note in (*notes, counted.strip()))
    return join([show_table(rows, _COLUMNS), *said])


def plot_balance(folder: Path) -> Picture:
    """Draw the tokens of each part, and what was asked for."""
    lines = _read_manifest(folder)["balance"]["lines"]
    asked = {line["part"]: line["asked_tokens"] for line in lines if line["asked_tokens"]}
    return plot_parts({line["part"]: line["tokens"] for line in lines}, asked)


def _read_manifest(folder: Path) -> dict[str, Any]:
    manifest = read_json(folder / SFT_FOLDER / MANIFEST)
    if not (manifest and manifest.get("balance")):
        raise RunFolderError(f"{folder / SFT_FOLDER}: no receipt there. Run the stage `mix` first.")
    return dict(manifest)
