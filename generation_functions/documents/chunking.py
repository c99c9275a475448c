"""Cutting a document into chunks that fit a token limit, without losing a character.

The text is first laid out in pieces that fit: blocks, of too long blocks the units, of
too long units the sentences, of too long sentences parts. Then neighbouring pieces are
joined so that the sum over all chunks of `(1 - tokens / limit) ** 2 + the price of the cut
after the chunk` is smallest. The square evens the sizes out; the prices keep cuts at good
places. Where a chapter starts, chunks start anew, so an edit reaches a few chunks only.
"""

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from generation_functions.documents.languages import guess_language
from generation_functions.documents.layout import (
    Span,
    is_code,
    is_heading,
    split_blocks,
    split_lines,
    split_units,
)
from generation_functions.documents.outline import read_outline
from generation_functions.documents.sentences import split_sentences
from generation_functions.records import Chunk, Document, make_uuid

BEFORE_HEADING = 0.0
AFTER_BLOCK = 0.1
AFTER_UNIT = 0.25
AFTER_SENTENCE = 0.4
AFTER_COLON = 0.6
INSIDE_SENTENCE = 1.0
AFTER_HEADING = 2.0

CHARACTERS_IN_A_TOKEN = 12  # overlap is looked for no further back
GRAINS_IN_A_CHUNK = 24  # more would only be slower: pieces this small are put together

_SPACE = re.compile(r"\s+")

Counter = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A span that fits; `price` is what a cut after it costs."""

    start: int
    end: int
    tokens: int
    price: float


def chunk_document(
    document: Document,
    limit: int,
    count: Counter,
    overlap: int = 0,
    pages: tuple[int, ...] = (),
) -> list[Chunk]:
    """Cut `document` into chunks of at most `limit` tokens, as `count` counts them.

    With `overlap`, up to so many of these tokens are the end of the chunk before, whole
    sentences where they fit; a chunk that begins with a heading has none. `pages` are the
    characters at which the pages start. The chunks' spans joined are the document's text.
    Only a single character that alone counts more than `limit` is let through. A chunk's
    uuid depends on directory, path and its own text, not on the text around it; an equal
    text later in the document also carries its number.
    """
    if limit < 1:
        raise ValueError(f"chunk limit is {limit} tokens; it must be at least 1")
    if not 0 <= overlap <= limit // 2:
        raise ValueError(f"overlap is {overlap} tokens; it must be at most half of {limit}")
    whole = document.text
    blocks = split_blocks(whole)
    language = guess_language(whole)
    outline = read_outline(whole, blocks)
    spans = _join(
        whole, _lay_out(whole, blocks, limit - overlap, count, language), limit - overlap, count
    )
    parent = make_uuid(document.directory, document.path)
    seen: dict[str, int] = {}
    chunks = []
    previous = 0
    for start, end, tokens in spans:
        lead = start
        if overlap and start and not outline.is_heading(start):
            lead = _find_lead(whole, (previous, start, end), overlap, limit, count, language)
        previous = start
        text = whole[lead:end]
        repeat = seen[text] = seen.get(text, -1) + 1
        first_letter = start + len(whole[start:end]) - len(whole[start:end].lstrip())
        chunks.append(
            Chunk(
                uuid=make_uuid(parent, text, *([str(repeat)] if repeat else [])),
                document=document.uuid,
                directory=document.directory,
                source=document.source,
                text=text,
                start=start,
                end=end,
                tokens=count(text) if lead < start else tokens,
                overlap=start - lead,
                headings=outline.at(start, end),
                page=max(1, bisect_right(pages, first_letter)) if pages else None,
                language=language,
            )
        )
    return chunks


def _find_lead(
    text: str,
    places: tuple[int, int, int],
    overlap: int,
    limit: int,
    count: Counter,
    language: str,
) -> int:
    """Return where the overlap begins; `places` are previous start, start and end."""
    previous, start, end = places
    window = max(previous, start - CHARACTERS_IN_A_TOKEN * overlap)
    before = text[window:start]

    def fits(lead: int) -> bool:
        return count(text[lead:start]) <= overlap and count(text[lead:end]) <= limit

    sentences = [window + a for a, _ in split_sentences(before, language)]
    for lead in sentences[window > previous :]:
        if fits(lead):
            return lead
    words = [window + match.end() for match in _SPACE.finditer(before) if match.end() < len(before)]
    best = bisect_left(words, True, key=fits)
    return words[best] if best < len(words) and fits(words[best]) else start


def _lay_out(
    text: str, blocks: list[Span], limit: int, count: Counter, language: str
) -> list[_Piece]:
    headings = [is_heading(text[start:end]) for start, end in blocks]
    pieces: list[_Piece] = []
    for number, (start, end) in enumerate(blocks):
        block = text[start:end]
        if number + 1 < len(blocks) and headings[number + 1] and not headings[number]:
            price = BEFORE_HEADING
        elif headings[number]:
            price = AFTER_HEADING
        else:
            price = AFTER_COLON if block.rstrip().endswith(":") else AFTER_BLOCK
        splits = _CODE_SPLITS if is_code(block) else _text_splits(language)
        pieces.extend(_fit(text, (start, end), price, limit, count, splits))
    if pieces:
        pieces[-1] = replace(pieces[-1], price=0.0)
    return pieces


def _contiguous_sentences(text: str, language: str) -> list[Span]:
    """Sentences with the white space after them, so that none is lost."""
    starts = [0, *(start for start, _ in split_sentences(text, language)[1:])]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


_Splits = tuple[tuple[Callable[[str], list[Span]], float], ...]
_CODE_SPLITS: _Splits = ((split_lines, AFTER_UNIT),)


def _text_splits(language: str) -> _Splits:
    sentences = partial(_contiguous_sentences, language=language)
    return ((split_units, AFTER_UNIT), (sentences, AFTER_SENTENCE))


def _fit(
    text: str, span: Span, price: float, limit: int, count: Counter, splits: _Splits
) -> list[_Piece]:
    """Return `span` as pieces within `limit`, split no finer than needed."""
    start, end = span
    tokens = count(text[start:end])
    if tokens <= limit or end - start == 1:
        return [_Piece(start, end, tokens, price)]
    parts, inner_price, finer = _split(text, span, math.ceil(tokens / limit), splits)
    pieces: list[_Piece] = []
    for part in parts:
        part_price = price if part[1] == end else inner_price
        pieces.extend(_fit(text, part, part_price, limit, count, finer))
    return pieces


def _split(
    text: str, span: Span, shares: int, splits: _Splits
) -> tuple[list[Span], float, _Splits]:
    """Return parts by the coarsest split that cuts at all, its price, and the finer splits."""
    start, end = span
    for level, (split, price) in enumerate(splits, 1):
        parts = [(start + a, start + b) for a, b in split(text[start:end])]
        if len(parts) > 1:
            return parts, price, splits[level:]
    cut = _cutting_point(text, start, end, shares)
    return [(start, cut), (cut, end)], INSIDE_SENTENCE, ()


def _cutting_point(text: str, start: int, end: int, shares: int) -> int:
    """Return a place between words with about half of `shares` equal shares on either side."""
    ideal = start + (end - start) * (shares // 2) // shares
    reach = max(1, (end - start) // (2 * shares))
    spaces = [m.end() for m in _SPACE.finditer(text, max(start, ideal - reach), ideal + 1)]
    return max(start + 1, min(spaces[-1] if spaces else ideal, end - 1))


def _join(
    text: str, pieces: list[_Piece], limit: int, count: Counter
) -> list[tuple[int, int, int]]:
    """Return (start, end, tokens) of every chunk, each counted as it stands."""
    chunks = []
    open_runs = _pack(pieces, limit)[::-1]
    while open_runs:
        run = open_runs.pop()
        start, end = run[0].start, run[-1].end
        tokens = run[0].tokens if len(run) == 1 else count(text[start:end])
        if tokens > limit and len(run) > 1:  # joined text can count more than its parts
            open_runs += _pack(run, _sum_tokens(run) - 1)[::-1]
        else:
            chunks.append((start, end, tokens))
    return chunks


def _pack(pieces: list[_Piece], limit: int) -> list[list[_Piece]]:
    """Group pieces into runs at the least total price (dynamic programming).

    A run of more than one piece keeps `limit` by the sum of its pieces' tokens.
    """
    grains = _gather(pieces, limit // GRAINS_IN_A_CHUNK)
    sizes = [_sum_tokens(grain) for grain in grains]
    best = [0.0] + [math.inf] * len(grains)
    back = [0] * (len(grains) + 1)
    for stop in range(1, len(grains) + 1):
        price = grains[stop - 1][-1].price
        tokens = 0
        for first in range(stop - 1, -1, -1):
            tokens += sizes[first]
            if tokens > limit and first < stop - 1:
                break
            total = best[first] + (1 - tokens / limit) ** 2 + price
            if total < best[stop]:
                best[stop], back[stop] = total, first
    runs: list[list[_Piece]] = []
    stop = len(grains)
    while stop:
        runs.append([piece for grain in grains[back[stop] : stop] for piece in grain])
        stop = back[stop]
    return runs[::-1]


def _gather(pieces: list[_Piece], most: int) -> list[list[_Piece]]:
    """Put small neighbours together, up to `most` tokens, so that `_pack` has little to weigh.

    What stands before a heading is not put together with it.
    """
    grains: list[list[_Piece]] = []
    tokens = 0
    for piece in pieces:
        size = _sum_tokens([piece])
        if grains and tokens + size <= most and grains[-1][-1].price > BEFORE_HEADING:
            grains[-1].append(piece)
            tokens += size
        else:
            grains.append([piece])
            tokens = size
    return grains


def _sum_tokens(pieces: list[_Piece]) -> int:
    """Count every piece as one token at least, so that no run is without end."""
    return sum(max(1, piece.tokens) for piece in pieces)
