"""The files of sft_run/ that are filled up to a number of tokens: generic data, pretraining rows.

Each source is read twice, row by row: once to choose, once to write what was chosen.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generation_functions.config import Config
from generation_functions.datasets.balance import (
    PRETRAINING,
    Part,
    Receipt,
    Target,
    Unreadable,
    aim_generic,
    aim_pretraining,
    draw_up,
)
from generation_functions.datasets.generic_rows import add_context, load_row, read_turns
from generation_functions.datasets.generic_sources import GenericSource
from generation_functions.datasets.manifest import FileEntry
from generation_functions.datasets.pretraining import find_directory
from generation_functions.datasets.provenance import Item, write_rows
from generation_functions.datasets.provenance import Target as RowTarget
from generation_functions.datasets.rows import Row, text_row
from generation_functions.datasets.sampling import Chosen, TokenSample, make_key, pick
from generation_functions.datasets.turn_files import TurnRows
from generation_functions.errors import ConfigError, Rejected
from generation_functions.records import Turn

GENERIC_FOLDER = "generic_sft_completion"
SUBSET_FILE = "pretraining_subset_{directory}.jsonl"
NAMED = 5  # rows of a kind that cannot be read whose numbers are told
REFUSED = "the template refuses it"

Count = Callable[[str], int]
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Faults:
    """Rows that are no conversations, by what is wrong: how many, and the numbers of the first."""

    rows: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    first: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def note(self, number: int, why: str) -> None:
        self.rows[why] += 1
        if len(self.first[why]) < NAMED:
            self.first[why].append(number)

    def list(self) -> tuple[Unreadable, ...]:
        return tuple(
            Unreadable(why, self.rows[why], tuple(self.first[why])) for why in sorted(self.rows)
        )


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


class GenericWriter:
    """Writes the rows of one generic dataset, as completions of the run's own template."""

    def __init__(self, source: GenericSource, config: Config, rows: TurnRows) -> None:
        """`rows` has the template, and what counts the tokens of a text."""
        self._source = source
        self._config = config
        self._rows = rows

    def write(self, folder: Path, target: Target) -> tuple[list[FileEntry], Part]:
        """Write rows of `target` tokens; return the files, and what they have."""
        sample = TokenSample(target.tokens)
        faults = self._fill(sample) if target.tokens else _Faults()
        chosen = sample.choose()
        name = f"{GENERIC_FOLDER}/{self._source.name}.jsonl"
        entries = write_rows(
            folder,
            f"generic_{self._source.name}.jsonl",
            [RowTarget(name, in_config=True)],
            self._items(chosen),
        )
        unreadable = faults.list()
        for one in unreadable:
            _log.warning("%s: %d rows left out: %s", self._source.file, one.rows, one.why)
        why = self._explain(chosen) if sample.is_short else ""
        rows = len(chosen.numbers)
        return entries, Part(self._source.name, rows, chosen.total, target, why, unreadable)

    def _explain(self, chosen: Chosen) -> str:
        most = self._source.most
        said = f" (of its first {most:,}: max_samples_per_dataset)" if most else ""
        return f"all its rows{said}, {len(chosen.numbers):,}, have only {chosen.total:,} tokens"

    def _fill(self, sample: TokenSample) -> _Faults:
        """Show all rows to the sample; return those that could not be read."""
        faults = _Faults()
        begun = f"{self._config.system.seed}\x1f{self._source.name}"
        for number, raw in enumerate(self._source.read()):
            try:
                turns = read_turns(load_row(raw))
                key = make_key(begun, (text for one in turns for text in (one.speaker, one.text)))
                if sample.may_take(key):
                    sample.add(number, key, self._rows.count(self._render(turns)))
            except Rejected as fault:
                faults.note(number, fault.reason)
        return faults

    def _items(self, chosen: Chosen) -> Iterator[Item]:
        for number, raw, tokens in pick(self._source.read(), chosen):
            text = self._render(read_turns(load_row(raw)))
            record: Row = {"dataset": self._source.origin, "number": number}
            yield Item(((text_row(text), tokens),), record)

    def _render(self, turns: Sequence[Turn]) -> str:
        """Return turns as text. Raises Rejected where that cannot be."""
        told = add_context(turns, self._source.dataset, self._config)
        try:
            return self._rows.template.render(told)
        except ConfigError as error:  # the template fits; it is this row that does not
            raise Rejected(REFUSED) from error


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
