"""An exam: its questions with their sources, what of it the datasets have, models side by side."""

from collections.abc import Sequence

from generation_functions.display.documents import name_place
from generation_functions.display.item_browser import ItemBrowser, group_by
from generation_functions.display.items import mark_sentences
from generation_functions.display.markup import Html, folded, join, preformatted, tag
from generation_functions.display.tables import show_table
from generation_functions.pipelines.exam import EXAM
from generation_functions.pipelines.exam_scores import (
    Answer,
    Score,
    comparison_rows,
    score_rows,
)
from generation_functions.pipelines.exam_scores import read_scores as read_all
from generation_functions.pipelines.exam_steps import PARTS, ExamQuestion
from generation_functions.status import Status
from generation_functions.steps.run import Run

_NONE = "No exam: is `exam.enabled` true, and has the stage run?"
_NO_SCORE = "No model has been scored yet: `python -m generation_functions exam score` does it."


def read_exam(run: Run) -> list[ExamQuestion]:
    """Return the questions in the order of the documents; nothing before the stage."""
    on = run.config.exam.enabled and run.has(EXAM)
    made = run.survivors(EXAM, ExamQuestion) if on else []
    return sorted(made, key=lambda one: (one.part, one.chunk.source, one.chunk.start, one.uuid))


def show_parts(questions: Sequence[ExamQuestion]) -> Html:
    """Return how many questions each part has, on how many chunks, and how long answers are."""
    rows = []
    for part in PARTS:
        own = [one for one in questions if one.part == part]
        words = [len(one.answer.split()) for one in own]
        if own:
            rows.append(
                {
                    "part": part,
                    "questions": len(own),
                    "chunks": len({one.chunk.uuid for one in own}),
                    "sources": len({one.chunk.source for one in own}),
                    "words_of_an_answer": sum(words) / len(words),
                }
            )
    return show_table(rows, empty=_NONE)


def show_leaks(status: Status) -> Html:
    """Return how many questions of each part share long runs of words with the datasets."""
    found = status.get("exam", {}).get("findings", {}).get("leaks", {})
    return show_table([{"part": part, **counts} for part, counts in found.items()], empty=_NONE)


def browse_questions(questions: Sequence[ExamQuestion]) -> ItemBrowser[ExamQuestion]:
    """Return a browser of the questions by part, each with its source."""
    return ItemBrowser(group_by(questions, lambda one: one.part), show_question, _NONE)


def show_question(one: ExamQuestion) -> Html:
    """Return a question, its answer, and the chunk with what the answer rests on marked."""
    return join(
        [
            tag("p", tag("strong", name_place(one.chunk))),
            tag("p", tag("strong", one.question)),
            preformatted(one.answer),
            folded("The text", mark_sentences(one.chunk, [one.sentences])),
        ]
    )


def read_scores(run: Run) -> list[Score]:
    """Return the scores of all models that sat the exam, by name."""
    return read_all(run.folder)


def show_scores(scores: Sequence[Score]) -> Html:
    """Return each model's shares with their intervals, and what they do not show."""
    notes = dict.fromkeys(note for score in scores for note in score.notes)
    table = show_table(score_rows(scores), empty=_NO_SCORE)
    return join([table, *(tag("p", tag("em", note)) for note in notes)])


def show_comparisons(scores: Sequence[Score]) -> Html:
    """Return each two models side by side, on the questions that both were asked."""
    rows = [
        row
        for place, first in enumerate(scores)
        for second in scores[place + 1 :]
        for row in comparison_rows(first, second)
    ]
    return show_table(rows, empty="Two models can be compared once two have been scored.")


def browse_answers(scores: Sequence[Score]) -> ItemBrowser[Answer]:
    """Return a browser of replies, by model and by what became of them."""
    groups: dict[str, Sequence[Answer]] = {}
    for score in scores:
        for said, own in group_by(score.answers, _name_outcome).items():
            groups[f"{score.model}: {said}"] = own
    return ItemBrowser(groups, show_answer, _NO_SCORE)


def show_answer(one: Answer) -> Html:
    """Return a question, the right answer, a model's reply, and what was said of it."""
    lines = {"right answer": one.answer, "reply": one.reply or "(none)", "judge": one.reason}
    said = (tag("div", tag("em", f"{name}: "), text) for name, text in lines.items() if text)
    return join([tag("p", tag("strong", one.question)), *said])


def _name_outcome(one: Answer) -> str:
    exact = "exact" if one.exact else "not exact"
    return f"{one.part}, {exact}{f', {one.verdict}' if one.verdict else ''}"
