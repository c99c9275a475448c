"""Conversations as a chat: the user's messages on one side, the assistant's on the other."""

from collections.abc import Sequence

from generation_functions.display.markup import Html, join, tag
from generation_functions.records import Conversation, Turn

_SPEAKERS = {"human": "User", "gpt": "Assistant", "system": "System"}
_BUBBLE = (
    "max-width: 80%; width: fit-content; margin: 4px {right} 4px {left}; padding: 6px 12px; "
    "border-radius: 10px; background: {shade}; white-space: pre-wrap; overflow-wrap: anywhere"
)
_USER = _BUBBLE.format(left="0", right="auto", shade="#8882")
_ASSISTANT = _BUBBLE.format(left="auto", right="0", shade="#3b7a7833")


def show_conversation(conversation: Conversation) -> Html:
    """Return a conversation with its source above it."""
    said = f"{conversation.chunk.source}  ·  {len(conversation.pairs)} question-answer pairs"
    turns = (_show_turn(turn) for turn in conversation.turns)
    return tag(
        "div",
        tag("p", tag("strong", said)),
        *turns,
        style="max-width: 760px; margin: 0 0 18px 0",
    )


def show_conversations(conversations: Sequence[Conversation], most: int = 3) -> Html:
    """Return the first `most` conversations, and how many there are."""
    said = f"{min(most, len(conversations))} of {len(conversations):,} conversations"
    return join([tag("p", said), *map(show_conversation, conversations[:most])])


def _show_turn(turn: Turn) -> Html:
    speaker = tag("strong", _SPEAKERS.get(turn.speaker, turn.speaker))
    style = _ASSISTANT if turn.speaker == "gpt" else _USER
    return tag("div", speaker, "\n", turn.text, style=style)
