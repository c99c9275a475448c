"""What a model got right in an exam: its score on disk, shares with intervals, two compared."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation_functions.errors import RunFolderError
from generation_functions.pipelines.exam_steps import PARTLY, PARTS, RIGHT, WRONG
from generation_functions.pipelines.proportions import mcnemar_p, paired_interval, wilson_interval
from generation_functions.records import from_json
from generation_functions.steps.files import read_json

SCORES = "exam/scores"
EXACT, JUDGED = "exact", "judged right"
MEASURES = (EXACT, JUDGED)


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's reply to a question; "" where it gave none.

    `exact` is told by code, `verdict` by a judge, "" without one; `reason` is the judge's.
    """

    uuid: str
    part: str
    question: str
    answer: str
    reply: str
    exact: bool
    verdict: str = ""
    reason: str = ""

    def is_right(self, measure: str) -> bool:
        """Whether it counts, by one of MEASURES."""
        return self.exact if measure == EXACT else self.verdict == RIGHT


@dataclass(frozen=True, slots=True)
class JudgeTrial:
    """How a judge did on known replies: right ones that it called right, and of wrong ones (the
    answers to other questions) those that it called right or partly right.
    """

    right: int
    called_right: int
    wrong: int
    let_through: int


@dataclass(frozen=True, slots=True)
class Score:
    """What a model got right. `model` is its name and `fingerprint` its weights', `prompt` the
    hash of the prompt that it was asked with, `plain` whether without its chat template.
    """

    model: str
    fingerprint: str
    prompt: str
    plain: bool
    judge: str
    trial: JudgeTrial | None
    notes: tuple[str, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the questions that both were asked, by one measure."""

    part: str
    measure: str
    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def questions(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """The first model's share of right answers less the second's."""
        return (self.only_first - self.only_second) / max(1, self.questions)

    @property
    def interval(self) -> tuple[float, float]:
        """Of the difference, 95 %."""
        return paired_interval(self.both, self.only_first, self.only_second, self.neither)

    @property
    def p(self) -> float:
        """The chance of a difference at least so large between models that know as much."""
        return mcnemar_p(self.only_first, self.only_second)


def name_score(model: str) -> str:
    """Return the name of a model's file, without what no file's name may have."""
    return re.sub(r"[^\w.-]+", "_", model).strip("._") or "model"


def read_scores(folder: Path, names: Sequence[str] = ()) -> list[Score]:
    """Return the scores of a run, by name, or those named. Raises RunFolderError for none such."""
    files = {file.stem: file for file in sorted((folder / SCORES).glob("[!.]*.json"))}
    for name in map(name_score, names):
        if name not in files:
            known = ", ".join(files) or "none"
            raise RunFolderError(f"{folder / SCORES}: no score of {name}. There are: {known}.")
    return [_read(files[name_score(name)]) for name in names or files]


def _read(file: Path) -> Score:
    try:
        return from_json(Score, read_json(file))
    except ValueError as error:
        raise RunFolderError(f"{file}: no score: {error}. Score the model again.") from error


def score_rows(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """Return a row for each model and part: questions, and shares in percent with intervals."""
    return [
        _describe(score.model, part, own)
        for score in scores
        for part in PARTS
        if (own := [one for one in score.answers if one.part == part])
    ]


def compare(first: Score, second: Score) -> list[Comparison]:
    """Return the two models side by side, for each part and measure that both have.

    A question that a person edited between the two is not the same question any more.
    """
    found = []
    others = {_tell_question(one): one for one in second.answers}
    pairs = [(one, others[key]) for one in first.answers if (key := _tell_question(one)) in others]
    for part in PARTS:
        own = [pair for pair in pairs if pair[0].part == part]
        for measure in MEASURES:
            judged = measure == EXACT or all(one.verdict for pair in own for one in pair)
            if own and judged:
                found.append(_compare(part, measure, own))
    return found


def comparison_rows(first: Score, second: Score) -> list[dict[str, Any]]:
    """Return a row for each comparison of two models."""
    return [
        {
            "first": first.model,
            "second": second.model,
            "part": one.part,
            "measure": one.measure,
            "questions": one.questions,
            "both": one.both,
            "only_first": one.only_first,
            "only_second": one.only_second,
            "neither": one.neither,
            "difference": "{:+.1%} ({:+.1%} to {:+.1%})".format(one.difference, *one.interval),
            "p": f"{one.p:.2g}",
        }
        for one in compare(first, second)
    ]


def describe_rows(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows as a table of plain text."""
    if not rows:
        return ""
    table = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[place]) for line in table) for place in range(len(table[0]))]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in table
    )
    return "\n".join(line.rstrip() for line in padded)


def describe_share(hits: int, number: int) -> str:
    """Return a share in percent, with its 95 % interval."""
    low, high = wilson_interval(hits, number)
    return f"{hits / max(1, number):.1%} ({low:.1%} to {high:.1%})"


def _tell_question(answer: Answer) -> tuple[str, str, str]:
    return answer.uuid, answer.question, answer.answer


def _describe(model: str, part: str, own: Sequence[Answer]) -> dict[str, Any]:
    judged = all(one.verdict for one in own)
    verdicts = [one.verdict for one in own]
    return {
        "model": model,
        "part": part,
        "questions": len(own),
        EXACT: describe_share(sum(one.exact for one in own), len(own)),
        JUDGED: describe_share(verdicts.count(RIGHT), len(own)) if judged else "",
        PARTLY: verdicts.count(PARTLY) if judged else "",
        WRONG: verdicts.count(WRONG) if judged else "",
        "no_reply": sum(not one.reply for one in own),
    }


def _compare(part: str, measure: str, pairs: Sequence[tuple[Answer, Answer]]) -> Comparison:
    right = [(one.is_right(measure), other.is_right(measure)) for one, other in pairs]
    return Comparison(
        part,
        measure,
        both=right.count((True, True)),
        only_first=right.count((True, False)),
        only_second=right.count((False, True)),
        neither=right.count((False, False)),
    )
