"""What benchmarks/teaches.py found: answers of several models to the same questions, compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any

import numpy as np

from generation_functions.choosing import rank
from generation_functions.pipelines.amounts import amounts
from generation_functions.pipelines.exam_answers import is_exact
from generation_functions.pipelines.exam_scores import describe_share
from generation_functions.pipelines.exam_steps import ExamQuestion
from generation_functions.pipelines.proportions import mcnemar_p, paired_interval

DRAWS = 10_000  # of the bootstrap
WRONG = 3  # answers of other questions beside the right one


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model makes of a question.

    `exact`: its own answer is right, by code. `chosen`: of the right answer and those of other
    questions it finds the right one likeliest, token by token. `likelihood` is the mean log of the
    probability of the right answer's tokens, in nats.
    """

    uuid: str
    part: str
    reply: str
    exact: bool
    chosen: bool
    likelihood: float


def choose_questions(questions: Sequence[ExamQuestion], most: int, seed: int) -> list[ExamQuestion]:
    """Return at most `most` questions of each part, drawn by the seed."""
    known = {one.uuid: one for one in questions}
    found: list[ExamQuestion] = []
    for part in dict.fromkeys(one.part for one in questions):
        uuids = rank((one.uuid for one in questions if one.part == part), seed, part)
        found += [known[uuid] for uuid in uuids[:most]]
    return found


def choose_options(
    question: ExamQuestion, questions: Sequence[ExamQuestion], seed: int
) -> list[str]:
    """Return the right answer, then WRONG answers of other questions: first those of its kind.

    Of one kind are answers with a figure, and those without. None of them is right too. All are of
    the question's own part: a trained model finds whatever it was taught likelier.
    """
    counted = bool(amounts(question.answer))
    others = {
        one.answer: bool(amounts(one.answer)) == counted
        for one in questions
        if one.part == question.part
        and one.uuid != question.uuid
        and not is_exact(question, one.answer)
    }
    ordered = rank(others, seed, question.uuid)
    wrong = sorted(ordered, key=lambda answer: not others[answer])  # stable
    return [question.answer, *wrong[:WRONG]]


def show_questions(examples: Sequence[tuple[str, str]], question: str) -> str:
    """Return the prompt of all models, which is plain text: a base model knows no template."""
    shown = [f"Question: {asked}\nAnswer: {answer}\n\n" for asked, answer in examples]
    return "".join(shown) + f"Question: {question}\nAnswer:"


def summarize(model: str, replies: Sequence[Reply], **known: Any) -> dict[str, Any]:
    """Return the line of a model: of each part, shares with their intervals."""
    line: dict[str, Any] = {"model": model, **known}
    for part in dict.fromkeys(one.part for one in replies):
        own = [one for one in replies if one.part == part]
        line[part] = {
            "questions": len(own),
            "exact": describe_share(sum(one.exact for one in own), len(own)),
            "chosen": describe_share(sum(one.chosen for one in own), len(own)),
            "likelihood": round(fmean(one.likelihood for one in own), 4),
        }
    return line


def compare_all(models: Mapping[str, Sequence[Reply]], seed: int) -> list[dict[str, Any]]:
    """Return a row for each two models, part and measure: the second less the first."""
    rows = []
    for first, second in combinations(models, 2):
        others = {one.uuid: one for one in models[second]}
        pairs = [(one, others[one.uuid]) for one in models[first] if one.uuid in others]
        for part in dict.fromkeys(one.part for one, _ in pairs):
            own = [pair for pair in pairs if pair[0].part == part]
            named = {"models": f"{second} - {first}", "part": part, "questions": len(own)}
            for measure in ("exact", "chosen"):
                right = [(getattr(one, measure), getattr(two, measure)) for one, two in own]
                rows.append({**named, "measure": measure, **_compare_right(right)})
            rises = [two.likelihood - one.likelihood for one, two in own]
            rows.append({**named, "measure": "likelihood", **_compare_means(rises, seed)})
    return rows


def _compare_right(right: Sequence[tuple[bool, bool]]) -> dict[str, str]:
    counts = [right.count(both) for both in ((True, True), (False, True), (True, False))]
    both, only_second, only_first = counts
    neither = len(right) - sum(counts)
    low, high = paired_interval(both, only_second, only_first, neither)
    return {
        "difference": f"{(only_second - only_first) / max(1, len(right)):+.1%}",
        "interval": f"{low:+.1%} to {high:+.1%}",
        "p": f"{mcnemar_p(only_first, only_second):.2g}",
    }


def _compare_means(rises: Sequence[float], seed: int) -> dict[str, str]:
    low, high = bootstrap_mean(rises, seed)
    return {"difference": f"{fmean(rises):+.4f}", "interval": f"{low:+.4f} to {high:+.4f}", "p": ""}


def bootstrap_mean(values: Sequence[float], seed: int) -> tuple[float, float]:
    """Return the 95 % interval of a mean: percentiles of the means of redrawn samples."""
    given = np.array(values, float)
    drawn = np.random.default_rng(seed).integers(0, len(given), (DRAWS, len(given)))
    low, high = np.percentile(given[drawn].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)
