"""Tables: rows of anything, a stage's funnel, and its reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

from generation_functions.display.markup import Html, Part, join, preformatted, tag
from generation_functions.status import Status, funnel_rows, reason_rows

_CELL = "text-align: {side}; vertical-align: top; padding: 4px 12px 4px 0"
_FUNNEL = ("name", "in", "kept", "rejected", "failed", "new_calls", "replayed_calls")
_INTERRUPTED = "The stage was interrupted: run its cell again to go on."
_REASONS = ("name", "outcome", "items", "reason")


def show_table(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str] | None = None,
    empty: str = "Nothing to show.",
) -> Html:
    """Return rows as a table; columns are those named, or the first row's.

    Underscores in a column's name are shown as spaces, numbers with thousands separators.
    """
    if not rows:
        return tag("p", tag("em", empty))
    names = list(columns or rows[0])
    numeric = {name for name in names if all(_is_number(row.get(name)) for row in rows)}
    styles = {name: _CELL.format(side="right" if name in numeric else "left") for name in names}
    head = tag("tr", *(tag("th", name.replace("_", " "), style=styles[name]) for name in names))
    body = (
        tag("tr", *(tag("td", _cell(row.get(name)), style=styles[name]) for name in names))
        for row in rows
    )
    return tag("table", tag("thead", head), tag("tbody", *body))


def show_funnel(status: Status, stage: str) -> Html:
    """Return what a stage's steps took in, kept and dropped, and their calls."""
    rows = [row for row in funnel_rows(status) if row["stage"] == stage]
    content = status.get(stage)
    notes: list[Part] = []
    if content and content["limit"]:
        notes.append(tag("p", f"Limited to the first {content['limit']} chunks."))
    if content and not content["complete"]:
        stopped = content.get("stopped")
        said = f"The stage was ended early: {stopped}" if stopped else _INTERRUPTED
        notes.append(tag("p", said))
    empty = f"The stage {stage} has not run yet."
    return join([*notes, show_table(rows, _FUNNEL, empty=empty)])


def show_reasons(status: Status, stage: str) -> Html:
    """Return the reasons why a stage's steps dropped items, with how many each dropped."""
    rows = [row for row in reason_rows(status) if row["stage"] == stage]
    return show_table(rows, _REASONS, empty="Nothing was rejected, nothing failed.")


def shorten(text: str, most: int = 160) -> str:
    """Return the beginning of a text in one line."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _cell(value: object) -> Html:
    match value:
        case Html():
            return value
        case None:
            return Html("")
        case bool():
            return preformatted("yes" if value else "no")
        case int():
            return preformatted(f"{value:,}")
        case float():
            return preformatted(f"{value:,.1f}")
        case _:
            return preformatted(str(value))
