"""Passages of the documents: which characters a fact, a pair or a recall rests on."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from generation_functions.documents.layout import Span
from generation_functions.documents.sentences import split_sentences, tile
from generation_functions.pipelines.readings import Reading, list_numbers, read_together
from generation_functions.records import Chunk, FactSheet, QAPair, Recall


@dataclass(frozen=True, slots=True)
class Passage:
    """The characters from `start` to `end` of a document's cleaned text."""

    document: str
    start: int
    end: int


def locate_chunk(chunk: Chunk) -> Passage:
    """Return where a chunk stands, without what it shares with the chunk before."""
    return Passage(chunk.document, chunk.start, chunk.end)


def locate_sentences(chunk: Chunk, numbers: Iterable[int]) -> tuple[Passage, ...]:
    """Return where sentences of a chunk, by their numbers from 1, stand in its document.

    The white space behind a sentence belongs to it. Of a chunk that a person edited it is not known
    where its sentences stood: it is taken as a whole.
    """
    spans = _split(chunk.text, chunk.language)
    return _locate(chunk, [spans[one - 1] for one in sorted(set(numbers)) if one <= len(spans)])


def locate_pair(pair: QAPair) -> tuple[Passage, ...]:
    """Return what a pair rests on."""
    return locate_sentences(pair.chunk, pair.sentences)


def locate_facts(sheet: FactSheet) -> tuple[Passage, ...]:
    """Return what the facts of a piece rest on."""
    facts = (*sheet.facts, *sheet.turned, *sheet.inferred)
    return locate_sentences(sheet.chunk, (one for fact in facts for one in fact.sentences))


def locate_recall(recall: Recall) -> tuple[Passage, ...]:
    """Return what was recalled, in all sources of a recall."""
    reading = read_together(recall.sources)
    recalled = (line for exchange in recall.exchanges for line in exchange.recalled)
    numbers = {number for line in recalled for number in line.sentences}
    found: dict[int, list[Span]] = defaultdict(list)
    for number, owner in enumerate(reading.owners, start=1):
        if number in numbers:
            found[owner].append(reading.spans[number - 1])
    located = (_locate(reading.sources[owner], spans) for owner, spans in found.items())
    return tuple(passage for passages in located for passage in passages)


class Covered:
    """The parts of documents that something is known of."""

    def __init__(self, passages: Iterable[Passage] = ()) -> None:
        self._found: dict[str, list[Span]] = defaultdict(list)
        self.add(passages)

    def add(self, passages: Iterable[Passage]) -> None:
        """Take passages in; they may overlap."""
        for one in passages:
            self._found[one.document].append((one.start, one.end))

    def of(self, document: str) -> list[Span]:
        """Return the ranges of a document, in order, none touching the next."""
        self._found[document] = merge(self._found[document])
        return self._found[document]

    def touches(self, passage: Passage) -> bool:
        """Whether a character of a passage is covered."""
        ranges = self.of(passage.document)
        place = bisect_left(ranges, passage.end, key=lambda one: one[0])
        return place > 0 and ranges[place - 1][1] > passage.start

    def list_open(self, reading: Reading) -> tuple[int, ...]:
        """Return the numbers of the sentences of its first source of which nothing is known."""
        chunk = reading.sources[0]
        return tuple(
            number
            for number in list_numbers(reading, 0)
            if not any(map(self.touches, _locate(chunk, [reading.spans[number - 1]])))
        )


def merge(ranges: Iterable[Span]) -> list[Span]:
    """Return ranges in order, those that overlap or touch as one, without empty ones."""
    merged: list[Span] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif start < end:
            merged.append((start, end))
    return merged


def subtract(ranges: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """Return what is left of ranges without those that are `taken`, in order."""
    return list(_subtract(merge(ranges), merge(taken)))


def _subtract(ranges: Sequence[Span], taken: Sequence[Span]) -> Iterator[Span]:
    first = 0
    for start, end in ranges:
        while first < len(taken) and taken[first][1] <= start:
            first += 1
        place = first
        while place < len(taken) and taken[place][0] < end:
            if start < taken[place][0]:
                yield start, taken[place][0]
            start = max(start, taken[place][1])
            place += 1
        if start < end:
            yield start, end


@lru_cache(maxsize=10_000)  # the pairs of a chunk come in any order; some 30 MB
def _split(text: str, language: str) -> tuple[Span, ...]:
    return tuple(tile(split_sentences(text, language), len(text)))


def _locate(chunk: Chunk, spans: Sequence[Span]) -> tuple[Passage, ...]:
    begin = chunk.start - chunk.overlap
    if len(chunk.text) != chunk.end - begin:
        return (locate_chunk(chunk),) if spans else ()
    return tuple(Passage(chunk.document, begin + start, begin + end) for start, end in spans)
