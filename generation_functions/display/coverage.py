"""A bar for each document: which of its text has facts, variations, questions, or nothing."""

from collections.abc import Sequence

from generation_functions.display.markup import Html, Part, join, tag
from generation_functions.documents.layout import Span
from generation_functions.pipelines.coverage import (
    FACTS,
    FOR_EXAM,
    KINDS,
    NOTHING,
    QUESTIONS,
    UNREAD,
    UNWORTHY,
    VARIATIONS,
    Coverage,
    read_coverage,
)
from generation_functions.pipelines.passages import merge
from generation_functions.steps.run import Run

CELLS = 240  # of a bar
_COLOURS = {  # red, green and blue
    FACTS: "59, 122, 120",
    VARIATIONS: "92, 107, 164",
    QUESTIONS: "217, 164, 65",
    NOTHING: "181, 81, 63",
    UNWORTHY: "154, 154, 154",
    UNREAD: "205, 205, 205",
    FOR_EXAM: "120, 94, 60",
}
_NONE = "No document yet: has the documents stage run?"
_HEAD = "white-space: normal; overflow-wrap: anywhere; font-weight: bold"


def show_coverage(run: Run, kinds: Sequence[str] = KINDS, most: int = 50) -> Html:
    """Return a bar for each of the first documents, with a line for each of these kinds.

    A place is the darker, the more of its characters are of the kind.
    """
    found = read_coverage(run.folder)
    shown = [show_bars(one, kinds) for one in found[:most]]
    left = f"and {len(found) - most:,} documents more" if len(found) > most else ""
    return join([*shown, tag("p", left)]) if found else tag("p", tag("em", _NONE))


def show_bars(one: Coverage, kinds: Sequence[str] = KINDS) -> Html:
    """Return a document's name and length, then a bar and its share for each kind."""
    rows = [
        tag("tr", _cell(kind, "7em"), _cell(_draw(one, kind), "80%"), _cell(_say(one, kind), "4em"))
        for kind in kinds
    ]
    head = tag("div", f"{one.source}, {one.length:,} characters", style=_HEAD)
    table = tag("table", *rows, style="width: 100%; border-collapse: collapse")
    return tag("div", head, table, style="margin-bottom: 12px")


def measure_cells(ranges: Sequence[Span], length: int, count: int = CELLS) -> list[float]:
    """Return the share of each of `count` equal parts of a text that is in the ranges."""
    cells = [0.0] * count
    width = length / count
    for start, end in merge(ranges):
        for place in range(int(start / width), min(int(end / width) + 1, count)):
            inside = min(end, (place + 1) * width) - max(start, place * width)
            cells[place] += max(0.0, inside) / width
    return [min(1.0, cell) for cell in cells]


def _draw(one: Coverage, kind: str) -> Html:
    """Return a bar: a gradient of hard stops, neighbours of one colour as one."""
    cells = [round(cell, 2) for cell in measure_cells(one.ranges.get(kind, ()), max(1, one.length))]
    stops, begin = [], 0
    for place in range(1, CELLS + 1):
        if place == CELLS or cells[place] != cells[begin]:
            colour = f"rgba({_COLOURS[kind]}, {cells[begin]})"
            stops.append(f"{colour} {100 * begin / CELLS:.2f}% {100 * place / CELLS:.2f}%")
            begin = place
    style = f"height: 9px; background: linear-gradient(to right, {', '.join(stops)})"
    border = "border: 1px solid rgba(154, 154, 154, .5)"
    return tag("div", "", style=f"{style}; {border}", title=f"{kind} {_say(one, kind)}")


def _cell(content: Part, width: str) -> Html:
    return tag("td", content, style=f"width: {width}; padding: 1px 6px; text-align: left")


def _say(one: Coverage, kind: str) -> str:
    return f"{one.share(kind):.0%}"
