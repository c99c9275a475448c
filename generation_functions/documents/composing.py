"""Larger pieces for the pipelines that want them, composed of neighbouring base chunks."""

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace

from generation_functions.records import Chunk, ComposedChunk, make_uuid


def compose_chunks(
    chunks: Iterable[Chunk], limit: int, count: Callable[[str], int], worthy: Container[str]
) -> Iterator[ComposedChunk]:
    """Yield pieces of at most `limit` tokens, each of as many neighbours as fit.

    `chunks` are all base chunks in the order of their documents, those dropped included;
    `worthy` holds the uuids of the worthy ones. Where a chunk is missing, a piece ends. A
    chunk that is alone keeps its uuid, also where it is longer than `limit`.
    """
    piece: list[Chunk] = []
    text, tokens = "", 0
    for chunk in chunks:
        if piece and _follows(piece[-1], chunk):
            longer = text + chunk.text[chunk.overlap :]
            length = count(longer)
            if length <= limit:
                piece.append(chunk)
                text, tokens = longer, length
                continue
        if piece:
            yield _compose(piece, text, tokens, worthy)
        piece, text, tokens = [chunk], chunk.text, chunk.tokens
    if piece:
        yield _compose(piece, text, tokens, worthy)


def _follows(before: Chunk, after: Chunk) -> bool:
    return before.document == after.document and before.end == after.start


def _compose(piece: list[Chunk], text: str, tokens: int, worthy: Container[str]) -> ComposedChunk:
    first, parts = piece[0], tuple(chunk.uuid for chunk in piece)
    chunk = first
    if len(piece) > 1:
        uuid = make_uuid("composed", *parts)
        chunk = replace(first, uuid=uuid, text=text, end=piece[-1].end, tokens=tokens)
    good = sum(one.end - one.start for one in piece if one.uuid in worthy)
    return ComposedChunk(chunk, parts, good / max(1, chunk.end - chunk.start))
