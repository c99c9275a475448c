"""From what stands before a conversation to its turns: two characters', or an assistant's."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from generation_functions.errors import Rejected, Unparsable
from generation_functions.pipelines.conversation_checks import Flaw, find_flaws
from generation_functions.pipelines.topics import list_topics
from generation_functions.records import Conversation, ConversationInfo, Scene, Turn, make_uuid
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step, write_literal

REJECTED_CONVERSATIONS = "multiturn_convs_rejected"

MOST_TOLD = 2  # flaws of a turn
_NUMBER = re.compile(r"Pair \d+")


@dataclass(frozen=True, slots=True)
class RejectedConversation:
    """A conversation that was left out, as it was last, with all its flaws; for reading."""

    conversation: Conversation
    flaws: tuple[Flaw, ...]

    @property
    def uuid(self) -> str:
        return self.conversation.uuid


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A conversation with its flaws, to be written anew for the `number`th time."""

    info: ConversationInfo
    conversation: Conversation
    flaws: tuple[Flaw, ...]
    number: int

    @property
    def uuid(self) -> str:
        said = (turn.text for turn in self.conversation.turns)
        return make_uuid(self.info.uuid, "rewriting", str(self.number), *said)


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


def _rewriting_fields(draft: Rewriting) -> dict[str, object]:
    scene = draft.info.scene
    asker, teller = _name_speakers(draft.info)
    turns = draft.conversation.turns
    return {
        **_fields(draft.info),
        "asker": asker,
        "teller": teller,
        "instructions": scene.instructions if scene else (),
        "card": scene.card if scene else "",
        "setting": scene.setting if scene else "",
        "turns": [
            {"speaker": asker if turn.speaker == "human" else teller, "text": turn.text}
            for turn in turns
        ],
        "flaws": _choose_told(draft.flaws),
    }


def _choose_told(flaws: Sequence[Flaw]) -> list[str]:
    """Return what is told of the flaws: of each turn the first, MOST_TOLD at most.

    What else is wrong with a turn goes when it is written anew, and would only fill the context.
    """
    told = Counter[int]()
    chosen = []
    for flaw in flaws:
        told[flaw.turn] += 1
        if told[flaw.turn] <= MOST_TOLD:
            chosen.append(flaw.sentence)
    return chosen


def _name_speakers(info: ConversationInfo) -> tuple[str, str]:
    """Return who asks and who answers, as a conversation's lines begin."""
    return (info.scene.secondary, info.scene.primary) if info.scene else ("User", "Assistant")


def _rules(info: ConversationInfo) -> Mapping[str, str]:
    asker, teller = _name_speakers(info)
    return {
        "talk": _number_exchanges(info),
        "verbatim": _keep_words(info),
        "led": _lead_to(info),
        "asker": write_literal(asker),
        "teller": write_literal(teller),
    }


def _number_exchanges(info: ConversationInfo) -> str:
    """Return an exchange for each pair, below its number.

    Numbers cost no choice and keep small models to the pair whose turn it is: with four pairs
    and none, a 1.5B model answered each question of a talk with the answer of the first.
    """
    numbers = range(1, len(info.pairs) + 1)
    return ' "\\n" '.join(f'"Pair {number}\\n" exchange' for number in numbers)


def _keep_words(info: ConversationInfo) -> str:
    """Return the pairs in their own words, as small models need it: the model writes only what
    leads to the first question (`opening`), to each later one (`link`) and to the answers (`lead`).
    """
    return _write_exchanges(info, ["opening", *["link"] * (len(info.pairs) - 1)])


def _lead_to(info: ConversationInfo) -> str:
    """Return what `_keep_words` does; what leads to a question ends with some words of it.

    Of its own a small model names another question's subject there, or joins words.
    """
    opened = []
    for place, pair in enumerate(info.pairs):
        topics = " | ".join(map(write_literal, list_topics(pair)))
        begins = "link" if place else "opening"
        opened.append(f'({begins} ({topics}) ". "){{0,1}}' if topics else '""')
    return _write_exchanges(info, opened)


def _write_exchanges(info: ConversationInfo, opened: Sequence[str]) -> str:
    asker, teller = _name_speakers(info)
    exchanges = []
    for said, pair in zip(opened, info.pairs, strict=True):
        asked = write_literal(f"{pair.question}\n{teller}: ")
        exchanges.append(
            f"{write_literal(f'{asker}: ')} {said} {asked} lead {write_literal(pair.answer)}"
        )
    return ' "\\n" '.join(exchanges)


def _parse(info: ConversationInfo, reply: str) -> Conversation:
    """Return the turns of a reply. Raises Unparsable for wrong speakers and a wrong number."""
    labels = [f"{name}: " for name in _name_speakers(info)]
    lines = [line for line in reply.split("\n") if not _NUMBER.fullmatch(line)]
    if len(lines) != 2 * len(info.pairs):
        raise Unparsable("wrong number of turns")
    if not all(line.startswith(labels[number % 2]) for number, line in enumerate(lines)):
        raise Unparsable("the wrong speaker")
    turns = tuple(
        Turn(("human", "gpt")[number % 2], line.removeprefix(labels[number % 2]).strip())
        for number, line in enumerate(lines)
    )
    return Conversation(info.uuid, turns, info.pairs, info.chunk, info.scene)


def _count_pairs(info: ConversationInfo) -> int:
    return len(info.pairs)


WRITE_CONVERSATION: Step[ConversationInfo, Conversation] = Step(
    "write_conversation",
    _fields,
    _parse,
    _rules,
    role="large",
    parts=_count_pairs,
    replaces=("talk",),
    offers=("asker", "led", "teller", "verbatim"),
)


WRITE_SCENE_CONVERSATION: Step[ConversationInfo, Conversation] = Step(
    "write_scene_conversation",
    _scene_fields,
    _parse,
    _rules,
    role="large",
    parts=_count_pairs,
    replaces=("asker", "talk", "teller"),
    offers=("led", "verbatim"),
)


REWRITE_CONVERSATION: Step[Rewriting, Conversation] = Step(
    "rewrite_conversation",
    _rewriting_fields,
    lambda draft, reply: _parse(draft.info, reply),
    lambda draft: _rules(draft.info),
    role="large",
    parts=lambda draft: _count_pairs(draft.info),
    replaces=("asker", "talk", "teller"),
    offers=("led", "verbatim"),
)


async def converse(run: Run, info: ConversationInfo) -> Conversation:
    """Write the conversation that carries the pairs, in its scene if it has one.

    What is flawed is written anew, told its flaws, at most `conversations.rewrites` times.
    Raises Rejected with the kind of the first flaw that is left then.
    """
    step = WRITE_SCENE_CONVERSATION if info.scene else WRITE_CONVERSATION
    conversation = await run.ask(step, info)
    shown = list_shown(run, step)
    for number in range(1, run.config.conversations.rewrites + 2):
        flaws = find_flaws(conversation, shown)
        if not flaws:
            return run.keep("multiturn_convs", conversation)
        for kind in sorted({flaw.kind for flaw in flaws}):
            run.tally("flaws", kind, f"version {number}")
        if number <= run.config.conversations.rewrites:
            draft = Rewriting(info, conversation, tuple(flaws), number)
            conversation = await run.ask(REWRITE_CONVERSATION, draft)
    with suppress(Rejected):  # a person deleted it, and need not read it again
        run.keep(REJECTED_CONVERSATIONS, RejectedConversation(conversation, tuple(flaws)))
    raise Rejected(flaws[0].kind)


def list_shown(run: Run, step: Step[ConversationInfo, Conversation]) -> tuple[str, ...]:
    """Return the texts that the models which wrote a conversation were shown."""
    return (*run.shown(step), *run.shown(REWRITE_CONVERSATION))
