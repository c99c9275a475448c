"""How the questions' stage went: chunks by source, votes by check, what was mended."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from generation_functions.display.markup import Html, beside, folded, join, preformatted, tag
from generation_functions.display.records import list_asked, read_record
from generation_functions.display.tables import shorten, show_table
from generation_functions.errors import Unparsable
from generation_functions.pipelines.question_steps import read_verdict
from generation_functions.pipelines.questions import BY_ANSWER, BY_QUESTION, FOUND, SUITABLE
from generation_functions.pipelines.repairing import (
    CHECKS,
    REPAIR_ANSWER,
    REPLACE_PAIR,
    REVISE_PAIR,
)
from generation_functions.status import Status
from generation_functions.steps.record import Record, Reply
from generation_functions.steps.run import Run

STAGE = "questions"
UNUSABLE = "unusable"


def show_sources(status: Status, most: int = 200) -> Html:
    """Return each source's chunks, suitable and not with reasons, the least suitable first."""
    tallied = _find_tally(status, "sources")
    if not tallied:
        return tag("p", tag("em", "No chunk has been judged."))
    total = sum((Counter(cells) for cells in tallied.values()), Counter())
    rows = [_describe_source(name, cells) for name, cells in sorted(tallied.items())]
    rows.sort(key=lambda row: row["suitable"] / row["chunks"])
    cut = len(rows) - most
    rows = rows[:most] + ([{"source": f"… and {cut:,} more"}] if cut > 0 else [])
    every = [_describe_source(f"{len(tallied):,} sources", total)] if len(tallied) > 1 else []
    return show_table([*rows, *every])


def show_votes(run: Run, most: int = 10) -> Html:
    """Return how the checks voted, and of each the first pairs on which votes disagreed.

    Counted is what the last pass asked about, without planted pairs.
    """
    if not run.config.questions.double_check_counter:
        return tag("p", tag("em", "No votes: `questions.double_check_counter` is 0."))
    rows, examples = [], []
    for check, _, _ in CHECKS:
        counts: Counter[str] = Counter()
        split: list[dict[str, str]] = []
        for record in map(read_record, list_asked(run.folder, STAGE, check.name)):
            if record.counted:
                continue
            votes = read_votes(record, run.config.questions.double_check_counter)
            kind = _name_votes(votes)
            counts.update([kind])
            counts["votes"] += len(votes)
            counts[UNUSABLE] += votes.count(UNUSABLE)
            if kind == "divided" and len(split) < most:
                split.append(_describe_votes(record, votes))
        columns = ("all_yes", "all_no", "divided", "votes", UNUSABLE)
        pairs = sum(counts[column] for column in columns[:3])
        rows.append({"check": check.name, "pairs": pairs, **{one: counts[one] for one in columns}})
        if split:
            examples.append(folded(f"{check.name}: where votes disagreed", show_table(split)))
    return join([show_table(rows), *examples])


def read_votes(record: Record, total: int) -> list[str]:
    """Return a record's votes ("yes", "no" or "unusable"), at most `total`, in their order.

    Of a vote's attempts the last counts. What other prompts or models said is left out.
    """
    first = [reply for reply in record.replies if (reply.vote, reply.attempt) == (0, 0)]
    votes: dict[int, str] = {}
    for reply in record.replies:
        current = first and (reply.prompt, reply.model) == (first[-1].prompt, first[-1].model)
        if current and reply.vote < total:
            votes[reply.vote] = _read_vote(record, reply)
    return [votes[number] for number in sorted(votes)]


def show_repairs(run: Run, status: Status, most: int = 5) -> Html:
    """Return how many pairs each fault was found in first, and what mended them, with examples."""
    rows = [
        _describe_fault(fault, cells) for fault, cells in _find_tally(status, "repairs").items()
    ]
    rows.sort(key=lambda row: -row["pairs"])
    steps = (REPAIR_ANSWER, REPLACE_PAIR, REVISE_PAIR)
    examples = (_show_changes(run.folder, step.name, most) for step in steps)
    return join([show_table(rows, empty="No pair needed to be mended."), *examples])


def _describe_source(name: str, cells: Mapping[str, int]) -> dict[str, Any]:
    chunks, suitable = sum(cells.values()), cells.get(SUITABLE, 0)
    reasons = sorted(
        ((count, why) for why, count in cells.items() if why != SUITABLE), reverse=True
    )
    return {
        "source": name,
        "chunks": chunks,
        "suitable": suitable,
        "unsuitable": chunks - suitable,
        "share_suitable": f"{suitable / chunks:.0%}",
        "why_not": ", ".join(f"{why} {count:,}" for count, why in reasons),
    }


def _describe_fault(fault: str, cells: Mapping[str, int]) -> dict[str, Any]:
    found, *mended = (cells.get(column, 0) for column in (FOUND, BY_ANSWER, BY_QUESTION))
    return {
        "first_fault": fault,
        "pairs": found,
        "mended_by_another_answer": mended[0],
        "mended_by_another_question": mended[1],
        "not_mended": found - sum(mended),
    }


def _read_vote(record: Record, reply: Reply) -> str:
    """Return what a vote came to; its words alone do not tell, where code has a say too."""
    reading = record.readings.get(reply.key)
    if reading and reading.use in ("taken", "outvoted") and record.outcome:
        kept = record.outcome.result == "kept"
        return "yes" if kept == (reading.use == "taken") else "no"
    try:
        verdict = read_verdict(reply.text).partition("\n")[0]
    except Unparsable:
        return UNUSABLE
    return verdict if verdict in ("yes", "no") and reply.finish_reason == "stop" else UNUSABLE


def _name_votes(votes: Sequence[str]) -> str:
    kinds = set(votes) - {UNUSABLE}
    return f"all_{kinds.pop()}" if len(kinds) == 1 else "divided" if kinds else "none"


def _describe_votes(record: Record, votes: Sequence[str]) -> dict[str, str]:
    return {
        "question": str(record.fields.get("question", "")),
        "answer": str(record.fields.get("answer", "")),
        "votes": ", ".join(votes),
        "replies": "\n\n".join(reply.text for reply in record.replies),
    }


def _show_changes(folder: Path, step: str, most: int, most_opened: int = 200) -> Html:
    """Return the first pairs that a step changed, before and after, folded."""
    shown: list[Html] = []
    for path in list_asked(folder, STAGE, step)[:most_opened]:
        record = read_record(path)
        before, output = (
            _take_words(record.fields),
            record.outcome.output if record.outcome else None,
        )
        if output and any(output[name] != words for name, words in before.items()):
            told = tag("p", shorten(str(record.fields.get("problem", "")), 400))
            shown.append(join([told, beside(_show_words(before), _show_words(output))]))
        if len(shown) == most:
            break
    return folded(f"{step}: before and after", join(shown)) if shown else Html("")


def _take_words(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a prompt said of the old pair: some repairs are not shown all of it."""
    if "existing" in fields:  # the pair's own question is the last of those that were asked
        return {"question": fields["existing"][-1], "answer": ""}
    return {"question": fields["question"], "answer": fields.get("answer", "")}


def _show_words(pair: Mapping[str, Any]) -> Html:
    return join([tag("strong", str(pair["question"])), preformatted(str(pair.get("answer", "")))])


def _find_tally(status: Status, name: str) -> dict[str, dict[str, int]]:
    findings = status.get("questions", {}).get("findings", {})
    return dict(findings.get(name, {}))
