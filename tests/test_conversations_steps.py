"""The conversation step: its grammar for an item, and the check of a reply against the pairs."""

import asyncio
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from bridge import CHUNK, LENGTH, STONE
from conftest import OpenRun

from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import EngineError, Unparsable
from generation_functions.pipelines.conversation_checks import Flaw
from generation_functions.pipelines.conversations import (
    REWRITE_CONVERSATION,
    WRITE_CONVERSATION,
    WRITE_SCENE_CONVERSATION,
    converse,
)
from generation_functions.pipelines.orders import make_info
from generation_functions.pipelines.samples import make_rewriting
from generation_functions.pipelines.topics import list_topics
from generation_functions.records import Conversation, Scene
from generation_functions.stages import CONVERSATION_STEPS
from generation_functions.steps.prompts import PROMPTS, load_prompt

REQUEST = make_info((LENGTH, STONE))
REPLY = (
    "Pair 1\n"
    "User: I have often walked over the Kelvin Bridge. How long is it really?\n"
    "Assistant: It is 812 metres long, the Kelvin Bridge.\n"
    "Pair 2\n"
    "User: And why did Maud Ferris choose to build it of granite?\n"
    "Assistant: Maud Ferris built it of granite because granite was quarried nearby."
)


SPOKEN = [line for line in REPLY.splitlines() if ": " in line]
SCENE = Scene(
    "Sunniva Demir",
    "Kofi Nagy",
    ("Sunniva Demir has all the time in the world.", "It is the 1950s."),
    "Name: Sunniva Demir\nTraits: calm, 61 years old\nLife: Counts trains.\nVoice: Low.",
    "Kofi Nagy stands on platform 9. Sunniva Demir counts trains.",
)
IN_SCENE = replace(REQUEST, scene=SCENE)
SAID = (
    "Pair 1\n"
    "Kofi Nagy: *He points across the water.* How long is the Kelvin Bridge over there?\n"
    "Sunniva Demir: It is 812 metres long, the Kelvin Bridge. I am 61 and have walked them all.\n"
    "Pair 2\n"
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
    grammar = WRITE_CONVERSATION.narrow(load_prompt("write_conversation").grammar, REQUEST)
    assert grammar.matches(REPLY)
    first, second = REPLY.split("\nUser: And")
    assert not grammar.matches(first)
    assert not grammar.matches(f"{REPLY}\n{first}")
    assert not grammar.matches(REPLY.replace("Assistant:", "Bot:"))
    assert second


@pytest.mark.parametrize("folder", ["small", "tiny"])
def test_small_models_lead_to_questions_and_answers_that_keep_their_words(folder: str) -> None:
    grammar = load_prompt("write_conversation", [PROMPTS / folder]).grammar
    grammar = WRITE_CONVERSATION.narrow(grammar, REQUEST)
    turns = [
        f"{speaker}: {text}"
        for pair in REQUEST.pairs
        for speaker, text in (("User", pair.question), ("Assistant", pair.answer))
    ]
    reply = "\n".join(turns)
    assert grammar.matches(reply)
    opened = reply.replace("User: ", "User: I have been thinking about the Kelvin Bridge. ", 1)
    assert grammar.matches(opened)
    told = opened.replace("Bridge. ", "Bridge. It is 812 metres long. ", 1)
    assert not grammar.matches(told)
    assert not grammar.matches(reply.replace("Assistant: ", "Assistant: Well, ", 1))
    assert not grammar.matches("\n".join(turns[2:]))
    assert not grammar.matches("\n".join([turns[0], turns[3], turns[2], turns[1]]))


def test_a_small_model_names_what_the_question_is_about() -> None:
    """Words of the question that comes next: not of a later one, nor of its own."""
    grammar = load_prompt("write_conversation", [PROMPTS / "small"]).grammar
    grammar = WRITE_CONVERSATION.narrow(grammar, REQUEST)
    turns = [f"User: {LENGTH.question}", f"Assistant: {LENGTH.answer}"]
    turns += [
        f"User: And now for the Kelvin Bridge. {STONE.question}",
        f"Assistant: {STONE.answer}",
    ]
    reply = "\n".join(turns)
    assert grammar.matches(reply)
    for topic in ("the Kelvin", "granite"):
        assert grammar.matches(reply.replace("the Kelvin Bridge. Why", f"{topic}. Why"))
    for topic in ("long", "812 metres", "Why", "bridges"):
        assert not grammar.matches(reply.replace("the Kelvin Bridge. Why", f"{topic}. Why"))


@pytest.mark.parametrize(
    ("question", "topics"),
    [
        ("What does Ida Brandt advise doing with wet boots?", ["wet boots"]),
        ("What kind of gas is it?", ["gas"]),
        ("What should the keeper never do to the lamp?", ["the keeper", "the lamp"]),
        ("Why, of snow and ice, is one the older?", ["snow", "snow and ice", "ice", "the older"]),
        ("What is done to steam boilers?", ["boilers"]),
        ("What does Ida Brandt advise doing to clog a pipe?", ["a pipe"]),
        ("What are the old boats painted with?", ["the old boats"]),
        ("Who was it?", []),
    ],
)
def test_a_topic_is_a_run_of_words_that_carry_meaning(question: str, topics: list[str]) -> None:
    chunk = replace(CHUNK, source="For Walkers, by Ida Brandt")
    assert list_topics(replace(LENGTH, question=question, chunk=chunk)) == topics


def test_every_example_is_a_conversation_that_the_parser_takes() -> None:
    prompt = load_prompt("write_conversation")
    for example in prompt.content.examples:
        pairs = tuple(
            replace(LENGTH, uuid=str(number), question=pair["question"], answer=pair["answer"])
            for number, pair in enumerate(example.fields["pairs"])
        )
        request = replace(make_info(pairs), chunk=replace(CHUNK, text="None."))
        assert WRITE_CONVERSATION.narrow(prompt.grammar, request).matches(example.answer)
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
    grammar = WRITE_SCENE_CONVERSATION.narrow(grammar, IN_SCENE)
    lines = SAID.splitlines()
    assert grammar.matches(SAID)
    assert grammar.matches(f"{SAID} *She nods.*")
    assert not grammar.matches("\n".join(lines[:2]))
    assert not grammar.matches("\n".join([lines[2], lines[1], *lines[3:]]))
    assert not grammar.matches(SAID.replace("Kofi Nagy:", "Stranger:"))


def test_a_scene_conversation_needs_a_scene() -> None:
    with pytest.raises(ValueError, match="needs a scene"):
        WRITE_SCENE_CONVERSATION.fields(REQUEST)


def test_a_reply_of_other_speakers_or_another_length_is_unreadable() -> None:
    lines = SAID.splitlines()
    assert refuse_scene("\n".join(lines[:2])) == "wrong number of turns"
    assert refuse_scene(SAID.replace("Kofi Nagy:", "Stranger:")) == "the wrong speaker"
    assert refuse_scene("\n".join([lines[2], lines[1], *lines[3:]])) == "the wrong speaker"
    assert refuse("\n".join(REPLY.splitlines()[:3])) == "wrong number of turns"


def asked_of(large: ScriptedEngine, words: str) -> list[str]:
    return [one.messages[-1].content for one in large.requests if words in one.messages[-1].content]


def converse_with(
    open_small_run: OpenRun, large: ScriptedEngine, **settings: object
) -> list[object]:
    run = open_small_run(large=large, conversations=settings)

    async def stage() -> list[object]:
        async with run.stage("conversations"):
            run.load_prompts(*CONVERSATION_STEPS)
            run.open_survivors("multiturn_convs")
            return list(await run.map(partial(converse, run), [REQUEST], "conversations"))

    return asyncio.run(stage())


def test_of_a_turn_two_flaws_are_told_at_most() -> None:
    flaws = tuple(Flaw("a", turn, f"{turn}: {n}.") for turn in (1, 2) for n in range(4))
    draft = make_rewriting(REQUEST, *(line.partition(": ")[2] for line in SPOKEN))
    told = REWRITE_CONVERSATION.fields(replace(draft, flaws=flaws))["flaws"]
    assert told == ["1: 0.", "1: 1.", "2: 0.", "2: 1."]


def test_a_flawed_conversation_is_written_anew_told_its_flaws(open_small_run: OpenRun) -> None:
    """W22: a rewriting only where something is flagged, and looked at again."""

    def script(request: Request) -> str:
        anew = "conversation anew" in request.messages[-1].content
        return REPLY if anew else REPLY.replace("812", "821")

    large = ScriptedEngine(script)
    (kept,) = converse_with(open_small_run, large)
    assert isinstance(kept, Conversation)
    assert kept.turns[1].text == "It is 812 metres long, the Kelvin Bridge."
    (asked,) = asked_of(large, "conversation anew")
    assert "Turn 2 has a number that neither text nor answers have: 821." in asked
    assert "(2) Assistant: It is 821 metres long" in asked


def test_a_right_conversation_is_not_written_anew(open_small_run: OpenRun) -> None:
    large = ScriptedEngine(lambda request: REPLY)
    assert len(converse_with(open_small_run, large)) == 1
    assert len(large.requests) == 1


def test_long_conversations_may_have_more_tokens() -> None:
    for step in (WRITE_CONVERSATION, WRITE_SCENE_CONVERSATION):
        few, many = (replace(REQUEST, pairs=REQUEST.pairs[:1] * count) for count in (8, 16))
        assert step.most_tokens(few, 1000) == 1000
        assert step.most_tokens(many, 1000) == 2000


@pytest.mark.parametrize("rewrites", [0, 1, 2])
def test_what_stays_flawed_is_rejected_with_its_reason(
    open_small_run: OpenRun, tmp_path: Path, rewrites: int
) -> None:
    replies = iter(range(900, 1000))

    def script(request: Request) -> str:
        return REPLY.replace("812", str(next(replies)))

    large = ScriptedEngine(script)
    assert converse_with(open_small_run, large, rewrites=rewrites) == []
    assert len(large.requests) == 1 + rewrites
    records = list((tmp_path / "run" / "rewrite_conversation").glob("*.json"))
    assert len(records) == rewrites
    status = (tmp_path / "run" / "status.json").read_text(encoding="utf-8")
    assert "an answer is not given" in status


def test_an_engine_error_in_a_rewriting_is_asked_again_and_nothing_else(
    open_small_run: OpenRun,
) -> None:
    def script(request: Request) -> str:
        if "conversation anew" in request.messages[-1].content:
            raise EngineError("gone")
        return REPLY.replace("812", "821")

    with pytest.raises(EngineError, match="gone"):
        converse_with(open_small_run, ScriptedEngine(script))
    large = ScriptedEngine(lambda request: REPLY)
    assert len(converse_with(open_small_run, large)) == 1
    assert len(large.requests) == 1
    assert asked_of(large, "conversation anew")
