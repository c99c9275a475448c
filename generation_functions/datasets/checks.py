"""How the rows of a training folder were checked, in words, for its manifest and its card."""

from collections.abc import Iterable, Mapping, Sequence

from generation_functions.pipeline_sections import FactualWay

SKIPPED = {  # option of a way of asking -> the check that it leaves out
    "skip_question_check": "the check of the question",
    "skip_answer_relevancy_check": "the check of the answer's relevance",
    "skip_answer_accuracy_check": "the check of its accuracy",
}


def describe_origin(varied: bool) -> str:
    """Return where the rows to pretrain on come from; `varied`: a model told them again too."""
    if not varied:
        return "The texts are those of the documents; no model wrote or checked them."
    return (
        "The texts of text_chunks_* are those of the documents. Facts and variations were written "
        "by a model; code checked that their figures, dates and names are in their text. No model "
        "checked what else they say."
    )


def describe_checks(votes: int) -> str:
    """Return how the rows that a model wrote were checked; `votes` is double_check_counter."""
    if not votes:
        return (
            "Question-answer pairs passed checks by code only (double_check_counter: 0): no model "
            "was asked whether they agree with the text."
        )
    by_votes = "one vote" if votes == 1 else f"the majority of {votes} votes"
    return (
        f"Question-answer pairs passed checks by code, then three by a model, each by {by_votes}."
    )


def describe_masked_checks(retrievals: int, corrections: int, votes: int) -> str:
    """Return how rows were checked of which only a part is trained on, of as many as there are."""
    said = ""
    if retrievals:
        said += (
            " Rows on retrieved documents ask vetted pairs; where a retrieval is to fail, code "
            "proved that no document has the quote that an answer rests on, or a figure of it."
        )
    if corrections:
        said += (
            " In corrections the right answer is a vetted one; a wrong one differs from it, and "
            "from its text, by code" + (" and lost a vote on its accuracy." if votes else ".")
        )
    return said


def describe_made_checks(names: Iterable[str]) -> str:
    """Return how the rows of these pipelines, which are found by their names, were checked."""
    said = ", ".join(names)
    return f" Rows of {said} passed the checks of their own pipelines." if said else ""


def describe_recall_checks(ways: Mapping[str, FactualWay]) -> str:
    """Return how the recalls of these ways were checked beside that, and what was left out."""
    said = "Recalls passed the same checks, and by code one of their way of asking."
    if left_out := group_skipped(ways, SKIPPED):
        said += f" Left out: {'; '.join(left_out)}."
    return said


def group_skipped(ways: Mapping[str, FactualWay], checks: Mapping[str, str]) -> list[str]:
    """Return a phrase for ways that leave out the same of `checks` (option -> words)."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, way in ways.items():
        skipped = tuple(said for option, said in checks.items() if getattr(way, option))
        groups.setdefault(skipped, []).append(name)
    return [f"of {_join(names)} {_join(skipped)}" for skipped, names in groups.items() if skipped]


def _join(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
