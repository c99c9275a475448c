"""The rows of one generic dataset, as completions of the run's own template.

The dataset is read twice, row by row: once to choose, once to write what was chosen.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generation_functions.config import Config
from generation_functions.datasets.balance import Part, Target, Unreadable
from generation_functions.datasets.generic_rows import add_context, load_row, read_turns
from generation_functions.datasets.generic_sources import GenericSource
from generation_functions.datasets.provenance import Item, write_rows
from generation_functions.datasets.provenance import Target as RowTarget
from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.rows import Row, text_row
from generation_functions.datasets.sampling import Chosen, TokenSample, make_key, pick
from generation_functions.datasets.turn_files import TurnRows
from generation_functions.errors import ConfigError, Rejected
from generation_functions.records import Turn

FOLDER = "generic_sft_completion"
NAMED = 5  # rows of a kind that cannot be read whose numbers are told
REFUSED = "the template refuses it"

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

    def tell(self) -> tuple[Unreadable, ...]:
        return tuple(
            Unreadable(why, self.rows[why], tuple(self.first[why])) for why in sorted(self.rows)
        )


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
        name = f"{FOLDER}/{self._source.name}.jsonl"
        entries = write_rows(
            folder,
            f"generic_{self._source.name}.jsonl",
            [RowTarget(name, in_config=True)],
            self._items(chosen),
        )
        unreadable = faults.tell()
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
