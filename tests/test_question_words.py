"""The words that a question about an answer may have."""

import pytest

from generation_functions.pipelines.asking import ASK_QUESTION, count_turned
from generation_functions.pipelines.question_steps import make_pair
from generation_functions.pipelines.question_words import list_words
from generation_functions.pipelines.samples import make_chunk
from generation_functions.steps.prompts import PROMPTS, load_prompt

ADVICE = "H. Ostrow advises: “Try nailing a strip of zinc across it in 1902, at 9.30, for $40,000.”"


def test_they_are_the_answers_own_in_all_their_forms() -> None:
    words = set(list_words(ADVICE))
    own = {"H.", "Ostrow", "advise", "advising", "try", "trying", "tried", "nail", "nailed", "zinc"}
    assert own | {"1902", "9.30", "$40,000"} <= words
    assert {"What", "tin", "advises:"}.isdisjoint(words)
    assert len(list_words(ADVICE)) == len(words)


def test_a_word_that_the_dictionary_lacks_has_its_regular_forms() -> None:
    assert {"misfile", "misfiled", "misfiling"} <= set(list_words("Misfile the letters."))


@pytest.mark.parametrize(
    ("answer", "word", "allowed"),
    [
        ("Ships anchor near the bar.", "not", False),
        ("Ships don't anchor near the bar.", "not", True),
        ("Ships anchor near the bar.", "reason", False),
        ("Ships anchor there because of the tide.", "reason", True),
        ("They anchor it there.", "it", False),
        ("They anchor it there.", "They", False),
    ],
)
def test_negations_reasons_and_what_names_nothing(answer: str, word: str, allowed: bool) -> None:
    assert (word in list_words(answer)) == allowed


@pytest.mark.parametrize(
    ("question", "matches"),
    [
        ("What does H. Ostrow advise nailing across a hive?", False),
        ("What does H. Ostrow advise nailing across in 1902?", True),
        ("For how many tons does H. Ostrow advise trying zinc?", False),
        ("At what time should a strip of zinc be nailed, according to H. Ostrow?", True),
        ("What does H. Ostrow never advise?", False),
    ],
)
def test_small_models_ask_in_these_words_alone(question: str, matches: bool) -> None:
    pair = make_pair(make_chunk(ADVICE), (1,), "", ADVICE)
    grammar = ASK_QUESTION.narrow(load_prompt("ask_question", (PROMPTS / "small",)).grammar, pair)
    assert grammar.matches(f"Question: {question}") == matches


def test_a_question_that_turns_its_answer_round_comes_last() -> None:
    answer = "Sugar that burns with gasoline turns into a mess, and the mess stops the engine."
    straight = "What does sugar turn into that burns with gasoline?"
    turned = "What does the engine turn into when the mess burns with sugar?"
    assert (count_turned(straight, answer), count_turned(turned, answer)) == (1, 3)
    reply = f"Question: {turned}\nQuestion: {straight}"
    asked = ASK_QUESTION.parse(make_pair(make_chunk(answer), (1,), "", answer), reply)
    assert [one.question for one in asked] == [straight, turned]
