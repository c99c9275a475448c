"""What a pipeline made, side by side: what went in, what each step said, what came out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generation_functions.display.item_browser import ItemBrowser, group_by, put_largest_first
from generation_functions.display.markup import Html, Part, beside, join, preformatted, tag
from generation_functions.display.records import OPEN, list_asked, read_record, read_roots
from generation_functions.pipelines.pipeline import Pipeline
from generation_functions.records import Turn
from generation_functions.steps.record import Record
from generation_functions.steps.run import Run


@dataclass(frozen=True, slots=True)
class Trail:
    """What the steps of a pipeline were asked about a chunk and its parts, and the rows."""

    records: tuple[Record, ...]
    rows: tuple[tuple[Turn, ...], ...]

    @property
    def outcome(self) -> str:
        """`kept` where there is a row; else what the last step came to, and why."""
        if self.rows:
            return "kept"
        last = self.records[-1].outcome
        return " · ".join(one for one in (last.result, last.reason) if one) if last else OPEN


def browse_made(run: Run, pipeline: Pipeline[Any, Any]) -> ItemBrowser[Trail]:
    """Return a browser of what the stage's last pass asked about, by outcome.

    All that was asked for a chunk stands together, with the rows that came of it. Raises
    RunFolderError before the stage has ended.
    """
    groups = group_by(read_trails(run, pipeline), lambda trail: trail.outcome)
    return ItemBrowser(put_largest_first(groups), show_trail, "Nothing was asked in this pass.")


def read_trails(run: Run, pipeline: Pipeline[Any, Any]) -> list[Trail]:
    """Return what each item that the pipeline's `map` began with went through in the last pass."""
    made = run.survivors(pipeline.name, pipeline.kind)
    rows = group_by(made, lambda one: one.chunk.uuid) | {one.uuid: [one] for one in made}
    roots = read_roots(run.folder, pipeline.name)
    records: dict[str, list[Record]] = {}
    for step in pipeline.steps:
        for path in list_asked(run.folder, pipeline.name, step.name):
            records.setdefault(roots.get(path.stem, path.stem), []).append(read_record(path))
    return [
        Trail(tuple(found), tuple(pipeline.turns(one) for one in rows.get(uuid, ())))
        for uuid, found in sorted(records.items())
    ]


def show_trail(trail: Trail) -> Html:
    """Return an item in three columns: input, steps, output."""
    first = trail.records[0]
    given = [_titled(name, str(value)) for name, value in first.fields.items()]
    said = [_show_step(record) for record in trail.records]
    rows = [_titled(turn.speaker, turn.text) for row in trail.rows for turn in row]
    none = tag("p", tag("em", "No row."))
    return beside(_column("In", given), _column("Steps", said), _column("Out", rows or [none]))


def _show_step(record: Record) -> Html:
    outcome = record.outcome
    became = f"{outcome.result} {outcome.reason}".strip() if outcome else OPEN
    shown = [reply.text for reply in record.taken or record.last_replies][-1:]
    return _titled(f"{record.step}: {became}, {len(record.last_replies)} replies", "".join(shown))


def _titled(title: str, text: str) -> Html:
    return join([tag("p", tag("strong", title)), preformatted(text)])


def _column(title: str, parts: Sequence[Part]) -> Html:
    return join([tag("h4", title), *parts])
