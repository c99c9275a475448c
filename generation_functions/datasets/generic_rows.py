"""Rows of other people's datasets as turns: ShareGPT (from, value) or messages (role, content)."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from generation_functions.config import Config
from generation_functions.datasets.rows import fill_context, with_system
from generation_functions.errors import Rejected
from generation_functions.records import Turn
from generation_functions.training_sections import GenericDataset

COLUMNS = ("conversations", "messages", "conversation")  # the first that a row has
SPEAKERS = {
    "system": "system",
    "human": "human",
    "user": "human",
    "gpt": "gpt",
    "assistant": "gpt",
    "model": "gpt",
    "chatgpt": "gpt",
}
NO_COLUMN = f"none of the columns {', '.join(COLUMNS)}"
NO_ANSWER = "no turn of an assistant"


def load_row(raw: object) -> object:
    """Return a row as it was read: the line of a JSONL file, or its values. Raises Rejected."""
    if not isinstance(raw, bytes):
        return raw
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Rejected("no JSON") from error


def read_turns(row: object) -> tuple[Turn, ...]:
    """Return a row's turns. Raises Rejected for what is no conversation, with what is wrong."""
    found = row if isinstance(row, dict) else {}
    told = next((found[name] for name in COLUMNS if found.get(name) is not None), None)
    if told is None:
        raise Rejected(NO_COLUMN)
    turns = [_read_turn(one) for one in _list_turns(told)]
    if turns and turns[0].speaker == "system" and not turns[0].text.strip():
        del turns[0]
    if any(turn.speaker == "system" for turn in turns[1:]):
        raise Rejected("a system turn that is not the first")
    if any(not turn.text.strip() for turn in turns):
        raise Rejected("a turn without text")
    if not any(turn.speaker == "gpt" for turn in turns):
        raise Rejected(NO_ANSWER)
    return tuple(turns)


def add_context(turns: Sequence[Turn], dataset: GenericDataset, config: Config) -> tuple[Turn, ...]:
    """Return turns as they are trained on, with what the config says before them.

    The system turn, which is put there where it has to be, is the shared instruction, then the
    dataset's `context_to_add` if it goes there, then what it was. Raises Rejected where that is
    to stand before what a user says and none says anything.
    """
    rest, kind = list(turns), dataset.context_to_add_type
    context = fill_context(dataset.context_to_add, config.dataset_context).strip()
    own = rest.pop(0).text if rest[0].speaker == "system" else ""
    if context and kind == "human":
        place = next((at for at, turn in enumerate(rest) if turn.speaker == "human"), None)
        if place is None:
            raise Rejected("no turn of a user, where context_to_add is to go")
        rest[place] = Turn("human", f"{context}\n{rest[place].text}")
    shared = fill_context(config.system.shared_instruction, config.dataset_context)
    parts = (shared, context if kind == "system" else "", own)
    system = "\n".join(part.strip() for part in parts if part.strip())
    return with_system(system, tuple(rest))


def _list_turns(told: Any) -> Iterable[Any]:
    """Return the turns one by one, also where a file holds them column by column."""
    if isinstance(told, dict):
        columns = list(told.values())
        if not all(isinstance(column, list) for column in columns):
            raise Rejected("turns that are no list")
        return (dict(zip(told, values, strict=False)) for values in zip(*columns, strict=False))
    if not isinstance(told, list):
        raise Rejected("turns that are no list")
    return told


def _read_turn(told: object) -> Turn:
    if not isinstance(told, dict):
        raise Rejected("a turn that is not an object")
    who = told.get("from") or told.get("role")
    text = told.get("value")
    if text is None:
        text = told.get("content")
    if not isinstance(text, str):
        raise Rejected("a turn whose value or content is no text")
    speaker = SPEAKERS.get(str(who).lower())
    if speaker is None:
        raise Rejected(f"a turn of a speaker that is none of {', '.join(SPEAKERS)}")
    return Turn(speaker, text)
