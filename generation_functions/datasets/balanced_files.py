"""The files of sft_run/ that are filled up to a number of tokens: generic and pretraining rows."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from generation_functions.config import Config
from generation_functions.datasets.balance import (
    PRETRAINING,
    Part,
    Receipt,
    Target,
    aim_generic,
    aim_pretraining,
    draw_up,
)
from generation_functions.datasets.generic_completion import GenericWriter
from generation_functions.datasets.generic_sources import GenericSource
from generation_functions.datasets.pretraining import find_directory
from generation_functions.datasets.provenance import Item, write_rows
from generation_functions.datasets.provenance import Target as RowTarget
from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.rows import text_row
from generation_functions.datasets.sampling import TokenSample, make_key, pick
from generation_functions.datasets.turn_files import TurnRows

SUBSET_FILE = "pretraining_subset_{directory}.jsonl"

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Pool:
    """What there is to fill up with: the pretraining rows, with their folder, and generic data."""

    folder: Path
    entries: Sequence[FileEntry]
    generic: Sequence[GenericSource]


def write_balanced(
    folder: Path, made: Sequence[Part], pool: Pool, config: Config, rows: TurnRows
) -> tuple[list[FileEntry], Receipt]:
    """Write what goes beside the parts that the run has made; return the files and the receipt.

    Pretraining rows are reckoned from what is there, where generic data fell short.
    """
    settings, system = config.final_datasaving_settings, config.system
    parts, written = list(made), list[FileEntry]()
    targets = aim_generic(
        sum(part.tokens for part in made),
        settings.generic_dataset_percentages,
        settings.minimum_generic_sft,
    )
    for source, target in zip(pool.generic, targets, strict=True):
        entries, part = GenericWriter(source, config, rows).write(folder, target)
        written += entries
        parts.append(part)
    others = sum(part.tokens for part in parts)
    wanted = aim_pretraining(
        others, system.what_percent_of_sft_is_pretrain, system.num_tokens_pretraining_in_sft
    )
    if wanted:
        entries, part = write_subset(folder, pool, wanted, system.seed, rows.count)
        written += entries
        parts.append(part)
    return written, draw_up(parts)


def write_subset(
    folder: Path, pool: Pool, target: Target, seed: int, count: Count
) -> tuple[list[FileEntry], Part]:
    """Write pretraining rows of `target` tokens, of all directories alike, a file for each."""
    sample = TokenSample(target.tokens)
    files = [entry.name for entry in pool.entries if entry.in_config]
    for number, (_, _, line) in enumerate(_read_files(pool.folder, files)):
        key = make_key(f"{seed}\x1f{PRETRAINING}", (line,))
        if sample.may_take(key):
            sample.add(number, key, count(_read_text(line)))
    chosen = sample.choose()
    written: list[FileEntry] = []
    for directory in dict.fromkeys(map(find_directory, files)):
        name = SUBSET_FILE.format(directory=directory)
        picked = pick(_read_files(pool.folder, files), chosen)
        items = (
            Item(((text_row(_read_text(line)), tokens),), {"file": file, "line": at})
            for _, (file, at, line), tokens in picked
            if find_directory(file) == directory
        )
        written += write_rows(folder, name, [RowTarget(name, in_config=True)], items)
    why = f"all pretraining rows have only {chosen.total:,} tokens" if sample.is_short else ""
    return written, Part(PRETRAINING, len(chosen.numbers), chosen.total, target, why)


def _read_files(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """Yield the file, the number in it, and the text of each line."""
    for name in names:
        with (folder / name).open(encoding="utf-8") as opened:
            for at, line in enumerate(opened):
                yield name, at, line


def _read_text(line: str) -> str:
    return str(json.loads(line)["text"])
