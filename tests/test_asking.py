"""Questions made of an answer: how they may begin, and which of them is bound most closely."""

from dataclasses import replace

import pytest

from generation_functions.errors import Unparsable
from generation_functions.pipelines.asking import (
    ANSWER_BRIEFLY,
    ASK_QUESTION,
    Asked,
    is_bound,
    measure_bond,
)
from generation_functions.pipelines.question_steps import make_pair
from generation_functions.pipelines.samples import make_chunk
from generation_functions.records import QAPair
from generation_functions.steps.prompts import load_prompt

CRACKS = "A violin that is kept in dry air cracks along its ribs."


def answered(answer: str) -> QAPair:
    return make_pair(make_chunk(answer), (1,), "", answer)


@pytest.mark.parametrize(
    ("answer", "why", "how", "how_much"),
    [
        (CRACKS, False, False, False),
        (CRACKS[:-1] + ", because its wood shrinks.", True, False, False),
        ("Weavers hide a fault by turning the cloth.", False, True, False),
        ("The canal carried 40,000 tons of coal a year.", False, False, True),
        ("It carried 40 tons by using locks, so that none was lost.", True, True, True),
    ],
)  # fmt: skip
def test_an_answer_is_asked_for_in_the_ways_that_suit_it(
    answer: str, why: bool, how: bool, how_much: bool
) -> None:
    grammar = ASK_QUESTION.narrow(load_prompt("ask_question").grammar, answered(answer))
    for opening, suits in (("Why", why), ("How", how), ("How much", how_much), ("What", True)):
        reply = f"Question: {opening} is it of the cloth?"
        if opening == "How much" and how:
            continue  # that begins with "How"
        assert grammar.matches(reply) == suits
    assert grammar.matches("Question: What is it?\nQuestion: In what is it?\nQuestion: Who was it?")


def test_in_another_language_a_question_begins_as_it_likes() -> None:
    chunk = make_chunk("Der Kanal wurde im Jahr 1802 gebaut. Er ist heute noch schiffbar.")
    chunk = replace(chunk, language="german")
    pair = make_pair(chunk, (1,), "", "Der Kanal wurde 1802 gebaut.")
    assert ASK_QUESTION.rules(pair) == {}
    reply = "Question: Wann wurde der Kanal gebaut?"
    assert load_prompt("ask_question").grammar.matches(reply)
    (asked,) = ASK_QUESTION.parse(pair, reply)
    assert asked.question == "Wann wurde der Kanal gebaut?"


def test_the_question_that_keeps_most_of_its_answer_and_adds_least_comes_first() -> None:
    vague = "What happens to a violin?"
    close = "What happens to a violin that is kept in dry air?"
    strange = "What does heat do to a violin that is kept in dry air?"
    other = "What does damp do to a violin that is kept in dry cellars for years?"
    reply = "\n".join(f"Question: {question}" for question in (vague, other, strange, close))
    asked = ASK_QUESTION.parse(answered(CRACKS), reply)
    assert [one.question for one in asked] == [close, strange, vague]
    assert len({one.uuid for one in asked}) == 3


def test_a_question_that_loses_whose_view_it_is_is_left_out() -> None:
    chunk = replace(make_chunk("Rest an hour."), source="Notes for Walkers, by Ida Brandt")
    pair = make_pair(chunk, (1,), "", "Ida Brandt advises walkers to rest for an hour at noon.")
    who, what = (
        "Who advises walkers to rest at noon?",
        "What does Ida Brandt advise for an hour at noon?",
    )
    asked = ASK_QUESTION.parse(pair, f"Question: {who}\nQuestion: {what}")
    assert [one.question for one in asked] == [what]


def test_a_question_that_speaks_of_a_statement_is_left_out() -> None:
    told = "What happens to a violin in dry air, according to the statement?"
    plain = "What cracks in dry air?"
    reply = f"Question: {told}\nQuestion: {plain}"
    (asked,) = ASK_QUESTION.parse(answered(CRACKS), reply)
    assert asked.question == plain


def test_to_tell_a_figure_binds_a_question_no_closer() -> None:
    answer = "The canal at Lenn carried 40,000 tons of coal a year."
    asked = measure_bond("How much coal did the canal at Lenn carry in a year?", answer)
    told = measure_bond("What coal of 40,000 did the canal at Lenn carry in a year?", answer)
    assert asked == told > 0


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("", "no question"),
        ("Question: Who was Maud?", "bound to its answer"),
        ("Question: What cracks, 長さ?", "another script"),
    ],
)
def test_a_reply_without_a_question_for_the_answer_is_asked_again(reply: str, problem: str) -> None:
    with pytest.raises(Unparsable, match=problem):
        ASK_QUESTION.parse(answered(CRACKS), reply)


@pytest.mark.parametrize(
    ("question", "bound"),
    [
        ("What does Ida Brandt advise?", False),
        ("What does Ida Brandt advise airing the boots?", False),
        ("What does Ida Brandt advise air?", False),
        ("What does Ida Brandt advise airing?", False),
        ("What does Ida Brandt advise airing at every noon?", True),
        ("What does Ida Brandt advise doing with boots?", True),
        ("What does Ida Brandt advise doing to the boots at noon?", True),
        ("When does Ida Brandt advise airing the boots?", True),
        ("What boots does Ida Brandt advise air?", False),
        ("What boots, socks and shirts at noon will do?", False),
        ("What does Ida Brandt advise doing with boots if boots are socks at noon, socks?", False),
        ("What is not aired at noon, according to Ida Brandt?", False),
        ("What should be aired at noon, according to the walker?", False),
        ("What happens if Ida Brandt airs her boots at noon?", False),
        ("What should be done with boots at noon, according to Ida Brandt?", True),
        (
            "What does Ida Brandt advise about airing boots, socks and shirts at noon on a walk?",
            False,
        ),
    ],
)
def test_a_question_leaves_something_to_ask_for_and_says_of_what(
    question: str, bound: bool
) -> None:
    chunk = make_chunk("Air your boots, socks and shirts at noon.", "For Walkers, by Ida Brandt")
    pair = make_pair(chunk, (1,), "", f"Ida Brandt advises: “{chunk.text[:-1]} on every walk.”")
    assert is_bound(question, pair) == bound


@pytest.mark.parametrize(
    ("question", "answer", "bound"),
    [
        ("Where is the keeper of the light?", "The keeper of the light is in the tower.", True),
        ("Which tower has the light?", "The tower has the light.", False),
        ("Has the tower the light?", "The tower has the light.", True),
    ],
)
def test_an_answer_tells_what_its_question_asks_for(
    question: str, answer: str, bound: bool
) -> None:
    assert is_bound(question, make_pair(make_chunk(answer), (1,), "", answer)) == bound


@pytest.mark.parametrize(
    ("question", "span", "new"),
    [
        ("What happens to a violin that is kept in dry air?", "cracks along its ribs", True),
        ("What violin cracks in dry air?", "a violin", False),
        ("What happens to a violin in dry air?", "it shrinks", False),
    ],
)
def test_what_answers_a_question_has_to_be_new(question: str, span: str, new: bool) -> None:
    asked = Asked(CRACKS, (question, "Where does a violin crack?"))
    reply = f"1: {span}\n2: along its ribs"
    grammar = ANSWER_BRIEFLY.narrow(load_prompt("answer_briefly").grammar, asked)
    assert grammar.matches(reply)
    assert not grammar.matches(f"{reply}\n3: a violin")
    assert ANSWER_BRIEFLY.parse(asked, reply) == (span if new else "", "along its ribs")
    with pytest.raises(Unparsable, match="line for each"):
        ANSWER_BRIEFLY.parse(asked, "1: a violin")


def test_a_question_asks_of_the_time_of_which_its_answer_tells() -> None:
    answer = "When the lid is lifted, turn the key so that it sticks when rain falls on the lock."
    pair = answered(answer)
    assert is_bound("What should be turned when the lid is lifted?", pair)
    assert not is_bound("What should be turned when rain falls on the lock?", pair)
    assert not is_bound("What should be turned to open the lid?", pair), "it says so of no opening"
