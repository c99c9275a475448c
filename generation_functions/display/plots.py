"""Pictures: the funnel as bars, how long texts are in tokens, speeds by slots.

matplotlib is imported when a picture is drawn, through its objects: no pyplot, no state.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from generation_functions.status import Status, funnel_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = {"kept": "#3b7a78", "rejected": "#d9a441", "failed": "#b5513f"}
_INK, _FAINT = "#333333", "#9a9a9a"
_BINS = 40
_DOTS = 160  # per inch; shown at half of it, which is sharp on every screen


@dataclass(frozen=True, slots=True)
class Picture:
    """A matplotlib figure that a notebook shows once."""

    figure: "Figure"

    def save(self, path: Path, dots: int = _DOTS) -> None:
        """Write the picture; the format is the suffix's (png, svg, pdf)."""
        self.figure.savefig(path, dpi=dots, metadata={"Software": None} if _is_png(path) else None)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        data = BytesIO()
        self.figure.savefig(data, format="png", dpi=_DOTS)
        width, height = (int(side * _DOTS / 2) for side in self.figure.get_size_inches())
        return data.getvalue(), {"width": width, "height": height}


def plot_funnel(status: Status, stage: str | None = None) -> Picture:
    """Draw what each pipeline and step kept, rejected and failed: one stage, or all."""
    rows = [row for row in funnel_rows(status) if stage in (None, row["stage"])]
    figure, axes = _new_figure(height=0.9 + 0.34 * max(len(rows), 1))
    left = [0] * len(rows)
    for outcome, colour in _COLOURS.items():
        values = [row[outcome] for row in rows]
        axes.barh(range(len(rows)), values, left=left, color=colour, height=0.66, label=outcome)
        left = [start + value for start, value in zip(left, values, strict=True)]
    widest = max([*left, 1])
    for place, row in enumerate(rows):
        axes.text(row["in"] + widest * 0.012, place, _say_kept(row), va="center", color=_INK)
    axes.set_yticks(list(range(len(rows))), [_label(row, stage) for row in rows])
    axes.set_xlim(0, widest * 1.16)
    axes.set_xlabel("items")
    axes.invert_yaxis()
    figure.legend(loc="outside upper right", ncols=3, frameon=False)
    return Picture(figure)


def save_funnel(status: Status, path: Path) -> None:
    """Write the funnel of all stages as a picture; the format is the suffix's."""
    plot_funnel(status).save(path)


def plot_token_lengths(
    lengths: Mapping[str, Sequence[int]], limit: int | None = None, label: str = "tokens"
) -> Picture:
    """Draw a histogram of token counts for each name, one above the other.

    `limit`, where given, is drawn as a line: the most that was asked for.
    """
    shown = {name: values for name, values in lengths.items() if values}
    figure, all_axes = _new_stack(max(len(shown), 1))
    longest = max((max(values) for values in shown.values()), default=1)
    step = (max(longest, limit or 0) * 1.02 + 1) / _BINS
    bins = [number * step for number in range(_BINS + 1)]
    for axes, (name, values) in zip(all_axes, shown.items(), strict=False):
        axes.hist(values, bins=bins, color=_COLOURS["kept"], rwidth=0.92)
        note = f"{name}: {len(values):,}, median {int(median(values)):,}, most {max(values):,}"
        axes.set_title(note, loc="left", fontsize=9, color=_INK)
        if limit is not None:
            axes.axvline(limit, color=_COLOURS["failed"], linewidth=1, linestyle="--")
    if not shown:
        all_axes[0].set_title("nothing yet", loc="left", fontsize=9, color=_INK)
    all_axes[-1].set_xlim(0, bins[-1])
    all_axes[-1].set_xlabel(label)
    return Picture(figure)


def plot_parts(tokens: Mapping[str, int], asked: Mapping[str, int]) -> Picture:
    """Draw the tokens of each part as a bar; a line marks how many were asked for."""
    figure, axes = _new_figure(height=1.1 + 0.34 * max(len(tokens), 1))
    total, widest = max(sum(tokens.values()), 1), max([*tokens.values(), *asked.values(), 1])
    axes.barh(range(len(tokens)), list(tokens.values()), color=_COLOURS["kept"], height=0.66)
    for place, (name, number) in enumerate(tokens.items()):
        wanted = asked.get(name, number)
        note = f"{number:,}, {100 * number / total:.1f} %"
        axes.text(max(number, wanted) + widest * 0.012, place, note, va="center", color=_INK)
        if name in asked:
            axes.vlines(wanted, place - 0.42, place + 0.42, color=_COLOURS["failed"], linewidth=2)
    axes.set_yticks(list(range(len(tokens))), list(tokens))
    axes.set_xlim(0, widest * 1.3)
    axes.set_xlabel("tokens (red: asked for)" if asked else "tokens")
    axes.invert_yaxis()
    return Picture(figure)


def plot_speeds(lines: Mapping[str, Mapping[int, float]], chosen: int | None = None) -> Picture:
    """Draw tokens per second by number of slots, a line for each name; `chosen` is marked."""
    from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

    figure, axes = _new_figure(height=2.9)
    slots = sorted({count for line in lines.values() for count in line})
    colours = (_COLOURS["kept"], _COLOURS["rejected"])
    for (name, line), colour in zip(lines.items(), colours, strict=False):
        places = sorted(line)
        values = [line[place] for place in places]
        axes.plot(places, values, color=colour, marker="o", markersize=4, label=name)
    if not slots:
        axes.set_title("nothing measured yet", loc="left", fontsize=9, color=_INK)
        return Picture(figure)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(slots))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=_FAINT, alpha=0.3)
    axes.set_xlabel("slots")
    axes.set_title("tokens per second", loc="left", fontsize=9, color=_INK)
    if chosen is not None:
        axes.axvline(chosen, color=_COLOURS["failed"], linewidth=1, linestyle="--")
        note = f" suggested: {chosen}"
        axes.text(chosen, 0, note, color=_COLOURS["failed"], fontsize=9, va="bottom")
    figure.legend(loc="outside upper right", ncols=2, frameon=False)
    return Picture(figure)


def _label(row: Mapping[str, Any], stage: str | None) -> str:
    name = str(row["name"]).replace("_", " ")
    return name if stage or row["stage"] == row["name"] else f"{row['stage']}: {name}"


def _say_kept(row: Mapping[str, Any]) -> str:
    return f"{row['kept']:,}" if row["kept"] == row["in"] else f"{row['kept']:,} of {row['in']:,}"


def _new_figure(height: float) -> "tuple[Figure, Axes]":
    figure, axes = _new_stack(1, height)
    return figure, axes[0]


def _new_stack(count: int, height: float = 1.5) -> "tuple[Figure, list[Axes]]":
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7.5, height * count), layout="constrained", facecolor="white")
    stack = figure.subplots(count, 1, sharex=True, squeeze=False)
    for axes in stack[:, 0]:
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set_color(_FAINT)
        axes.tick_params(length=0, labelcolor=_INK, labelsize=9)
        axes.xaxis.label.set_color(_INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    return figure, list(stack[:, 0])


def _is_png(path: Path) -> bool:
    return path.suffix.lower() == ".png"
