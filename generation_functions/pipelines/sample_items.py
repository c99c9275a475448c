"""The chunk and the pairs that sample items are made of, and how examples are read back to them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from generation_functions.documents.sentences import number_sentences
from generation_functions.records import Chunk, QAPair, make_uuid

NUMBERED = re.compile(r"^\[\d+\] ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Samples:
    """Items of a step, and how an item is made from the fields of a prompt's example.

    `read(fields)` raises TypeError or ValueError for fields of another kind.
    """

    items: tuple[Any, ...]
    read: Callable[[Mapping[str, Any]], Any]


def make_chunk(text: str, source: str = "Notes of a Ropemaker, by L. Orrin") -> Chunk:
    """Return a chunk of no document."""
    return Chunk(make_uuid("samples", text), "samples", "samples", source, text, 0, len(text), 1)


def make_pair(chunk: Chunk, question: str, answer: str) -> QAPair:
    """Return a pair that rests on the chunk's first sentence."""
    quote = number_sentences(chunk.text)[0]
    return QAPair(make_uuid(chunk.uuid, question), question, answer, (1,), quote, chunk)


def read_chunk(fields: Mapping[str, Any]) -> Chunk:
    """Return the chunk that an example shows, without the numbers of its sentences."""
    lines = re.sub(r"\n(?!\[)", " ", fields["chunk"])
    return make_chunk(NUMBERED.sub("", lines), str(fields.get("source", "")))


def read_pair(fields: Mapping[str, Any]) -> QAPair:
    """Return the pair that an example shows; some steps see only its question."""
    return make_pair(read_chunk(fields), str(fields["question"]), str(fields.get("answer", "")))


CHUNK = make_chunk(
    "A hawser of 120 threads is laid from three strands, each twisted against the next.\n"
    'Mrs. Orrin called tarred ones "black dogs" [see the log of 1874]; they last longer.\n'
    "What spoils a rope? Damp, sand and a path such as C:\\ropes\\old!\n\n"
    "- hemp\n- sisal"
)
SHORT = make_chunk("Hemp floats")
CLEAR = make_pair(
    CHUNK, "Of how many strands is a hawser laid?", "A hawser is laid from three strands."
)
QUOTED = make_pair(
    CHUNK,
    'Which ropes did Mrs. Orrin call "black dogs"?',
    'Mrs. Orrin called tarred ropes "black dogs".',
)
UNCLEAR = make_pair(CHUNK, "What does the author say about them?", "They last longer.")
PAIRS = (CLEAR, QUOTED, UNCLEAR)
