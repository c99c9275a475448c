"""From what stands before a conversation to its turns: two characters', or an assistant's."""

import re
from collections.abc import Mapping, Sequence

from generation_functions.errors import Unparsable
from generation_functions.pipelines.wording import (
    content_words,
    coverage,
    find_pointers,
    names,
    numbers,
    strange_script,
)
from generation_functions.records import Conversation, ConversationInfo, Scene, Turn
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step, write_literal

_EXCHANGE = re.compile(r"User: (.+)\nAssistant: (.+)")
_LABEL = re.compile(r"\b(?:User|Human|Assistant|Question|Answer):")
_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")


def _fields(request: ConversationInfo) -> dict[str, object]:
    pairs = [{"question": pair.question, "answer": pair.answer} for pair in request.pairs]
    return {"pairs": pairs}


def _scene_fields(request: ConversationInfo) -> dict[str, object]:
    scene = _scene_of(request)
    return {
        **_fields(request),
        "primary": scene.primary,
        "secondary": scene.secondary,
        "instructions": scene.instructions,
        "card": scene.card,
        "setting": scene.setting,
    }


def _scene_of(request: ConversationInfo) -> Scene:
    if request.scene is None:
        raise ValueError(f"{request.uuid}: a conversation of characters needs a scene")
    return request.scene


def _scene_rules(request: ConversationInfo) -> Mapping[str, str]:
    scene = _scene_of(request)
    return {
        "talk": ' "\\n" '.join(["exchange"] * len(request.pairs)),
        "asker": write_literal(scene.secondary),
        "teller": write_literal(scene.primary),
    }


def _rules(request: ConversationInfo) -> Mapping[str, str]:
    words = [write_literal(f"{pair.question}\nAssistant: {pair.answer}") for pair in request.pairs]
    verbatim = [f'"User: " opening {one}' for one in words]
    return {
        "talk": ' "\\n" '.join(["exchange"] * len(request.pairs)),
        "verbatim": ' "\\n" '.join(verbatim),
    }


def _parse(request: ConversationInfo, reply: str) -> Conversation:
    return _make_conversation(request, _EXCHANGE.findall(reply))


def _parse_scene(request: ConversationInfo, reply: str) -> Conversation:
    scene = _scene_of(request)
    labels = [f"{name}: " for name in (scene.secondary, scene.primary)]
    said = []
    for number, line in enumerate(reply.split("\n")):
        own = labels[number % 2]
        text = line.removeprefix(own)
        if text == line:
            raise Unparsable("the wrong speaker")
        if any(label.strip() in text for label in labels):
            raise Unparsable("a speaker's label within a message")
        if text.count("*") % 2:
            raise Unparsable("an action without its end")
        said.append(text)
    if len(said) % 2:
        raise Unparsable("wrong number of turns")
    return _make_conversation(request, list(zip(said[::2], said[1::2], strict=True)))


def _make_conversation(request: ConversationInfo, said: Sequence[tuple[str, str]]) -> Conversation:
    exchanges = [(asked.strip(), told.strip()) for asked, told in said]
    check_exchanges(request, exchanges)
    turns = [
        Turn(speaker, text)
        for exchange in exchanges
        for speaker, text in zip(("human", "gpt"), exchange, strict=True)
    ]
    return Conversation(request.uuid, tuple(turns), request.pairs, request.chunk, request.scene)


def check_exchanges(request: ConversationInfo, exchanges: Sequence[tuple[str, str]]) -> None:
    """Raise Unparsable unless exchange k asks question k and gives answer k.

    Numbers and names must all be there, content words as far as `share_wanted` says.
    What was said before counts for the question (a person says "it" the second time);
    what the user says counts for the answer.
    """
    if len(exchanges) != len(request.pairs):
        raise Unparsable("wrong number of turns")
    scene = request.scene
    told = [scene.primary, scene.secondary, scene.card, scene.setting] if scene else []
    told += [*scene.instructions] if scene else []
    told += [f"{pair.question} {pair.answer}" for pair in request.pairs]
    known = " ".join([request.chunk.text, *told])
    reply = " ".join(" ".join(exchange) for exchange in exchanges)
    if _LABEL.search(reply):
        raise Unparsable("a speaker's label within a message")
    if _TWO_STOPS.search(reply):
        raise Unparsable("two full stops")
    if strange_script(reply, known):
        raise Unparsable("letters of another script")
    if numbers(reply) - numbers(known):
        raise Unparsable("a number that the text does not have")
    if find_pointers(reply):
        raise Unparsable("points at the text")
    said = ""
    for pair, (asked, told) in zip(request.pairs, exchanges, strict=True):
        said += f" {asked}"
        if not _carries(pair.question, asked, said):
            raise Unparsable("a question is not asked")
        if not _carries(pair.answer, told, f"{asked} {told}"):
            raise Unparsable("an answer is not given")
        said += f" {told}"
    endings = [re.split(r"(?<=[.!?]) ", told)[-1].lower() for _, told in exchanges]
    if len(set(endings)) < len(endings):
        raise Unparsable("the assistant repeats itself")


def share_wanted(count: int) -> float:
    """How many of `count` content words must be there: all of a few, two thirds of many."""
    return 1.0 if count <= 2 else 0.75 if count <= 6 else 0.66


def _carries(content: str, text: str, context: str) -> bool:
    """Whether `text`, read in `context`, has the numbers, names and words of `content`."""
    wanted = content_words(content)
    return (
        numbers(content) <= numbers(context)
        and all(name in context.lower() for name in names(content))
        and coverage(wanted, context) >= share_wanted(len(wanted))
        and coverage(wanted, text) >= share_wanted(len(wanted)) / 2
    )


WRITE_CONVERSATION: Step[ConversationInfo, Conversation] = Step(
    "write_conversation", _fields, _parse, _rules, role="large"
)


WRITE_SCENE_CONVERSATION: Step[ConversationInfo, Conversation] = Step(
    "write_scene_conversation",
    _scene_fields,
    _parse_scene,
    _scene_rules,
    role="large",
    own_words=True,
)


async def converse(run: Run, request: ConversationInfo) -> Conversation:
    """Write the conversation that carries the request's pairs, in its scene if it has one."""
    step = WRITE_SCENE_CONVERSATION if request.scene else WRITE_CONVERSATION
    conversation = await run.ask(step, request)
    return run.keep("multiturn_convs", conversation)
