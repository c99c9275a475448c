"""Rows of which only a part is trained on: segments with a label, for Axolotl's `input_output`.

Axolotl tokenizes segment by segment and adds nothing, so BOS and EOS stand in the text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from generation_functions.datasets.rows import Row
from generation_functions.datasets.templates import ChatTemplate
from generation_functions.errors import Rejected
from generation_functions.records import Turn

UNTRAINED = "nothing in it would be trained on"


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a row's text; with `label` it is trained on."""

    label: bool
    text: str


@dataclass(frozen=True, slots=True)
class MaskedTurn:
    """A turn, and what of it is trained on: all of it, or what follows its head.

    The head is what leads to an answer ("AI:"), which a model is given when it is asked.
    """

    turn: Turn
    head: bool
    body: bool


def mask_turn(speaker: str, text: str, trained: bool) -> MaskedTurn:
    """Return a turn of which everything, or nothing, is trained on."""
    return MaskedTurn(Turn(speaker, text), trained, trained)


def make_segments(
    template: ChatTemplate, turns: Sequence[MaskedTurn], bos: str, eos: str
) -> tuple[Segment, ...]:
    """Return the turns as segments, neighbours of one label as one.

    Their texts joined are what `template` renders, between `bos` and `eos`. A template that ends
    with `eos` gets no second one. Raises Rejected where nothing would be trained on.
    """
    pieces = template.split([one.turn for one in turns])
    parts = [
        part
        for masked, piece in zip(turns, pieces, strict=True)
        for part in (Segment(masked.head, piece.head), Segment(masked.body, piece.body))
        if part.text
    ]
    if not any(part.label for part in parts):
        raise Rejected(UNTRAINED)
    ended = bool(eos) and parts[-1].text.endswith(eos)
    parts = [
        Segment(parts[0].label, bos),
        *parts,
        Segment(parts[-1].label, "" if ended else eos),
    ]
    return tuple(_merge(parts))


def segment_row(segments: Iterable[Segment]) -> Row:
    """Return a row for `type: input_output`: {"segments": [{"label", "text"}, ...]}.

    Raises Rejected for segments of which none is trained on.
    """
    parts = [one for one in segments if one.text]
    if not any(one.label and one.text.strip() for one in parts):
        raise Rejected(UNTRAINED)
    return {"segments": [{"label": one.label, "text": one.text} for one in parts]}


def _merge(parts: Iterable[Segment]) -> Iterable[Segment]:
    for label, some in groupby(parts, key=lambda part: part.label):
        text = "".join(part.text for part in some)
        if text:
            yield Segment(label, text)
