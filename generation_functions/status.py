"""Reading and showing a run's status: the funnel, the reasons, the calls."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generation_functions.errors import RunFolderError
from generation_functions.pipelines.coverage import KINDS, Coverage
from generation_functions.steps.files import read_json
from generation_functions.steps.stage_pass import STATUS

Status = dict[str, Any]
_TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens")
_TOKEN_HEADS = ("prompt", "of it not anew", "reply")
_KINDS = ("pipelines", "steps", "apart")
_NAME = 26  # characters of a source's name in a line
_COLUMNS = ("in", "kept", "rejected", "failed", "new_calls", "replayed_calls")


def read_status(folder: Path) -> Status:
    """Return a run's status by stage. Raises RunFolderError where no stage has run."""
    status = read_json(folder / STATUS)
    if status is None:
        raise RunFolderError(f"{folder}: no status.json there; is it a run folder?")
    return dict(status)


def funnel_rows(status: Status) -> list[dict[str, Any]]:
    """Return a row for each pipeline and step, in order, with stage, name and counts.

    What was counted apart, of items that are not the run's own, comes last.
    """
    return [
        {"stage": stage, "kind": kind, "name": name, **{key: counts[key] for key in _COLUMNS}}
        for stage, content in status.items()
        for kind in _KINDS
        for name, counts in content.get(kind, {}).items()
    ]


def reason_rows(status: Status) -> list[dict[str, Any]]:
    """Return a row for each reason why items were dropped, the commonest of a step first."""
    return [
        {"stage": stage, "name": name, "outcome": outcome, "reason": reason, "items": items}
        for stage, content in status.items()
        for kind in ("pipelines", "steps")
        for name, counts in content[kind].items()
        for outcome, reasons in counts["reasons"].items()
        for reason, items in reasons.items()
    ]


def token_rows(status: Status) -> list[dict[str, Any]]:
    """Return a row for each step that asked the model: tokens, and the share saved."""
    return [
        {"stage": stage, "name": name, **{key: counts[key] for key in _TOKENS}}
        for stage, content in status.items()
        for name, counts in (content["steps"] | content.get("apart", {})).items()
        if counts["new_calls"]
    ]


def judge_rows(status: Status) -> list[dict[str, Any]]:
    """Return a row for each check and source of planted pairs: what it caught, with intervals."""
    return [
        {
            "check": figure["check"],
            "planted": figure["source"],
            "known_bad_caught": say_share(figure["caught"], figure["bad"], figure["recall"]),
            "known_good_refused": say_share(
                figure["refused"], figure["right"], figure["false_alarms"]
            ),
        }
        for figure in _judges(status).get("figures", [])
    ]


def judge_warnings(status: Status) -> list[str]:
    """Return a sentence about each check that was no better than chance."""
    return list(_judges(status).get("warnings", []))


def _judges(status: Status) -> dict[str, Any]:
    findings = status.get("questions", {}).get("findings", {})
    return dict(findings.get("judges", {}))


def say_share(hits: int, number: int, interval: tuple[float, float]) -> str:
    """Return how many of how many, and the percents between which the share lies."""
    if not number:
        return "none"
    low, high = (f"{100 * end:.0f}" for end in interval)
    return f"{hits} of {number}: {hits / number:.0%} ({low} to {high})"


def describe_status(status: Status) -> str:
    """Return the funnel and the reasons as text."""
    lines = [f"{'':28}" + "".join(f"{name.replace('_', ' '):>16}" for name in _COLUMNS)]
    stage = ""
    for row in funnel_rows(status):
        if row["stage"] != stage:
            stage = row["stage"]
            content = status[stage]
            limit = f", limited to {content['limit']} chunks" if content["limit"] else ""
            lines.append(f"{stage}{limit}{'' if content['complete'] else ' (interrupted)'}")
            lines += [f"  ended early: {content['stopped']}"] if content.get("stopped") else []
        lines.append(f"  {row['name']:26}" + "".join(f"{row[name]:>16}" for name in _COLUMNS))
    reasons = reason_rows(status)
    if reasons:
        lines += ["", "Reasons"]
        lines += [
            f"  {row['items']:5}  {row['name']:24} {row['outcome']:9} {row['reason']}"
            for row in reasons
        ]
    tokens = token_rows(status)
    if tokens:
        lines += ["", f"{'Tokens of new calls':28}" + "".join(f"{n:>16}" for n in _TOKEN_HEADS)]
        lines += [
            f"  {row['name']:26}" + "".join(f"{row[n]:>16}" for n in _TOKENS) for row in tokens
        ]
        lines.append("")
    lines += _describe_judges(status)
    lines += _describe_neighbours(status)
    lines += _describe_gaps(status)
    for content in status.values():
        for folder, counts in content["survivors"].items():
            said = ", ".join(f"{count} {name}" for name, count in counts.items())
            lines.append(f"{folder}/: {said}")
    return "\n".join(lines)


def _describe_neighbours(status: Status) -> list[str]:
    found = status.get("recall", {}).get("findings", {}).get("neighbours")
    if not found:
        return []
    changed, pieces = found["changed"], found["pieces"]
    return [f"recall: {changed} of {pieces} pieces have other related chunks than before", ""]


def coverage_rows(found: Sequence[Coverage]) -> list[dict[str, Any]]:
    """Return a row for each document: its characters, and the share of them of each kind."""
    return [
        {
            "document": one.source,
            "characters": one.length,
            **{kind.replace(" ", "_"): round(one.share(kind), 3) for kind in KINDS},
        }
        for one in found
    ]


def describe_coverage(found: Sequence[Coverage]) -> str:
    """Return a line for each document: what of its characters is covered, in percent."""
    if not found:
        return ""
    lines = [f"{'Coverage in %':28}{'characters':>16}" + "".join(f"{kind:>12}" for kind in KINDS)]
    for one in found:
        name = one.source if len(one.source) <= _NAME else f"{one.source[: _NAME - 1]}…"
        shares = "".join(f"{100 * one.share(kind):>12.0f}" for kind in KINDS)
        lines.append(f"  {name:{_NAME}}{one.length:>16,}{shares}")
    return "\n".join(lines)


def _describe_gaps(status: Status) -> list[str]:
    """Say of each stage how much worthy text it has made nothing of."""
    lines = []
    for stage, content in status.items():
        found = content.get("findings", {}).get("gaps", {})
        if found.get("left"):
            said = f"after {found['rounds']} rounds of asking again" if found["rounds"] else ""
            hint = said or "`run --gaps` asks again"
            lines.append(f"{stage}: nothing was made of {found['left']} worthy texts ({hint})")
    return [*lines, ""] if lines else []


def _describe_judges(status: Status) -> list[str]:
    rows = judge_rows(status)
    if not rows:
        return []
    head = f"{'Checks, by planted pairs':28}{'':19}{'known-bad caught':30}known-good refused"
    lines = [
        f"  {row['check']:26}{row['planted']:19}{row['known_bad_caught']:30}"
        f"{row['known_good_refused']}"
        for row in rows
    ]
    return [head, *lines, *(f"WARNING: {said}" for said in judge_warnings(status)), ""]
