"""Conversations as a chat: each exchange with the pair beside it that it has to carry."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from generation_functions.display.item_browser import ItemBrowser, group_by
from generation_functions.display.markup import Html, Part, beside, join, preformatted, tag
from generation_functions.display.scenes import show_scene
from generation_functions.pipelines.conversation_checks import Flaw
from generation_functions.records import Conversation, QAPair, Scene, Turn

_SPEAKERS = {"human": "User", "gpt": "Assistant", "system": "System"}
_BUBBLE = (
    "max-width: 90%; width: fit-content; margin: 4px {right} 4px {left}; padding: 6px 12px; "
    "border-radius: 10px; background: {shade}; white-space: pre-wrap; overflow-wrap: anywhere"
)
_USER = _BUBBLE.format(left="0", right="auto", shade="#8882")
_ASSISTANT = _BUBBLE.format(left="auto", right="0", shade="#3b7a7833")
_FLAW = "border-left: 4px solid #b5513f; padding: 2px 10px; margin: 2px 0; font-size: 90%"


def show_conversation(conversation: Conversation, flaws: Sequence[Flaw] = ()) -> Html:
    """Return a conversation, its pairs beside its turns, its flaws below the turns they are in."""
    turns = [
        join([_show_turn(turn, conversation.scene), *_show_flaws(flaws, number)])
        for number, turn in enumerate(conversation.turns, start=1)
    ]
    exchanges = (join(turns[place : place + 2]) for place in range(0, len(turns), 2))
    rows = zip_longest(exchanges, conversation.pairs)
    said = f"{conversation.chunk.source}  ·  {len(conversation.pairs)} question-answer pairs"
    return tag(
        "div",
        tag("p", tag("strong", said)),
        show_scene(conversation.scene) if conversation.scene else "",
        *_show_flaws(flaws, 0),
        *(beside(exchange, _show_pair(pair) if pair else "") for exchange, pair in rows),
        style="max-width: 1100px; margin: 0 0 18px 0",
    )


def browse_conversations(conversations: Sequence[Conversation]) -> ItemBrowser[Conversation]:
    """Return a browser of conversations by source."""
    groups = group_by(conversations, lambda one: one.chunk.source)
    return ItemBrowser(groups, show_conversation, "No conversation was kept.")


def _show_turn(turn: Turn, scene: Scene | None) -> Html:
    people = {"human": scene.secondary, "gpt": scene.primary} if scene else _SPEAKERS
    speaker = tag("strong", people.get(turn.speaker, turn.speaker))
    style = _ASSISTANT if turn.speaker == "gpt" else _USER
    return tag("div", speaker, "\n", turn.text, style=style)


def _show_pair(pair: QAPair) -> Html:
    question = tag("strong", pair.question)
    return tag("div", question, preformatted(pair.answer), style="padding: 8px 0; opacity: .85")


def _show_flaws(flaws: Sequence[Flaw], turn: int) -> Iterator[Part]:
    for flaw in flaws:
        if flaw.turn == turn:
            yield tag("div", tag("strong", f"{flaw.kind}: "), flaw.sentence, style=_FLAW)
