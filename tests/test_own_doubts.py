"""Corrections, doubts and missing answers that small models put together from given words."""

from dataclasses import replace

import pytest

from generation_functions.engine.drawing import draw_text
from generation_functions.errors import Rejected
from generation_functions.masked import Grounded
from generation_functions.pipelines.correction_steps import (
    OF_RIGHT,
    OF_WRONG,
    STAND_FIRM,
    WRITE_CORRECTION,
    DoubtRequest,
    find_difference,
)
from generation_functions.pipelines.doubt_copies import change_figures, make_wrong
from generation_functions.pipelines.lack_steps import TELL_LACK, LackRequest
from generation_functions.pipelines.samples import make_chunk
from generation_functions.pipelines.statements import deny
from generation_functions.records import QAPair
from generation_functions.steps.prompts import PROMPTS, load_prompt

SMALL = (PROMPTS / "small",)
GARDEN = make_chunk(
    "Nail a strip of zinc across the entrance of the beehive. Wax moths will eat the old combs of "
    "a dead hive. The store was built in 1902 for 1,200 combs. Moths, mice and wasps can be kept "
    "out by zinc. Hot wax burns skin in the summer heat.",
    "Bees in Small Gardens, by H. Ostrow",
)


def make_pair(question: str, answer: str) -> QAPair:
    return QAPair("p", question, answer, (1, 2, 3, 4, 5), GARDEN.text, GARDEN)


ADVISED = make_pair(
    "What does H. Ostrow advise nailing across the entrance of the beehive?",
    "H. Ostrow advises: “Nail a strip of zinc across the entrance of the beehive.”",
)
TOLD = make_pair(
    "What will eat the old combs of a dead hive?",
    "Wax moths will eat the old combs of a dead hive.",
)
COUNTED = make_pair("When was the store built?", "The store was built in 1902 for 1,200 combs.")
LISTED = make_pair(
    "What can be kept out by zinc?", "Moths, mice and wasps can be kept out by zinc."
)
PLAIN = make_pair("What burns skin?", "Hot wax burns skin in the summer heat.")
DRAWN = range(12)  # seeds


@pytest.mark.parametrize(
    ("pair", "wrong"),
    [
        (ADVISED, ADVISED.answer.replace("advises: “Nail", "advises never to nail")[:-2] + "."),
        (TOLD, "Wax moths will not eat the old combs of a dead hive."),
        (LISTED, "Moths, mice and wasps cannot be kept out by zinc."),
    ],
)
def test_the_wrong_answer_is_the_contrary(pair: QAPair, wrong: str) -> None:
    assert list(make_wrong(pair)) == [wrong]
    assert find_difference(pair, wrong) == ""


def test_a_figure_makes_a_wrong_answer() -> None:
    changed = list(make_wrong(COUNTED))
    assert changed == [
        "The store was built in 1885 for 1,200 combs.",
        "The store was built in 1902 for 2,400 combs.",
    ]
    assert all(find_difference(COUNTED, wrong) == "" for wrong in changed)
    assert list(change_figures("H4 is 5.5 cm long, K1 is 0 cm.")) == [
        "H4 is 5.5 cm long, K1 is 5 cm."
    ]
    assert not list(make_wrong(PLAIN))


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("It was on 22 October 1707.", ["It was on 22 October 1690."]),
        ("It was on 3 May.", ["It was on 6 May."]),
        (
            "It is 90 per cent tin and 8% lead.",
            ["It is 45 per cent tin and 8% lead.", "It is 90 per cent tin and 4% lead."],
        ),
        ("It is 18-x or 1,204.5 litres.", []),
    ],
)
def test_a_figure_stays_a_possible_one(answer: str, wrong: list[str]) -> None:
    assert list(change_figures(answer)) == wrong


def test_nobody_is_warned_of_what_is_to_be_remembered() -> None:
    order = "If you keep bees, remember that smoke and rain, which they hate, anger them."
    assert not list(make_wrong(replace(ADVISED, answer=f"H. Ostrow advises: “{order}”")))


def test_advice_of_more_than_an_order_is_warned_against() -> None:
    answer = "The Guild advises: “Before frost, shut the hive. Then it sleeps.”"
    assert list(make_wrong(replace(ADVISED, answer=answer))) == [
        answer.replace("advises", "warns against this")
    ]


@pytest.mark.parametrize(
    ("sentence", "denied"),
    [
        ("In cellars where wax is kept, keepers should dry it.",
         "In cellars where wax is kept, keepers should not dry it."),
        ("A keeper should never stir it.", "A keeper should stir it."),
        ("It is not warm.", None),
        ("As wax is rare, moths are grey.", "As wax is rare, moths are not grey."),
        ("Wax should not melt, but it will be used.", None),
        ("Anyone can scoop wax.", None),
        ("Wax can only melt.", None),
        ("Wax which is hot burns.", None),
        ("Wax burns.", None),
    ],
)  # fmt: skip
def test_a_statement_is_denied_at_its_first_verb(sentence: str, denied: str | None) -> None:
    assert deny(sentence) == denied


@pytest.mark.parametrize("pair", [ADVISED, TOLD, COUNTED, LISTED])
@pytest.mark.parametrize("manner", OF_WRONG)
def test_a_small_model_corrects_itself_in_the_words_of_the_answer(
    pair: QAPair, manner: str
) -> None:
    request = DoubtRequest(pair, manner)
    prompt = load_prompt(WRITE_CORRECTION.name, SMALL)
    for seed in DRAWN:
        reply = draw_text(WRITE_CORRECTION.narrow(prompt.grammar, request), seed)
        made = WRITE_CORRECTION.parse(request, reply)
        assert made.wrong in make_wrong(pair)
        assert (pair.answer in made.doubt) is (manner == OF_WRONG[-1])


@pytest.mark.parametrize("pair", [ADVISED, TOLD, COUNTED, LISTED, PLAIN])
@pytest.mark.parametrize("manner", OF_RIGHT)
def test_a_small_model_stands_by_its_answer(pair: QAPair, manner: str) -> None:
    request = DoubtRequest(pair, manner)
    grammar = STAND_FIRM.narrow(load_prompt(STAND_FIRM.name, SMALL).grammar, request)
    for seed in DRAWN:
        made = STAND_FIRM.parse(request, draw_text(grammar, seed))
        assert made.answer.removeprefix("It is true that ").lower() == pair.answer.lower()
        believed = any(wrong in made.doubt for wrong in make_wrong(pair))
        assert believed is (manner == OF_RIGHT[-1] and pair is not PLAIN)


def test_an_answer_without_a_contrary_is_left() -> None:
    request = DoubtRequest(PLAIN, OF_WRONG[0])
    grammar = WRITE_CORRECTION.narrow(load_prompt(WRITE_CORRECTION.name, SMALL).grammar, request)
    with pytest.raises(Rejected, match="no contrary"):
        WRITE_CORRECTION.parse(request, draw_text(grammar, 1))


def test_a_small_model_says_which_question_was_not_answered() -> None:
    asked = Grounded("p", TOLD.question, TOLD.answer, ())
    request = LackRequest("i", 0, asked, ())
    grammar = TELL_LACK.narrow(load_prompt(TELL_LACK.name, SMALL).grammar, request)
    for seed in DRAWN:
        assert TELL_LACK.parse(request, draw_text(grammar, seed)).endswith(TOLD.question)
