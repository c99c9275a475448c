"""Which chunks of a run speak of the same: by the direction of their vectors, by chunk id.

Vectors of one model point all more or less the same way, so that the cosine of any two is large.
What they have in common is their mean: it is taken off before two are compared (Mu and Viswanath,
"All-but-the-Top", 2018, without its second step). Then unrelated chunks have about 0.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from generation_functions.documents.retrieval import CANDIDATES, ChunkIndex, Related, pick_best

LEAST_COSINE = 0.1  # below it two chunks have little in common
RECIPROCAL = 60  # of Cormack, Clarke and Büttcher, "Reciprocal Rank Fusion" (2009)
_BLOCK = 4096  # vectors that are copied at once

Numbers = npt.NDArray[np.float32]


class Vectors(Protocol):
    """Vectors of texts, each of length 1."""

    @property
    def matrix(self) -> Numbers:
        """All of them, a row each."""
        ...

    def find(self, text: str) -> int | None:
        """Return the row of a text; None for one of which no vector was made."""
        ...


class VectorIndex:
    """A retriever by vectors, beside the index of the chunks' words, which tells what is alike.

    A query reads all vectors once: the time that it takes grows with the corpus.
    """

    def __init__(
        self, words: ChunkIndex, rows: Mapping[str, int], vectors: Vectors, prefix: str = ""
    ) -> None:
        """`rows` has the rows of chunks, by uuid; those without are never found. `prefix` is what
        stands before a question in the texts of `vectors`."""
        self._words = words
        self._vectors = vectors
        self._prefix = prefix
        self._rows = np.array([rows.get(uuid, -1) for uuid in words.uuids], np.int64)
        self._having = np.flatnonzero(self._rows >= 0)
        self._mean = self._find_mean()
        self._along, self._lengths = self._measure()

    def mark(self, uuids: Iterable[str]) -> npt.NDArray[np.bool_]:
        return self._words.mark(uuids)

    def find(
        self, parts: Sequence[str], most: int, allowed: npt.NDArray[np.bool_]
    ) -> tuple[Related, ...]:
        return self._words.leave_out_alike(parts, self.rank(parts, allowed), most)

    def rank(self, parts: Sequence[str], allowed: npt.NDArray[np.bool_]) -> list[Related]:
        """Return the CANDIDATES of `find`, the best first, near duplicates among them."""
        places = self._words.find_places(parts)
        rows = [row for row in self._rows[places] if row >= 0]
        if not rows:
            return []
        together = np.asarray(self._vectors.matrix[rows]).mean(axis=0)
        other = allowed.copy()
        other[places] = False
        asked = together / np.linalg.norm(together)
        return self._list_best(asked, CANDIDATES, other, LEAST_COSINE)

    def search(self, text: str, most: int, allowed: npt.NDArray[np.bool_]) -> tuple[Related, ...]:
        """See Retriever. Raises LookupError for a text of which no vector was made."""
        if most < 1:
            return ()
        row = self._vectors.find(self._prefix + text)
        if row is None:
            raise LookupError(f"no vector was made of {text!r}")
        asked = np.asarray(self._vectors.matrix[row])
        return tuple(self._list_best(asked, most, allowed, -np.inf))

    def _list_best(
        self, asked: Numbers, most: int, allowed: npt.NDArray[np.bool_], least: float
    ) -> list[Related]:
        """Return the allowed chunks with the greatest cosines above `least`, the mean taken off.

        (v - m)(q - m) = vq - vm - qm + mm, so that no vector has to be changed for it.
        """
        score = np.full(len(self._rows), -np.inf, np.float32)
        if self._having.size:
            own = float(asked @ self._mean)
            square = float(self._mean @ self._mean)
            length = np.sqrt(max(1 - 2 * own + square, 0)) or 1.0
            dots = (self._vectors.matrix @ asked)[self._rows[self._having]]
            score[self._having] = (dots - self._along - own + square) / (self._lengths * length)
        score[~allowed] = -np.inf
        uuids = self._words.uuids
        return [
            Related(uuids[place], round(float(score[place]), 3))
            for place in pick_best(score, most, least)
        ]

    def _blocks(self) -> Iterator[tuple[slice, Numbers]]:
        """Yield the chunks' vectors, so many at a time, with their places among them."""
        for start in range(0, self._having.size, _BLOCK):
            places = slice(start, start + _BLOCK)
            yield places, np.asarray(self._vectors.matrix[self._rows[self._having[places]]])

    def _find_mean(self) -> Numbers:
        total = sum((block.sum(axis=0, dtype=np.float64) for _, block in self._blocks()), 0.0)
        return np.asarray(total / max(self._having.size, 1), np.float32)

    def _measure(self) -> tuple[Numbers, Numbers]:
        """Return of each chunk's vector its product with the mean, and its length without it."""
        along = np.zeros(self._having.size, np.float32)
        for places, block in self._blocks():
            along[places] = block @ self._mean
        squares = 1 - 2 * along + float(np.sum(self._mean**2))
        return along, np.sqrt(np.maximum(squares, 1e-12))


class FusedIndex:
    """A retriever by words and by vectors: what stands far up in both ranks stands first."""

    def __init__(self, words: ChunkIndex, vectors: VectorIndex) -> None:
        self._words = words
        self._vectors = vectors

    def mark(self, uuids: Iterable[str]) -> npt.NDArray[np.bool_]:
        return self._words.mark(uuids)

    def find(
        self, parts: Sequence[str], most: int, allowed: npt.NDArray[np.bool_]
    ) -> tuple[Related, ...]:
        ranked = fuse(self._words.rank(parts, allowed), self._vectors.rank(parts, allowed))
        return self._words.leave_out_alike(parts, ranked, most)

    def search(self, text: str, most: int, allowed: npt.NDArray[np.bool_]) -> tuple[Related, ...]:
        deep = max(most, CANDIDATES) if most > 0 else 0
        found = (one.search(text, deep, allowed) for one in (self._words, self._vectors))
        return tuple(fuse(*found)[:most])


def fuse(*rankings: Sequence[Related]) -> list[Related]:
    """Return all that is ranked, by the sum of 1 / (RECIPROCAL + rank), counted from 1."""
    scores: dict[str, float] = {}
    for ranking in rankings:
        for rank, one in enumerate(ranking, start=1):
            scores[one.uuid] = scores.get(one.uuid, 0.0) + 1 / (RECIPROCAL + rank)
    ordered = sorted(scores.items(), key=lambda item: -item[1])
    return [Related(uuid, round(score, 5)) for uuid, score in ordered]
