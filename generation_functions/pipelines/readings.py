"""Several chunks read as one text, whose sentences are numbered through all of them."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from generation_functions.documents.layout import Span
from generation_functions.documents.sentences import split_sentences, tile
from generation_functions.records import Chunk, make_uuid

_HEADING = re.compile(r"#{1,6}\s+(.*?)(?:\s+#+)?\Z")
_BETWEEN = "\n\n"  # ends a sentence, whatever stands before it


@dataclass(frozen=True, slots=True)
class Reading:
    """`sources` one after the other as one `chunk`; the first is what is asked about.

    Of each of the chunk's sentences, `sentences` has its words, `owners` the place of its source,
    from 0, and `spans` where it stands in the text of that source, with what is behind it.
    """

    chunk: Chunk
    sources: tuple[Chunk, ...]
    sentences: tuple[str, ...]
    owners: tuple[int, ...]
    spans: tuple[Span, ...]


def read_together(sources: Sequence[Chunk]) -> Reading:
    """Return chunks as one text; a single chunk stays as it is."""
    first, texts = sources[0], [chunk.text for chunk in sources]
    chunk = first
    if len(sources) > 1:
        names = dict.fromkeys(one.source for one in sources)
        headings = dict.fromkeys(heading for one in sources for heading in one.headings)
        chunk = replace(
            first,
            uuid=make_uuid("read together", *(one.uuid for one in sources)),
            source="; ".join(names),
            text=_BETWEEN.join(texts),
            tokens=sum(one.tokens for one in sources),
            headings=tuple(headings),
        )
    begins = [0, *accumulate(len(text) + len(_BETWEEN) for text in texts[:-1])]
    spans = split_sentences(chunk.text, chunk.language)
    owners = tuple(bisect_right(begins, start) - 1 for start, _ in spans)
    places: list[Span] = []
    for number, (begin, text) in enumerate(zip(begins, texts, strict=True)):
        own = [span for span, owner in zip(spans, owners, strict=True) if owner == number]
        places += tile([(start - begin, end - begin) for start, end in own], len(text))
    sentences = tuple(" ".join(chunk.text[start:end].split()) for start, end in spans)
    return Reading(chunk, tuple(sources), sentences, owners, tuple(places))


def show_sentence(sentence: str) -> str:
    """Return a sentence as prompts show it: a heading of Markdown without its marks.

    A small model copies them before what it writes.
    """
    heading = _HEADING.match(sentence)
    return heading[1] if heading and heading[1] else sentence


def show_texts(reading: Reading) -> list[dict[str, str]]:
    """Return the sources as prompts show them: the name, and a numbered sentence a line."""
    return [
        {
            "source": chunk.source,
            "sentences": "\n".join(
                f"[{number}] {show_sentence(reading.sentences[number - 1])}"
                for number in list_numbers(reading, place)
            ),
        }
        for place, chunk in enumerate(reading.sources)
    ]


def list_numbers(reading: Reading, place: int) -> list[int]:
    """Return the numbers of the sentences that one source has."""
    return [number for number, owner in enumerate(reading.owners, start=1) if owner == place]
