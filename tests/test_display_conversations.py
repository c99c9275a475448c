"""What notebook 07 shows: characters, chats with their pairs beside them, flaws, rewritings."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest
from conftest import OpenRun
from test_conversations_steps import CHUNK, IN_SCENE, LENGTH, REPLY, REQUEST, SCENE
from test_display import HOSTILE, Reading

from generation_functions.display.browser import WIDGET
from generation_functions.display.chat import browse_conversations, show_conversation
from generation_functions.display.markup import Html
from generation_functions.display.rewritings import (
    browse_rejected_conversations,
    browse_rewritings,
    follow_rewritings,
    show_flaws,
    show_rejected_conversation,
    show_rewritings,
)
from generation_functions.display.scenes import browse_infos, show_info, show_scene
from generation_functions.engine.protocol import Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.pipelines.conversation_checks import Flaw
from generation_functions.pipelines.conversations import (
    REJECTED_CONVERSATIONS,
    WRITE_CONVERSATION,
    RejectedConversation,
    converse,
)
from generation_functions.records import Chunk, Conversation, ConversationInfo, QAPair, Scene, Turn
from generation_functions.stages import CONVERSATION_STEPS
from generation_functions.status import read_status
from generation_functions.steps.run import Run

EVIL_CHUNK = Chunk("c", "d", HOSTILE, HOSTILE, HOSTILE, 0, 9, 9)
EVIL_PAIR = QAPair("p", HOSTILE, HOSTILE, (1,), HOSTILE, EVIL_CHUNK)
EVIL_SCENE = Scene(HOSTILE, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE)
EVIL_TURNS = (Turn("human", HOSTILE), Turn("gpt", HOSTILE), Turn(HOSTILE, HOSTILE))
EVIL = Conversation("v", EVIL_TURNS, (EVIL_PAIR,), EVIL_CHUNK)
CONVERSATION = WRITE_CONVERSATION.parse(REQUEST, REPLY)
WRONG = REPLY.replace("812", "821")

Converse = Callable[[Callable[[Request], str]], Run]


@pytest.fixture
def talk(open_small_run: OpenRun) -> Converse:
    """Run the stage for one prepared conversation, with a script for the large model."""

    def talk_it(script: Callable[[Request], str]) -> Run:
        run = open_small_run(large=ScriptedEngine(script), conversations={"rewrites": 2})

        async def stages() -> None:
            async with run.stage("characters"):
                run.keep("multiturn_convs_info", REQUEST)
            async with run.stage("conversations"):
                run.load_prompts(*CONVERSATION_STEPS)
                run.open_survivors("multiturn_convs", REJECTED_CONVERSATIONS)
                await run.map(partial(converse, run), [REQUEST], "conversations")

        asyncio.run(stages())
        return run

    return talk_it


def is_rewriting(request: Request) -> bool:
    return "conversation anew" in request.messages[-1].content


def mend(request: Request) -> str:
    return REPLY if is_rewriting(request) else WRONG


def hostile_displays() -> Iterator[tuple[str, Html]]:
    flaws = tuple(Flaw(HOSTILE, turn, HOSTILE) for turn in range(3))
    info = ConversationInfo("i", (EVIL_PAIR,), EVIL_CHUNK, EVIL_SCENE)
    yield "conversation", show_conversation(EVIL, flaws)
    yield "in a scene", show_conversation(replace(EVIL, scene=EVIL_SCENE))
    yield "rejected", show_rejected_conversation(RejectedConversation(EVIL, flaws))
    yield "browser", browse_conversations([EVIL]).show_plain()
    yield "infos", browse_infos([info]).show_plain()
    yield "an order", show_info(replace(info, scene=None))
    yield "scene", show_scene(EVIL_SCENE)
    table = {"conversations": {"findings": {"flaws": {HOSTILE: {HOSTILE: 1}}}}}
    yield "flaws", show_flaws(table)


def test_hostile_text_is_shown_as_text() -> None:
    for name, shown in hostile_displays():
        reading = Reading(shown.source)
        assert HOSTILE in reading.text, name
        assert not reading.elements & {"script", "img"}, name
        assert not any(one.startswith("on") for one in reading.attributes), name


def test_each_exchange_has_its_pair_beside_it() -> None:
    rows = show_conversation(CONVERSATION).source.split("<tr>")[1:]
    texts = [Reading(row).text for row in rows]
    assert len(texts) == len(CONVERSATION.pairs)
    for place, (text, pair) in enumerate(zip(texts, CONVERSATION.pairs, strict=True)):
        asked, told = CONVERSATION.turns[2 * place : 2 * place + 2]
        said = [f"User\n{asked.text}", f"Assistant\n{told.text}", pair.question, pair.answer]
        assert text == "".join(said)


def test_turns_without_a_pair_and_pairs_without_a_turn_are_shown_too() -> None:
    longer = replace(CONVERSATION, turns=(*CONVERSATION.turns, Turn("human", "Thank you.")))
    assert "Thank you." in show_conversation(longer).source
    shorter = replace(CONVERSATION, turns=())
    assert LENGTH.answer in show_conversation(shorter).source


def test_in_a_scene_the_two_have_their_names() -> None:
    text = Reading(show_conversation(replace(CONVERSATION, scene=SCENE)).source).text
    assert f"{SCENE.secondary}\n{CONVERSATION.turns[0].text}" in text
    assert f"{SCENE.primary}\n{CONVERSATION.turns[1].text}" in text
    assert SCENE.setting in text
    assert "Assistant" not in text


def test_a_flaw_stands_at_its_turn() -> None:
    shown = show_conversation(CONVERSATION, [Flaw("a misspelt word", 3, "Turn 3 has: teh.")])
    text = Reading(shown.source).text
    turns = [turn.text for turn in CONVERSATION.turns]
    assert text.index(turns[2]) < text.index("Turn 3 has: teh.") < text.index(turns[3])


def test_conversations_are_browsed_by_source() -> None:
    other = replace(CONVERSATION, chunk=replace(CHUNK, source="On Locks"))
    browser = browse_conversations([CONVERSATION, other, CONVERSATION])
    assert {name: len(some) for name, some in browser.groups.items()} == {
        CHUNK.source: 2,
        "On Locks": 1,
    }
    assert "No conversation was kept" in browse_conversations([]).show_plain().source


def test_characters_are_shown_with_traits_card_scene_and_order() -> None:
    text = Reading(browse_infos([IN_SCENE]).show_plain().source).text
    for said in (SCENE.primary, SCENE.secondary, *SCENE.instructions, SCENE.card, SCENE.setting):
        assert said in text
    first, second = IN_SCENE.pairs
    assert text.index(first.question) < text.index(second.question)
    assert "nobody is written" not in text


def test_in_assistant_mode_it_is_said_that_nobody_is_written() -> None:
    bundle = browse_infos([REQUEST])._repr_mimebundle_()
    assert WIDGET in bundle
    assert "nobody is written" in bundle["text/html"]
    assert LENGTH.question in bundle["text/html"]
    assert "nobody is written" not in browse_infos([]).show_plain().source


def test_a_rewriting_is_shown_from_version_to_version_without_a_model(talk: Converse) -> None:
    run = talk(mend)
    first, last = follow_rewritings(run, REQUEST)
    assert "821" in first.conversation.turns[1].text
    assert first.flaws
    assert last.conversation.turns == CONVERSATION.turns
    assert last.flaws == ()
    browser = browse_rewritings(run)
    assert list(browser.groups) == ["mended"]
    text = Reading(browser.show_plain().source).text
    assert text.index("It is 821 metres") < text.index("It is 812 metres")
    assert f"Version 1: {len(first.flaws)} flaws" in text
    assert "Version 2: 0 flaws" in text
    assert show_rewritings(run, REQUEST).source in browser.show_plain().source


def test_a_conversation_that_was_right_at_once_is_no_rewriting(talk: Converse) -> None:
    run = talk(lambda request: REPLY)
    assert len(list(follow_rewritings(run, REQUEST))) == 1
    assert "No conversation was written anew" in browse_rewritings(run).show_plain().source
    assert "No flaw was found" in show_flaws(read_status(run.folder)).source
    nothing = browse_rejected_conversations(run).show_plain().source
    assert "No conversation stayed flawed" in nothing


def test_flaws_are_counted_by_version_and_what_stays_flawed_can_be_read(talk: Converse) -> None:
    figures = iter(range(900, 999))
    run = talk(lambda request: REPLY.replace("812", str(next(figures))))
    assert [
        version.conversation.turns[1].text[6:9] for version in follow_rewritings(run, REQUEST)
    ] == ["900", "901", "902"]
    text = Reading(show_flaws(read_status(run.folder)).source).text
    assert "version 1version 2version 3" in text
    assert "a number that the text does not have111" in text
    assert list(browse_rewritings(run).groups) == ["not mended"]
    rejected = browse_rejected_conversations(run)
    (kind,) = rejected.groups
    shown = Reading(rejected.show_plain().source).text
    assert f"{kind}: Turn 2" in shown
    assert "902" in shown
