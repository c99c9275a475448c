"""The conversation step: its grammar for an item, and the check of a reply against the pairs."""

from dataclasses import replace

import pytest

from generation_functions.errors import Unparsable
from generation_functions.pipelines.conversations import WRITE_CONVERSATION, ConversationRequest
from generation_functions.records import Chunk, QAPair
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
REQUEST = ConversationRequest((LENGTH, STONE), CHUNK)
REPLY = (
    "User: I have often walked over the Kelvin Bridge. How long is it really?\n"
    "Assistant: It is 812 metres long, the Kelvin Bridge.\n"
    "User: And why did Maud Ferris choose to build it of granite?\n"
    "Assistant: Maud Ferris built it of granite because granite was quarried nearby."
)


def refuse(reply: str) -> str:
    with pytest.raises(Unparsable) as caught:
        WRITE_CONVERSATION.parse(REQUEST, reply)
    return str(caught.value)


def test_a_conversation_has_a_turn_for_each_question_and_answer() -> None:
    conversation = WRITE_CONVERSATION.parse(REQUEST, REPLY)
    assert [turn.speaker for turn in conversation.turns] == ["human", "gpt", "human", "gpt"]
    assert conversation.turns[1].text == "It is 812 metres long, the Kelvin Bridge."
    assert conversation.pairs == (LENGTH, STONE)
    assert conversation.uuid == REQUEST.uuid


def test_the_order_of_pairs_makes_another_item() -> None:
    assert ConversationRequest((STONE, LENGTH), CHUNK).uuid != REQUEST.uuid


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
        request = ConversationRequest(pairs, replace(CHUNK, text="None."))
        assert prompt.grammar.replace(WRITE_CONVERSATION.rules(request)).matches(example.answer)
        assert len(WRITE_CONVERSATION.parse(request, example.answer).turns) == 2 * len(pairs)
