"""Which sections of the documents are set aside for the exam, so that nothing is made of them."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from generation_functions.choosing import draw_share
from generation_functions.records import Chunk

HELD_OUT = "held out for the exam"
BESIDE = "overlaps what is held out for the exam"
SET_ASIDE = frozenset({HELD_OUT, BESIDE})
MOST_CHUNKS = 8  # of a section: of a longer one, and of a text without headings, parts are drawn


def set_aside(chunks: Sequence[Chunk], share: float, seed: int) -> dict[str, str]:
    """Return the chunks of one document that are kept out of everything, by uuid, each with why.

    `share` is the chance of each section: of neighbours under one heading. What a section says
    decides, and nothing around it, so that other documents change nothing and equal sections
    have one fate. A chunk that begins with the end of one held out is neither asked about nor
    trained on.
    """
    reasons: dict[str, str] = {}
    before = False  # whether the chunk before is held out
    for section in _split(chunks) if share else ():
        held = draw_share(seed, "held out", _own_text(section[0])) < share
        for chunk in section:
            if held:
                reasons[chunk.uuid] = HELD_OUT
            elif before and chunk.overlap:
                reasons[chunk.uuid] = BESIDE
            before = held
    return reasons


def _split(chunks: Sequence[Chunk]) -> Iterator[list[Chunk]]:
    for _, group in groupby(chunks, key=lambda chunk: chunk.headings):
        section = list(group)
        for start in range(0, len(section), MOST_CHUNKS):
            yield section[start : start + MOST_CHUNKS]


def _own_text(chunk: Chunk) -> str:
    return " ".join(chunk.text[chunk.overlap :].split())
