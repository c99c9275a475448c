"""Facts that code tells from their other end."""

import pytest

from generation_functions.engine.drawing import draw_text
from generation_functions.pipelines.facts import INFER_FACTS, TURN_FACTS
from generation_functions.pipelines.samples import make_chunk, make_facts
from generation_functions.pipelines.turned_copies import order_by_dates, turn_round
from generation_functions.steps.prompts import PROMPTS, load_prompt

SMALL = (PROMPTS / "small",)


@pytest.mark.parametrize(
    ("fact", "turned"),
    [
        ("The dam was built by Ada Lunn in 1871.", "Ada Lunn built the dam in 1871."),
        ("The mill was sold by the Duke of Orm.", "The Duke of Orm sold the mill."),
        ("The keeper of the bees is Hanna Wirth.", "Hanna Wirth is the keeper of the bees."),
        ("A good stock is the base of a soup.", "The base of a soup is a good stock."),
        ("The dam broke on 3 May 1871.", "On 3 May 1871 the dam broke."),
        ("The mill came to Orm in 45 BC.", "In 45 BC the mill came to Orm."),
        ("Cholera came to Orm in AD 622.", "In AD 622 Cholera came to Orm."),
    ],
)
def test_a_fact_is_turned_round_in_its_own_words(fact: str, turned: str) -> None:
    assert turn_round(fact, make_chunk(fact)) == turned


@pytest.mark.parametrize(
    "fact",
    [
        "The dam broke in 1871. The mill was sold in 1872.",
        "A. Karlsen advises: “Oil the wick in May 1871.”",
        "The dam was built in 1840 and was opened in 1871.",
        "The count grew from 3,100 in 1841 to 9,700 in 1881.",
        "The dam, which broke in 1840, was sold in 1871.",
        "In Orm the dam was sold in 1871.",
        "The north side is colder than the south side.",
        "The mill was sold by auction in the town.",
        "The dam is old.",
        "A dam is a wall of earth.",
    ],
)
def test_a_fact_that_code_cannot_turn_is_left(fact: str) -> None:
    assert turn_round(fact, make_chunk(fact)) == ""


def test_facts_with_years_are_told_in_their_order() -> None:
    facts = (
        "The dam of Orm was sold in 1903.",
        "Eels are caught in May.",
        "The dam of Orm was built in 1871.",
        "The mill came to Orm in 45 BC.",
        "The ferry came to Orm in AD 622.",
        "The well of Orm was dug in 1871.",
    )
    assert order_by_dates(facts, make_chunk(" ".join(facts))) == [
        ((4, 5), "The mill came to Orm before the ferry came to Orm."),
        ((3, 5), "The ferry came to Orm before the dam of Orm was built."),
        ((1, 6), "The well of Orm was dug before the dam of Orm was sold."),
    ]


@pytest.mark.parametrize(
    ("facts", "inferred"),
    [
        (
            ("The mill of Orm was sold in 1903.", "The dam broke in 1871."),
            [("The dam broke before the mill of Orm was sold.", (1, 2))],
        ),
        (("Eels are caught.", "The mill is old."), []),
    ],
)
def test_a_small_model_infers_what_came_before_what(
    facts: tuple[str, ...], inferred: list[tuple[str, tuple[int, ...]]]
) -> None:
    sheet = make_facts(make_chunk(" ".join(facts)), *facts)
    grammar = INFER_FACTS.narrow(load_prompt("infer_facts", SMALL).grammar, sheet)
    found = INFER_FACTS.parse(sheet, draw_text(grammar, 1))
    assert [(one.text, one.facts) for one in found.facts] == inferred
    assert not found.dropped


def test_a_small_model_turns_round_what_code_can_turn() -> None:
    sheet = make_facts(
        make_chunk("The dam broke in 1871. The mill of Orm has 3 floors."),
        "The dam broke in 1871.",
        "The mill of Orm has 3 floors.",
    )
    grammar = TURN_FACTS.narrow(load_prompt("turn_facts", SMALL).grammar, sheet)
    found = TURN_FACTS.parse(sheet, draw_text(grammar, 1))
    assert [(one.text, one.facts) for one in found.facts] == [("In 1871 the dam broke.", (1,))]
    assert not found.dropped
