"""Which questions are no English, or cannot be asked for their answer."""

import pytest

from generation_functions.pipelines.malformed import is_malformed

HATCH = (
    "Ida Brandt advises: “To make it safe in harbour, close the hatch of a boat before rain,"
    " without breaking the catch.”"
)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("What does Ida Brandt advise closing before rain?", "closing the hatch?"),
        ("What does Ida Brandt advise doing to the hatch?", "close?"),
        ("What does Ida Brandt advise telling sailors before rain?", "sailors to do before rain?"),
        ("What does Ida Brandt advise on the size of a hatch?", "in the size of a hatch?"),
        ("What is Ida Brandt advising against?", "What is Ida Brandt advising in hatches?"),
        ("What does Ida Brandt advise not to break?", "not to broken?"),
        ("When does Ida Brandt advise closing the hatch?", "What is Ida Brandt advising sailors?"),
        ("What does Ida Brandt advise doing?", "as the closing of a hatch?"),
        ("What does Ida Brandt advise not to break?", "not to close the hatch of a boat?"),
        ("What does Ida Brandt advise doing?", "What can Ida Brandt advise doing?"),
        ("What does the gas do to boats?", "What does the boats do to the hatch?"),
        ("What will a closed hatch do?", "What a closed hatch will do?"),
        ("What do the hatches of a boat do?", "What does the hatches of boats do?"),
        ("What does the gas do?", "What do the gas before rain will do?"),
        ("What is good to close before rain?", "What is not good to close before rain?"),
        ("What can happen to a hatch in rain?", "What can happen to the hatch of a boat?"),
        ("What will happen to a hatch if it is closed?", "What will happen to a hatch?"),
        ("What can be done to close a hatch?", "What can be done to a hatch to put out of use?"),
        ("What can be closed to make it safe?", "What can be closed to build a boat?"),
        ("Where are most parts of the hatch?", "Where are the most part of the hatches?"),
        ("What can be closed without breaking the catch?", "What can be closed without break?"),
    ],
)
def test_what_small_models_get_wrong_in_english_is_found(right: str, wrong: str) -> None:
    whole = wrong if wrong[0].isupper() else f"What does Ida Brandt advise {wrong}"
    assert not is_malformed(right, HATCH)
    assert is_malformed(whole, HATCH)


def test_a_long_question_takes_no_time() -> None:
    assert not is_malformed(f"What will happen to {'hatches ' * 40}in rain, or to boats?", HATCH)
    assert is_malformed(f"What will happen to {'hatches ' * 40}and boats?", HATCH)


def test_what_somebody_is_doing_is_so_in_the_answer() -> None:
    question = "What was the keeper of the light doing?"
    assert is_malformed(question, "The keeper of the light was deaf.")
    assert not is_malformed(question, "The keeper of the light was quietly mending it.")


def test_what_is_to_be_known_is_not_to_be_done() -> None:
    known = "Ida Brandt advises: “On a boat, remember that rain comes from the west.”"
    assert is_malformed("What does Ida Brandt advise doing on a boat?", known)
    assert not is_malformed("What does Ida Brandt advise doing on a boat?", HATCH)
    assert not is_malformed("Where does rain come from, according to Ida Brandt?", known)
    assert is_malformed("Where does rain come from?", "Rain comes late.")
    passed = "Ida Brandt advises: “Never pass on your skill to a new hand.”"
    assert is_malformed("Where does Ida Brandt advise not to pass on your skill?", passed)
    assert not is_malformed("Where does the road run?", "The road runs through the marsh to Ghent.")


@pytest.mark.parametrize(
    ("question", "answer", "wrong"),
    [
        ("What does Sun advise climbing to fight?", "Sun advises: “Do not climb to fight.”", True),
        ("What does Sun advise not to climb?", "Sun advises: “Do not climb heights.”", False),
        ("What is the peak of skill?", "To win by force is not the peak of skill.", True),
        ("What is not the peak of skill?", "To win by force is no peak of skill.", True),
        (
            "Why is force no peak of skill?",
            "Force is not the peak of skill, as it costs men.",
            False,
        ),
        ("What should men do to march?", "At noon, men should march with care.", True),
        ("What should men do to march well?", "To march well, men should rest.", False),
        ("What hills are advised to climb?", "Sun advises: “Climb the high hills.”", True),
        ("What violins are the smallest?", "Violins are the smallest of the viols.", True),
        ("What instruments are the smallest?", "Violins are the smallest of the viols.", False),
        ("What does bees do in winter?", "In winter, bees sleep.", True),
        ("What does soldiers lose at night?", "At night, soldiers lose their way.", True),
        ("What does physics teach?", "Physics teaches how bodies move.", False),
        ("What does ether and water dissolve?", "Ether and water dissolve the salt.", True),
        ("What does Ida advise marching along?", "Ida advises: “March along the bank.”", False),
    ],
)
def test_a_question_neither_turns_its_answer_nor_says_it(
    question: str, answer: str, wrong: bool
) -> None:
    assert is_malformed(question, answer) == wrong


def test_the_order_of_two_is_one_too() -> None:
    of_two = HATCH.replace("Ida Brandt advises", "Ida Brandt and Per Vik advise")
    for answer in (HATCH, of_two):
        assert is_malformed("What does Ida Brandt advise in the size of a hatch?", answer)


def test_only_an_order_leaves_nobody_whom_it_is_given_to() -> None:
    question = "What does Ida Brandt advise sailors to do before rain?"
    assert not is_malformed(question, "Ida Brandt advises sailors to close the hatch before rain.")
