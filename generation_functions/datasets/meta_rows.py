"""Rows that teach a model the program's own work, as pure functions of a call.

What a prompt says is read, the reply is learnt. Rows of messages carry that as `train`, a key of
each message, those of segments as `label`.
"""

from collections.abc import Sequence
from dataclasses import replace

from generation_functions.calls import Call
from generation_functions.choosing import draw_share
from generation_functions.config import Config
from generation_functions.datasets.rows import Row
from generation_functions.datasets.segments import MaskedTurn, make_segments, mask_turn, segment_row
from generation_functions.datasets.templates import ROLES, ChatTemplate
from generation_functions.records import Turn

REPLIES = "gpt"  # who replies, in ShareGPT's words


def thin_examples(call: Call, share: float, seed: int) -> Call:
    """Return a call of whose prompt each example was kept with the probability `share`.

    The call's step and item decide, by `seed`; with another share the same examples go first.
    """
    kept = tuple(
        example
        for number, example in enumerate(call.examples)
        if draw_share(seed, call.step, call.uuid, "example", number) < share
    )
    return replace(call, examples=kept)


def make_row(call: Call, config: Config, template: ChatTemplate) -> Row:
    """Return a call as a row of `meta_datagen.format`; its reply alone is learnt.

    Rows of segments are the text of `template`, between `bos` and `eos`.
    """
    form = config.meta_datagen.format
    if form == "segments":
        saving = config.final_datasaving_settings
        turns = [mask_turn(turn.speaker, turn.text, trained=False) for turn in call.prompt]
        turns.append(MaskedTurn(Turn(REPLIES, call.reply), head=False, body=True))
        return segment_row(make_segments(template, turns, saving.bos, saving.eos))
    said = [*((turn, False) for turn in call.prompt), (Turn(REPLIES, call.reply), True)]
    if form == "sharegpt":
        return {
            "conversations": [
                {"from": turn.speaker, "value": turn.text, "train": train} for turn, train in said
            ]
        }
    return {"messages": [{**_as_message(turn), "train": train} for turn, train in said]}


def make_pairs(call: Call) -> list[Row]:
    """Return a row for each reply that is worse than the call's own, both to one prompt.

    {"prompt": [message, ...], "chosen": [message], "rejected": [message]}: TRL's conversational
    preference format, and Axolotl's `chat_template.default`.
    """
    prompt = [_as_message(turn) for turn in call.prompt]
    return [
        {
            "prompt": prompt,
            "chosen": [_as_message(Turn(REPLIES, call.reply))],
            "rejected": [_as_message(Turn(REPLIES, worse.text))],
        }
        for worse in call.worse
    ]


def render(call: Call, replies: Sequence[str], template: ChatTemplate) -> str:
    """Return a call's prompt with the longest of `replies`, as one text."""
    return template.render((*call.prompt, Turn(REPLIES, max(replies, key=len))))


def _as_message(turn: Turn) -> Row:
    return {"role": ROLES[turn.speaker], "content": turn.text}
