"""How far the checks can be trusted: what they made of the planted pairs of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation_functions.display.markup import Html, folded, join, preformatted, tag
from generation_functions.display.tables import show_table
from generation_functions.status import judge_rows, judge_warnings, read_status
from generation_functions.steps.files import read_json
from generation_functions.steps.run import Run

_WARNING = "border-left: 4px solid #b5513f; padding: 4px 12px"
_SOURCES = (
    "Faults were put into this run's own accepted pairs, and stand in written passages that "
    "come with the program; known-good pairs are all from written passages. In brackets: 95 % "
    "intervals (Wilson). A check is measured on the kinds of fault that it ought to catch: "
    "their figures are in bold below."
)


def show_judges(run: Run) -> Html:
    """Return the planted pairs' tables: each check by source, each kind of fault, each pair.

    Warnings of checks that are no better than chance stand first.
    """
    status = read_status(run.folder)
    rows = judge_rows(status)
    if not rows:
        return tag("p", tag("em", "No planted pairs: the checks of this run are not measured."))
    findings = status["questions"]["findings"]["judges"]
    return join(
        [
            *(tag("p", said, style=_WARNING) for said in judge_warnings(status)),
            show_table(rows),
            tag("p", _SOURCES),
            show_table([_bold_kind(kind) for kind in findings["kinds"]]),
            folded("The planted pairs", show_table(_pair_rows(run.folder))),
        ]
    )


def _bold_kind(kind: Mapping[str, Any]) -> dict[str, Html | str | int]:
    """Return a kind's row, with what each check caught, in bold where it ought to."""
    cells: dict[str, Html | str | int] = {}
    for name, value in kind.items():
        if name != "ought":
            said = tag("strong", value) if name in kind["ought"] else preformatted(str(value))
            cells[name] = said
    return cells


def _pair_rows(folder: Path) -> list[dict[str, str]]:
    """Return a row for each planted pair, those that nothing caught first."""
    pairs = (read_json(folder / "judges.json") or {}).get("pairs", [])
    rows = [
        {
            "kind": pair["kind"],
            "planted": pair["source"],
            "question": pair["question"],
            "answer": pair["answer"],
            "refused_by": ", ".join(_refusals(pair)),
            "text": pair["text"],
        }
        for pair in pairs
    ]
    return sorted(rows, key=lambda row: bool(row["refused_by"]))


def _refusals(pair: Mapping[str, Any]) -> list[str]:
    found = [
        f"{name} (no reply)" if passed is None else name
        for name, passed in pair["verdicts"].items()
        if not passed
    ]
    return [*found, pair["rule"]] if pair["rule"] else found
