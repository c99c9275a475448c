"""What is recalled from: pieces of the worthy text, each with the chunks that speak of the same."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from generation_functions.config import Config
from generation_functions.documents.composing import compose_chunks
from generation_functions.documents.retrieval import Related, Retriever
from generation_functions.pipelines.subsets import choose_chunks, list_sizes
from generation_functions.records import Chunk, to_json
from generation_functions.steps.survivors import read_survivors


@dataclass(frozen=True, slots=True)
class Piece:
    """Neighbouring worthy chunks, by their uuids, and what is `related` to them; no text."""

    uuid: str
    directory: str
    parts: tuple[str, ...]
    tokens: int
    related: tuple[Related, ...] = ()


def cut_pieces(
    chunks: Iterable[Chunk], size: int | None, count: Callable[[str], int]
) -> Iterator[Piece]:
    """Yield pieces of worthy chunks, which come in the order of their documents.

    Without `size`, each chunk is one; else as many neighbours as have so many tokens.
    """
    if size is None:
        for chunk in chunks:
            yield Piece(chunk.uuid, chunk.directory, (chunk.uuid,), chunk.tokens)
        return
    for one in compose_chunks(chunks, size, count, ()):
        yield Piece(one.chunk.uuid, one.chunk.directory, one.parts, one.chunk.tokens)


def relate(
    pieces: Sequence[Piece], most: int, corpus: Retriever, wanted: Collection[str]
) -> list[Piece]:
    """Return the pieces, each of those `wanted` with at most `most` related chunks.

    They are of its directory: each has a context of its own. Only chunks of a piece are found.
    """
    parts: dict[str, set[str]] = {}
    for piece in pieces:
        parts.setdefault(piece.directory, set()).update(piece.parts)
    marked = {directory: corpus.mark(uuids) for directory, uuids in parts.items()}
    return [
        replace(piece, related=corpus.find(piece.parts, most, marked[piece.directory]))
        if piece.uuid in wanted
        else piece
        for piece in pieces
    ]


def choose_pieces(pieces: Sequence[Piece], way: str, config: Config) -> set[str]:
    """Return the uuids of the pieces that a way takes: all, or a directory's drawn subset.

    The draw depends on seed, way and piece, so that one more piece displaces at most one.
    """
    by_directory: dict[str, list[str]] = {}
    for piece in pieces:
        by_directory.setdefault(piece.directory, []).append(piece.uuid)
    sizes = list_sizes(
        config, lambda one: (one.factual_gen_use_subset, one.factual_gen_subset_size_per_way)
    )
    return choose_chunks(by_directory, sizes, config.system.seed, way)


def read_sources(folder: Path, piece: Piece, multi_source: bool) -> list[Chunk]:
    """Return a piece as one chunk, then what is related to it, in the order of their uuids.

    `folder` has the worthy chunks, as a person left them; without that of the piece, nothing.
    """
    parts = read_survivors(folder, list(piece.parts), Chunk)
    if len(parts) < len(piece.parts):
        return []
    (whole,) = compose_chunks(parts, piece.tokens, lambda text: piece.tokens, ())
    related = sorted(one.uuid for one in piece.related) if multi_source else []
    return [replace(whole.chunk, tokens=piece.tokens), *read_survivors(folder, related, Chunk)]


def write_neighbours(pieces: Iterable[Piece], before: str = "") -> str:
    """Return a line of JSON for each piece: its uuid, its parts, what is related, with scores.

    Of other pieces the lines of `before`, which this function wrote, stay.
    """
    lines = _read_lines(before)
    for one in pieces:
        line = {"piece": one.uuid, "parts": one.parts, "related": to_json(one.related)}
        lines[one.uuid] = json.dumps(line)
    return "".join(f"{line}\n" for line in lines.values())


def find_changed(before: str, pieces: Iterable[Piece]) -> set[str]:
    """Return the pieces that had other neighbours when `write_neighbours` wrote `before`."""
    known = {
        uuid: {one["uuid"] for one in json.loads(line)["related"]}
        for uuid, line in _read_lines(before).items()
    }
    return {
        piece.uuid
        for piece in pieces
        if piece.uuid in known and known[piece.uuid] != {one.uuid for one in piece.related}
    }


def _read_lines(text: str) -> dict[str, str]:
    return {json.loads(line)["piece"]: line for line in text.splitlines()}
