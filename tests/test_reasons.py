"""Reasons that an answer lacks or invents, and words that it has of the prompts' examples."""

from dataclasses import replace

import pytest

from generation_functions.pipelines.lending import LENT, find_lent
from generation_functions.pipelines.pair_checks import find_problem
from generation_functions.pipelines.question_steps import make_pair
from generation_functions.pipelines.reasons import find_invented_reason, lacks_reason
from generation_functions.pipelines.samples import make_chunk

SLUICE = make_chunk(
    "The sluice of Marn has two gates of elm. They are shut before the flood, for the marsh lies "
    "below the river. The keeper greases their hinges with tallow on the first of each month."
)


@pytest.mark.parametrize(
    ("answer", "invented"),
    [
        ("The gates are shut to prevent thieves.", "to prevent thieves"),
        ("The hinges are greased because visitors complain, says he.", "because visitors complain"),
        ("The gates are shut because the marsh lies low.", None),
        ("They are shut to keep the flood out.", None),
        ("They are of elm.", None),
        ("It is done because of that.", None),
    ],
)
def test_a_reason_in_no_word_of_the_text_is_invented(answer: str, invented: str | None) -> None:
    assert find_invented_reason(answer, SLUICE.text, SLUICE.text) == invented


@pytest.mark.parametrize(
    ("answer", "invented"),
    [
        ("The hinges are greased to reduce the flood.", "to reduce the flood"),
        ("The hinges are greased to increase their tallow.", None),
        ("The hinges are greased to keep the flood out.", None),
        ("The hinges are greased because the marsh lies low.", None),
    ],
)  # fmt: skip
def test_an_aim_that_the_text_has_elsewhere_is_invented(answer: str, invented: str | None) -> None:
    quote = "The keeper greases their hinges with tallow on the first of each month."
    assert find_invented_reason(answer, SLUICE.text, quote) == invented


@pytest.mark.parametrize(
    ("question", "answer", "lacking"),
    [
        ("Why are the gates of Marn shut before the flood?",
         "The gates of Marn are shut before the flood comes.", True),
        ("Why are the gates of Marn shut before the flood?",
         "The gates are shut since the marsh lies below the river.", False),
        ("Why are the gates of Marn of elm?",
         "The gates of Marn are of elm, as elm swells in the flood.", False),
        ("Why is the flood slow at Marn?", "The flood at Marn is low, and therefore slow.", False),
        ("Why do the gates of Marn hold the flood?",
         "The elm gates of the Marn sluice hold the winter flood of the river.", True),
        ("Why do the gates of Marn hold the flood?",
         "Elm swells in water and shuts every gap of them.", False),
        ("When are the gates of Marn shut?", "The gates of Marn are shut.", False),
        ("Why?", "", False),
    ],
)  # fmt: skip
def test_a_why_is_not_answered_by_its_own_words(question: str, answer: str, lacking: bool) -> None:
    assert lacks_reason(question, answer) is lacking


def test_both_are_told_against_a_pair() -> None:
    asked = "Why are the gates of Marn's sluice shut before the flood?"
    invented = make_pair(SLUICE, (2,), asked, "The gates are shut to prevent thieves.")
    repeated = make_pair(SLUICE, (2,), asked, "The gates of the sluice are shut before the flood.")
    found = [find_problem(pair) for pair in (invented, repeated)]
    assert [problem and problem.reason for problem in found] == [
        "answer has a reason that the text lacks",
        "answer only repeats the question",
    ]


EXAMPLES = ("The belt of a sewing machine is greased with paraffin.", "Nobody shut the gate.")


@pytest.mark.parametrize(
    ("question", "answer", "told", "in_question"),
    [
        ("What greases the sewing hinges?", "Tallow does.", "“sewing”", True),
        ("What greases the hinges?", "Tallow and Paraffin do.", "“Paraffin”", False),
    ],
)
def test_a_rare_word_of_an_example_that_the_text_lacks_is_lent(
    question: str, answer: str, told: str, in_question: bool
) -> None:
    problem = find_lent(make_pair(SLUICE, (3,), question, answer), EXAMPLES)
    assert problem
    assert problem.reason == LENT
    assert told in problem.told
    assert problem.in_question is in_question


def test_words_of_the_text_common_words_and_other_languages_are_not_lent() -> None:
    pair = make_pair(SLUICE, (3,), "Who greased the gate?", "Nobody did, but the keeper did.")
    assert find_lent(pair, EXAMPLES) is None
    own = make_chunk("Mrs. Rowe mends sewing machines with paraffin.")
    assert find_lent(make_pair(own, (1,), "What mends sewing?", "Paraffin."), EXAMPLES) is None
    other = replace(pair, question="Sewing?", chunk=replace(SLUICE, language="klingon"))
    assert find_lent(other, EXAMPLES) is None
