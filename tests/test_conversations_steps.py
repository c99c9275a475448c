"""The conversation step: its grammar for an item, and the check of a reply against the pairs."""

import re
from dataclasses import replace

import pytest

from generation_functions.errors import Unparsable
from generation_functions.pipelines.conversations import (
    WRITE_CONVERSATION,
    WRITE_SCENE_CONVERSATION,
)
from generation_functions.pipelines.orders import make_info
from generation_functions.records import Chunk, QAPair, Scene
from generation_functions.steps.prompts import load_prompt

CHUNK = Chunk(
    uuid="c1",
    document="d1",
    directory="texts",
    source="On Bridges, by A. Mason",
    text="The Kelvin Bridge was opened on 4 May 1931. Its engineer Maud Ferris built it of granite,"
    " because granite was quarried nearby. It is 812 metres long.",
    start=0,
    end=90,
    tokens=20,
)
LENGTH = QAPair(
    uuid="p1",
    question="How long is the Kelvin Bridge?",
    answer="The Kelvin Bridge is 812 metres long.",
    sentences=(3,),
    quote="It is 812 metres long.",
    chunk=CHUNK,
)
STONE = replace(
    LENGTH,
    uuid="p2",
    question="Why did Maud Ferris build the Kelvin Bridge of granite?",
    answer="Maud Ferris built it of granite because granite was quarried nearby.",
    sentences=(2,),
)
REQUEST = make_info((LENGTH, STONE))
REPLY = (
    "User: I have often walked over the Kelvin Bridge. How long is it really?\n"
    "Assistant: It is 812 metres long, the Kelvin Bridge.\n"
    "User: And why did Maud Ferris choose to build it of granite?\n"
    "Assistant: Maud Ferris built it of granite because granite was quarried nearby."
)


SCENE = Scene(
    "Sunniva Demir",
    "Kofi Nagy",
    ("Sunniva Demir has all the time in the world.", "It is the 1950s."),
    "Name: Sunniva Demir\nTraits: calm, 61 years old\nLife: Counts trains.\nVoice: Low.",
    "Kofi Nagy stands on platform 9. Sunniva Demir counts trains.",
)
IN_SCENE = replace(REQUEST, scene=SCENE)
SAID = (
    "Kofi Nagy: *He points across the water.* How long is the Kelvin Bridge over there?\n"
    "Sunniva Demir: It is 812 metres long, the Kelvin Bridge. I am 61 and have walked them all.\n"
    "Kofi Nagy: And why did Maud Ferris build it of granite?\n"
    "Sunniva Demir: *She smiles.* Maud Ferris built it of granite, as granite was quarried nearby."
)


def refuse(reply: str) -> str:
    with pytest.raises(Unparsable) as caught:
        WRITE_CONVERSATION.parse(REQUEST, reply)
    return str(caught.value)


def refuse_scene(reply: str) -> str:
    with pytest.raises(Unparsable) as caught:
        WRITE_SCENE_CONVERSATION.parse(IN_SCENE, reply)
    return str(caught.value)


def test_a_conversation_has_a_turn_for_each_question_and_answer() -> None:
    conversation = WRITE_CONVERSATION.parse(REQUEST, REPLY)
    assert [turn.speaker for turn in conversation.turns] == ["human", "gpt", "human", "gpt"]
    assert conversation.turns[1].text == "It is 812 metres long, the Kelvin Bridge."
    assert conversation.pairs == (LENGTH, STONE)
    assert conversation.uuid == REQUEST.uuid


def test_the_grammar_fixes_speakers_and_number_of_turns() -> None:
    grammar = load_prompt("write_conversation").grammar.replace(WRITE_CONVERSATION.rules(REQUEST))
    assert grammar.matches(REPLY)
    first, second = REPLY.split("\nUser: And")
    assert not grammar.matches(first)
    assert not grammar.matches(f"{REPLY}\n{first}")
    assert not grammar.matches(REPLY.replace("Assistant:", "Bot:"))
    assert second


def test_answers_in_the_wrong_order_are_refused() -> None:
    lines = REPLY.splitlines()
    swapped = "\n".join([lines[0], lines[3], lines[2], lines[1]])
    assert refuse(swapped) == "an answer is not given"


def test_a_question_or_an_answer_that_is_missing_is_refused() -> None:
    lines = REPLY.splitlines()
    assert refuse("\n".join([*lines[:2], "User: How is the weather?", lines[3]])) == (
        "a question is not asked"
    )
    assert refuse("\n".join([*lines[:3], "Assistant: That is a good thing to ask."])) == (
        "an answer is not given"
    )
    assert refuse("\n".join(lines[:2])) == "wrong number of turns"


def test_numbers_and_names_must_be_right() -> None:
    assert refuse(REPLY.replace("812", "821")) == "a number that the text does not have"
    assert refuse(REPLY.replace("812", "1931")) == "an answer is not given"
    assert refuse(REPLY.replace("Kelvin", "Tyne")) == "a question is not asked"


def test_an_assistant_that_ends_every_turn_alike_is_refused() -> None:
    closed = "\n".join(
        f"{line} What else can I do?" if line.startswith("Assistant") else line
        for line in REPLY.splitlines()
    )
    assert refuse(closed) == "the assistant repeats itself"


def test_a_message_holds_no_label_of_a_speaker_and_no_doubled_stop() -> None:
    first, second = REPLY.split("\nUser: And")
    leaked = f"{first} User: And why?\nUser: And{second}"
    assert refuse(leaked) == "a speaker's label within a message"
    assert refuse(f"{REPLY}.") == "two full stops"


def test_a_conversation_does_not_point_at_the_text() -> None:
    assert refuse(REPLY.replace("User: And why", "User: And, by the passage, why")) == (
        "points at the text"
    )


def test_every_example_is_a_conversation_that_the_parser_takes() -> None:
    prompt = load_prompt("write_conversation")
    for example in prompt.content.examples:
        pairs = tuple(
            replace(LENGTH, uuid=str(number), question=pair["question"], answer=pair["answer"])
            for number, pair in enumerate(example.fields["pairs"])
        )
        request = replace(make_info(pairs), chunk=replace(CHUNK, text="None."))
        assert prompt.grammar.replace(WRITE_CONVERSATION.rules(request)).matches(example.answer)
        assert len(WRITE_CONVERSATION.parse(request, example.answer).turns) == 2 * len(pairs)


def test_no_example_of_the_assistant_ends_by_offering_more() -> None:
    """W33: nearly every example of the original did, and so did the conversations."""
    examples = load_prompt("write_conversation").content.examples
    assert len(examples) >= 3
    for example in examples:
        for line in example.answer.splitlines():
            assert line.startswith("User:") or not line.endswith("?")
            assert not re.search(
                r"anything else|let me know|glad to|happy to|feel free", line, re.I
            )


def test_a_scene_is_spoken_by_its_two_people_in_turn() -> None:
    conversation = WRITE_SCENE_CONVERSATION.parse(IN_SCENE, SAID)
    assert [turn.speaker for turn in conversation.turns] == ["human", "gpt", "human", "gpt"]
    assert conversation.turns[2].text == "And why did Maud Ferris build it of granite?"
    assert conversation.scene == SCENE
    assert conversation.uuid == REQUEST.uuid


def test_the_grammar_gives_each_turn_to_one_of_the_two() -> None:
    grammar = load_prompt("write_scene_conversation").grammar
    grammar = grammar.replace(WRITE_SCENE_CONVERSATION.rules(IN_SCENE))
    lines = SAID.splitlines()
    assert grammar.matches(SAID)
    assert grammar.matches(f"{SAID} *She nods.*")
    assert not grammar.matches("\n".join(lines[:2]))
    assert not grammar.matches("\n".join([lines[1], lines[0], *lines[2:]]))
    assert not grammar.matches(SAID.replace("Kofi Nagy:", "Stranger:"))


def test_a_scene_has_to_carry_its_pairs() -> None:
    lines = SAID.splitlines()
    assert refuse_scene(SAID.replace("812", "821")) == "a number that the text does not have"
    assert refuse_scene("\n".join([lines[0], lines[3], lines[2], lines[1]])) == (
        "an answer is not given"
    )
    assert refuse_scene("\n".join(lines[:2])) == "wrong number of turns"
    assert refuse_scene("\n".join(lines[:3])) == "wrong number of turns"


def test_a_scene_has_no_other_speaker_and_no_half_action() -> None:
    assert refuse_scene(SAID.replace("Kofi Nagy", "Stranger")) == "the wrong speaker"
    assert refuse_scene(SAID + " Kofi Nagy: So!") == "a speaker's label within a message"
    assert refuse_scene(SAID.replace("smiles.*", "smiles.")) == "an action without its end"


def test_a_scene_conversation_needs_a_scene() -> None:
    with pytest.raises(ValueError, match="needs a scene"):
        WRITE_SCENE_CONVERSATION.fields(REQUEST)
