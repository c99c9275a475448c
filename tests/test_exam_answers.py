"""Exact answers of an exam: what code takes for right, and what not."""

import pytest

from generation_functions.pipelines.exam_answers import is_exact
from generation_functions.pipelines.exam_steps import TAUGHT, ExamQuestion
from generation_functions.records import Chunk

TEXT = (
    "The lighthouse on Skerry Holm was finished in 1856 and stands 41 metres above the sea. "
    "Its first keeper, Anders Moe, burnt rape oil in three lamps."
)
CHUNK = Chunk("c", "d", "texts", "The Lights", TEXT, 0, len(TEXT), 30)


def ask(question: str, answer: str) -> ExamQuestion:
    return ExamQuestion("q", TAUGHT, question, answer, (1, 2), TEXT, CHUNK)


YEAR = ask("In which year was the lighthouse on Skerry Holm finished?", "1856")
HEIGHT = ask("How high above the sea does the lighthouse on Skerry Holm stand?", "41 metres")
KEEPER = ask("Who was the first keeper of the lighthouse on Skerry Holm?", "Anders Moe")
OIL = ask("Which oil was burnt in the lighthouse on Skerry Holm?", "Rape oil")
LAMPS = ask("How many lamps did the first keeper of Skerry Holm have?", "Three")


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (YEAR, "1856"),
        (YEAR, "It was finished in 1856."),
        (HEIGHT, "Forty-one metres"),
        (HEIGHT, "41 metres above the sea."),
        (KEEPER, "Anders Moe"),
        (KEEPER, "Its first keeper was Anders Moe."),
        (OIL, "rape oil"),
        (OIL, "Oil made of rape"),
        (LAMPS, "3"),
        (LAMPS, "three lamps"),
    ],
)
def test_the_answer_counts_in_its_own_words_and_figures(question: ExamQuestion, reply: str) -> None:
    assert is_exact(question, reply)


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (YEAR, ""),
        (YEAR, "1865"),
        (YEAR, "1856 or 1858"),
        (YEAR, "In the year that it was finished"),
        (YEAR, "Not in 1856"),
        (HEIGHT, "41 fathoms"),
        (HEIGHT, "41 metres, or 1856"),
        (KEEPER, "Anders Holm"),
        (KEEPER, "A keeper"),
        (KEEPER, "Anders Moe and Edward Teach"),
        (OIL, "Whale oil"),
        (OIL, "Oil"),
        (LAMPS, "Four"),
        (LAMPS, "Lamps"),
    ],
)
def test_another_answer_does_not_count(question: ExamQuestion, reply: str) -> None:
    assert not is_exact(question, reply)


def test_a_denial_is_right_where_the_answer_is_one() -> None:
    nobody = ask("Who lives on Skerry Holm today?", "No keeper")
    assert is_exact(nobody, "no keeper")
    assert not is_exact(nobody, "a keeper")
