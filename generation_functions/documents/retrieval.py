"""Which chunks of a run speak of the same: BM25 (Robertson and Zaragoza, 2009) by chunk id.

Of a chunk only its uuid and its words, as numbers and weights, are kept. Words are compared by
their first letters, so that forms of a word are one in every language, and nothing is downloaded.
"""

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import bm25s
import numpy as np
import numpy.typing as npt

from generation_functions.documents.duplicates import ALIKE
from generation_functions.documents.languages import UNSPACED
from generation_functions.records import Chunk

LETTERS = 6  # of a word that count
MOST_TERMS = 60  # of a query, the rarest, by which chunks are looked for
CANDIDATES = 48  # of the chunks so found, the best, that are compared word by word
LEAST_SHARE = 0.1  # of the score that a chunk has with itself; below it two have little in common

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Related:
    """A chunk that was found, by its uuid, and how well it matches, as its retriever counts."""

    uuid: str
    score: float


class Retriever(Protocol):
    """What finds chunks of a run that speak of the same as others, or as a text."""

    def mark(self, uuids: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Return for each chunk whether it is one of `uuids`, as `find` takes it."""
        ...

    def find(
        self, parts: Sequence[str], most: int, allowed: npt.NDArray[np.bool_]
    ) -> tuple[Related, ...]:
        """Return at most `most` of the allowed chunks that match `parts` best, the best first.

        `parts` are uuids of chunks and asked about as one. Never found are the parts, what is
        nearly the same as they or as a better match, and what has little in common with them.
        """
        ...

    def search(self, text: str, most: int, allowed: npt.NDArray[np.bool_]) -> tuple[Related, ...]:
        """Return at most `most` of the allowed chunks that match a text best, the best first.

        Nearly the same chunks are all found, by words only those that share one with the text.
        """
        ...


def find_terms(text: str) -> list[str]:
    """Return the words of a text as they are compared, in their order: their first letters,
    without an "s" at the end.

    Of scripts that set no words apart, each two characters that stand together are one.
    """
    terms: list[str] = []
    for word in _WORD.findall(text.casefold()):
        if UNSPACED.search(word):
            terms += [word[at : at + 2] for at in range(max(1, len(word) - 1))]
        else:
            terms.append((word[:-1] if len(word) > 3 and word[-1] == "s" else word)[:LETTERS])
    return terms


class ChunkIndex:
    """What can be asked about all chunks of a run; built once, then only read."""

    def __init__(self, chunks: Iterable[Chunk]) -> None:
        """Take chunks in, one at a time, in the order of their documents."""
        self._numbers: dict[str, int] = {}  # of each word
        self._places: dict[str, int] = {}  # of each uuid
        said: list[array[int]] = []
        for chunk in chunks:
            self._places.setdefault(chunk.uuid, len(said))
            if len(self._places) > len(said):
                terms = find_terms(chunk.text)
                new = self._numbers
                said.append(array("i", [new.setdefault(term, len(new)) for term in terms]))
        self._uuids = list(self._places)
        self._words = [np.unique(np.array(one, np.int32)) for one in said]
        self._scores = bm25s.BM25(method="lucene")
        if self._numbers:
            self._scores.index((said, self._numbers), create_empty_token=False, show_progress=False)
        self._weights = self._list_weights()

    @property
    def uuids(self) -> Sequence[str]:
        """The chunks' uuids, in the order in which they came."""
        return self._uuids

    def mark(self, uuids: Iterable[str]) -> npt.NDArray[np.bool_]:
        marked = np.zeros(len(self._uuids), np.bool_)
        marked[[self._places[uuid] for uuid in uuids if uuid in self._places]] = True
        return marked

    def find(
        self, parts: Sequence[str], most: int, allowed: npt.NDArray[np.bool_]
    ) -> tuple[Related, ...]:
        return self.leave_out_alike(parts, self.rank(parts, allowed), most)

    def rank(self, parts: Sequence[str], allowed: npt.NDArray[np.bool_]) -> list[Related]:
        """Return the CANDIDATES of `find`, the best first, near duplicates among them.

        Chunks are looked for by the rarest words that others have too, and the best of those
        compared by all words, so that what one query takes hardly grows with the corpus.
        """
        places = self.find_places(parts)
        if not (places and self._numbers):
            return []
        words = self._join(places)
        asked = np.zeros(len(self._numbers), np.bool_)
        asked[words] = True
        least = LEAST_SHARE * max(self._score(asked, place) for place in places)
        candidates = self._look_for(words, places, allowed)
        best = sorted((-self._score(asked, place), place) for place in candidates)
        return [
            Related(self._uuids[place], round(-score, 3))
            for score, place in best
            if -score >= least
        ]

    def leave_out_alike(
        self, parts: Sequence[str], ranked: Iterable[Related], most: int
    ) -> tuple[Related, ...]:
        """Return the first `most` that are nearly the same neither as `parts` nor as one before."""
        places = self.find_places(parts)
        known = [self._join(places)] if places else []
        found: list[Related] = []
        for one in ranked:
            if len(found) >= most:
                break
            own = self._words[self._places[one.uuid]]
            if not any(_alike(own, other) for other in known):
                found.append(one)
                known.append(own)
        return tuple(found)

    def find_places(self, uuids: Iterable[str]) -> list[int]:
        """Return the places of chunks in `uuids` of this index; others are passed over."""
        return [self._places[uuid] for uuid in uuids if uuid in self._places]

    def search(self, text: str, most: int, allowed: npt.NDArray[np.bool_]) -> tuple[Related, ...]:
        terms = (self._numbers.get(term) for term in find_terms(text))
        words = sorted({number for number in terms if number is not None})
        if not words or most < 1:
            return ()
        score = self._score_by(words)
        score[~allowed] = 0
        return tuple(
            Related(self._uuids[place], round(float(score[place]), 3))
            for place in pick_best(score, most)
        )

    def has_together(self, text: str) -> bool:
        """Whether one chunk has all words of a text, in any order; single letters do not count."""
        terms = {term for term in find_terms(text) if len(term) > 1 or term.isdigit()}
        numbers = [self._numbers.get(term) for term in sorted(terms)]
        if not numbers or None in numbers:
            return False
        found: npt.NDArray[np.int32] | None = None
        for number in numbers:
            having = self._having(number)  # type: ignore[arg-type]
            found = having if found is None else np.intersect1d(found, having)
        return bool(found is not None and found.size)

    @property
    def bytes_held(self) -> int:
        """The bytes of all arrays; words and uuids come on top."""
        arrays = (self._scores.scores[name] for name in ("data", "indices", "indptr"))
        return (
            sum(one.nbytes for one in (*arrays, *self._words, *self._weights))
            if self._numbers
            else 0
        )

    def _look_for(
        self, words: npt.NDArray[np.int32], places: Sequence[int], allowed: npt.NDArray[np.bool_]
    ) -> list[int]:
        """Return the places of the CANDIDATES that score best by the rarest words."""
        begins = self._scores.scores["indptr"]
        having = begins[words + 1] - begins[words]
        shared = words[having > 1]
        rarest = shared[np.argsort(having[having > 1], kind="stable")][:MOST_TERMS]
        score = self._score_by(rarest.tolist())
        score[~allowed] = 0
        score[list(places)] = 0
        return pick_best(score, CANDIDATES)

    def _score_by(self, words: Iterable[int]) -> npt.NDArray[np.float32]:
        """Return the score of every chunk with these words, by number."""
        score = np.zeros(len(self._uuids), np.float32)
        for number in words:
            score[self._having(number)] += self._scores.scores["data"][self._column(number)]
        return score

    def _score(self, asked: npt.NDArray[np.bool_], place: int) -> float:
        """Return the score of a chunk with the words that are marked in `asked`, by number."""
        return float(self._weights[place][asked[self._words[place]]].sum())

    def _list_weights(self) -> list[npt.NDArray[np.float32]]:
        """Return for each chunk what each of its words adds to a score, as `_words` has them.

        The sparse matrix has them by words; a stable sort leaves the words of a chunk in order.
        """
        if not self._numbers:
            return []
        order = np.argsort(self._scores.scores["indices"], kind="stable")
        weights = self._scores.scores["data"][order]
        return np.split(weights, np.cumsum([one.size for one in self._words])[:-1])

    def _column(self, number: int) -> slice:
        """Return where the sparse matrix has the column of a word."""
        begins, ends = self._scores.scores["indptr"][number : number + 2]
        return slice(begins, ends)

    def _having(self, number: int) -> npt.NDArray[np.int32]:
        """Return the places of the chunks that have a word, in their order."""
        return np.asarray(self._scores.scores["indices"][self._column(number)])

    def _join(self, places: Sequence[int]) -> npt.NDArray[np.int32]:
        joined: npt.NDArray[np.int32] = np.unique(
            np.concatenate([self._words[place] for place in places])
        )
        return joined


def pick_best(score: npt.NDArray[np.float32], most: int, least: float = 0.0) -> list[int]:
    """Return the places of the `most` largest scores above `least`, the largest first."""
    best = np.flatnonzero(score > least)
    if best.size > most:
        kth = np.partition(score[best], best.size - most)[best.size - most]
        best = best[score[best] >= kth]
    best = best[np.argsort(-score[best], kind="stable")][:most]
    return [int(place) for place in best]


def _alike(one: npt.NDArray[np.int32], other: npt.NDArray[np.int32]) -> bool:
    """Whether two sets of words are those of near duplicates (their Jaccard similarity)."""
    shared = np.intersect1d(one, other, assume_unique=True).size
    return bool(shared >= ALIKE * (one.size + other.size - shared))
