"""What small models tell again, and what they ask, in a text's own words."""

from dataclasses import replace

import pytest

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.engine.drawing import draw_text
from generation_functions.errors import Rejected
from generation_functions.pipelines.copies import copy_in_order
from generation_functions.pipelines.form_copies import divide_facts
from generation_functions.pipelines.forms import FORMS, WRITE_FORM, VariationRequest
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.recall import find_fault
from generation_functions.pipelines.samples import make_chunk, make_facts, make_variation
from generation_functions.pipelines.statements import (
    find_contrary,
    read_statement,
)
from generation_functions.pipelines.things import find_head, list_things, put_within
from generation_functions.pipelines.way_steps import WayRequest
from generation_functions.pipelines.ways import BUILT_IN
from generation_functions.records import Chunk, Exchange
from generation_functions.steps.prompts import PROMPTS, load_prompt

SMALL = (PROMPTS / "small",)
GARDEN = make_chunk(
    "Nail a strip of zinc across the entrance of the beehive. Wax moths will eat the old combs of "
    "a dead hive. In a wet spring the colony can lose half of its brood. Glass quilts are warmer "
    "than straw mats. A hive scale is read each evening at the same hour. Wax moths cannot live "
    "in the cold store of a honey house. Never open the hive in the rain.",
    "Bees in Small Gardens, by H. Ostrow",
)
GERMAN = replace(GARDEN, language="german", text="Wachs schmilzt. Bienen fliegen.")
FACTS = tuple(told for _, told in copy_in_order(GARDEN) if told)
HEADS = {
    "a strip of zinc",
    "wax moths",
    "glass quilts",
    "a hive scale",
    "Bees in Small Gardens",
}
COPYING = ("question_list", "markup", "article", "structured_data", "list", "stream_of_thought")
DRAWN = range(40)  # seeds


def request_form(chunk: Chunk = GARDEN, facts: tuple[str, ...] = FACTS) -> VariationRequest:
    return make_variation(make_facts(chunk, *facts))


@pytest.mark.parametrize("form", COPYING)
def test_a_small_model_tells_each_fact_once_in_its_own_words(form: str) -> None:
    request, step = request_form(), WRITE_FORM[form]
    grammar = step.narrow(load_prompt(step.name, SMALL).grammar, request)
    for seed in DRAWN:
        reply = draw_text(grammar, seed)
        told = FORMS[form].read(step.parse(request, reply))
        assert [told.count(fact) for fact in FACTS] == [1] * len(FACTS)


def test_markup_and_json_of_marks_that_they_reserve_can_be_read() -> None:
    facts = ('The "R & S" lamp is lit if x < 3.', "The lamp has a path C:\\lamp in its menu.")
    request = request_form(make_chunk(" ".join(facts)), facts)
    for form in ("markup", "structured_data"):
        step = WRITE_FORM[form]
        reply = draw_text(step.narrow(load_prompt(step.name, SMALL).grammar, request), 1)
        assert all(fact in FORMS[form].read(step.parse(request, reply)) for fact in facts)


def test_facts_with_something_in_common_stand_together_under_it() -> None:
    parts = divide_facts(FACTS, GARDEN, "k")
    assert {fact for part in parts for fact in part.facts} == set(FACTS)
    assert {part.head for part in parts} == HEADS
    assert len({part.head.lower() for part in parts}) == len(parts), "or JSON has a key twice"
    for part in parts:
        if part.head != "Bees in Small Gardens":
            assert all(part.head.lower() in fact.lower() for fact in part.facts)
    assert divide_facts(FACTS, GARDEN, "k") == parts != divide_facts(FACTS, GARDEN, "l")
    assert divide_facts((), GARDEN, "k") == []


@pytest.mark.parametrize(
    ("sentence", "things"),
    [
        (
            "Loose covers and a steam turbine of the mill will leak.",
            ["a steam turbine of the mill"],
        ),
        ("In a wet spring the colony can lose its brood.", ["the colony"]),
        ("The enemy asks for directions at the gate.", ["directions", "the gate"]),
        ("Open the hive at noon.", ["the hive", "noon"]),
        ("H. Ostrow advises: “Shut the door of the shed.”", ["the door of the shed"]),
        ("He came to the point in time.", []),
        ("Wasps arouse suspicion.", []),
        ("The middle moves faster than its sides.", []),
        ("Every colony is a lump of the evidence.", []),
    ],
)
def test_what_a_sentence_names_can_stand_over_it(sentence: str, things: list[str]) -> None:
    assert list_things(sentence, "Bees in Small Gardens, by H. Ostrow") == things


@pytest.mark.parametrize(
    ("order", "head"),
    [
        ("In water turbines, insert a bolt.", "water turbines"),
        ("On a curve, take out the bolts.", "a curve"),
        ("In filling tires on double wheels, pump slowly.", "filling tires on double wheels"),
        ("When training new workers, talk fast.", "training new workers"),
        ("Nail a strip of zinc across the door.", "a strip of zinc"),
        ("Let cutting tools grow dull.", ""),
        ("If you are late, take the lift.", ""),
        ("In the same way, take the lift.", ""),
    ],
)
def test_what_advice_is_for_stands_over_it(order: str, head: str) -> None:
    assert find_head(f"H. Ostrow advises: “{order}”", "Bees, by H. Ostrow") == head


def test_a_thing_within_a_sentence_has_a_small_letter_unless_it_is_a_name() -> None:
    within = {"Wax moths": "wax moths", "Maud Ferris": "Maud Ferris", "The Arno": "the Arno"}
    for thing, expected in within.items():
        assert put_within(thing, GARDEN) == expected


@pytest.mark.parametrize(
    ("sentence", "wrong", "question"),
    [
        (
            "Wax moths will eat the old combs.",
            "Wax moths will not eat the old combs.",
            "Why will it not eat the old combs?",
        ),
        (
            "The store is not warm in May.",
            "The store is warm in May.",
            "Why is it warm in May?",
        ),
        (
            "Moths cannot live in it.",
            "Moths can live in it.",
            "Why can it live in it?",
        ),
        (
            "H. Ostrow advises: “Nail zinc across the door.”",
            "H. Ostrow advises never to nail zinc across the door.",
            "Why does H. Ostrow advise never to nail zinc across the door?",
        ),
        (
            "The two Orrins advise: “Never open the hive in the rain.”",
            "The two Orrins advise to open the hive in the rain.",
            "Why do the two Orrins advise to open the hive in the rain?",
        ),
    ],
)
def test_the_contrary_of_a_sentence(sentence: str, wrong: str, question: str) -> None:
    contrary = find_contrary(sentence, lambda _: "it")
    assert contrary is not None
    assert (contrary.wrong, contrary.question) == (wrong, question)


@pytest.mark.parametrize(
    "sentence",
    [
        "All moths are grey.",
        "It is not only wax.",
        "Girls were not admitted until 1871.",
        "Moths are of no use.",
        "Below the hive moths are grey.",
        "Moths are grey, as the light is poor.",
        "The following are moths.",
        "H. Ostrow advises: “Pour water on the wax and your hive will shine.”",
        "There are moths in the hive.",
        "If it is cold, moths are still.",
        "The store is cold, and moths are still.",
        "The store is cold but it is dry.",
        "A moth may eat wax.",
        "Moths are often grey.",
        "What he saw is grey.",
        "H. Ostrow advises: “Before frost, shut the hive.”",
        "H. Ostrow advises: “Shut the hive. Then go.”",
        "H. Ostrow advises: “Always shut the hive.”",
        "H. Ostrow advises: “Use little wax, for a soaked comb falls.”",
        "H. Ostrow advises: “Do not open the hive until noon.”",
        "The keepers should see that the hive is shut.",
    ],
)
def test_what_has_no_plain_contrary(sentence: str) -> None:
    assert find_contrary(sentence, lambda _: "it") is None


def test_a_statement_has_a_subject_a_verb_and_a_rest() -> None:
    told = read_statement("A hive scale is read each evening.")
    assert told is not None
    assert (told.subject, told.verb, told.rest) == ("A hive scale", "is", "read each evening")


def ask(way: str, chunk: Chunk = GARDEN, turns: tuple[Exchange, ...] = ()) -> list[Exchange]:
    """Return what can be asked in a way, each once; where `find_fault` finds nothing wrong."""
    request = WayRequest("w", read_together([chunk]), turns=turns)
    step = (BUILT_IN[way].then or BUILT_IN[way]).write if turns else BUILT_IN[way].write
    grammar = step.narrow(load_prompt(step.name, SMALL).grammar, request)
    found = {}
    for seed in DRAWN:
        exchange = step.parse(request, draw_text(grammar, seed))
        fault = find_fault(ChunkIndex([chunk]), BUILT_IN[way], request, exchange)
        assert fault is None, f"{fault}: {exchange}"
        found[exchange.question] = exchange
    return list(found.values())


@pytest.mark.parametrize("way", BUILT_IN)
def test_what_a_small_model_asks_passes_the_checks_of_its_way(way: str) -> None:
    asked = ask(way)
    assert asked
    for exchange in asked:
        told = exchange.answer.removeprefix(exchange.admitted)
        assert any(fact in told for fact in FACTS), "in the text's own words"
    if way == "followup":
        for later in ask(way, turns=(asked[0],)):
            assert later.answer != asked[0].answer


def test_nobody_is_asked_for_as_a_thing_is() -> None:
    persons = "Wax workers will wear gloves in the cold store of a honey house. "
    asked = ask("vague", make_chunk(f"{persons}{GARDEN.text}"))
    assert asked
    assert not any("gloves" in exchange.question for exchange in asked)


def test_a_made_up_name_is_that_of_what_a_fact_is_about_if_there_is_any() -> None:
    about = make_chunk(
        "The wax lamp will stain the old bench. The left box will stain the red cloth."
    )
    assert {one.things[0].split()[-1] for one in ask("hallucination", about)} <= {"lamp", "box"}
    named = make_chunk("Wax moths will stain the old bench. Old smoke will hurt the left eye.")
    assert {one.things[0].split()[-1] for one in ask("hallucination", named)} == {"bench"}


@pytest.mark.parametrize("way", ["negative", "vague", "hallucination", "comparison"])
def test_a_text_that_leaves_nothing_to_ask_is_left(way: str) -> None:
    with pytest.raises(Rejected, match="nothing to be asked"):
        ask(way, make_chunk("They came here. And so it went on."))


def test_another_language_keeps_the_form_for_any_text() -> None:
    step = BUILT_IN["openended"].write
    request = WayRequest("w", read_together([GERMAN]))
    grammar = step.narrow(load_prompt(step.name, SMALL).grammar, request)
    reply = "1: Wachs schmilzt.\nQuestion: What is there to know about Wachs?\nAnswer: Es schmilzt."
    assert grammar.matches(reply)
