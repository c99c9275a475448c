"""Which chunks of a run speak of the same: BM25 (Robertson and Zaragoza, 2009) by chunk id.

Of a chunk only its uuid and the numbers of its words are kept. Words are compared by their
first letters, so that forms of a word are one in every language, and nothing is downloaded.
"""

import re
from array import array
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import bm25s
import numpy as np
import numpy.typing as npt

from generation_functions.documents.duplicates import ALIKE
from generation_functions.documents.languages import UNSPACED
from generation_functions.records import Chunk

LETTERS = 6  # of a word that count
LEAST_SHARE = 0.1  # of the score that a chunk has with itself; below it two have little in common

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Related:
    """A chunk that was found, by its uuid, and how well it matches: its BM25 score."""

    uuid: str
    score: float


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

    @property
    def uuids(self) -> Sequence[str]:
        """The chunks' uuids, in the order in which they came."""
        return self._uuids

    def find(self, parts: Sequence[str], most: int, allowed: Container[str]) -> tuple[Related, ...]:
        """Return at most `most` of the allowed chunks that match `parts` best, the best first.

        `parts` are uuids of this index and asked about as one. Never found are the parts, what is
        nearly the same as they or as a better match, and what has little in common with them.
        """
        places = [self._places[uuid] for uuid in parts if uuid in self._places]
        if not places or most < 1:
            return ()
        words = self._join(places)
        scores = self._scores.get_scores_from_ids(words.tolist())
        least = LEAST_SHARE * max(scores[place] for place in places)
        found: list[int] = []
        known = [words]
        for place in np.argsort(-scores, kind="stable").tolist():
            if scores[place] < least or not scores[place] or len(found) == most:
                break
            if place in places or self._uuids[place] not in allowed:
                continue
            own = self._words[place]
            if not any(_alike(own, other) for other in known):
                found.append(place)
                known.append(own)
        return tuple(Related(self._uuids[one], round(float(scores[one]), 3)) for one in found)

    def search(self, text: str, most: int, allowed: Container[str]) -> tuple[Related, ...]:
        """Return at most `most` of the allowed chunks that match a text best, the best first.

        Nearly the same chunks are all found; a chunk that shares no word with the text is not.
        """
        terms = (self._numbers.get(term) for term in find_terms(text))
        words = sorted({number for number in terms if number is not None})
        if not words or most < 1:
            return ()
        scores = self._scores.get_scores_from_ids(words)
        found: list[Related] = []
        for place in np.argsort(-scores, kind="stable").tolist():
            if not scores[place] or len(found) == most:
                break
            if self._uuids[place] in allowed:
                found.append(Related(self._uuids[place], round(float(scores[place]), 3)))
        return tuple(found)

    def has_together(self, text: str) -> bool:
        """Whether one chunk has all words of a text, in any order; single letters do not count."""
        terms = {term for term in find_terms(text) if len(term) > 1}
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
        return sum(one.nbytes for one in (*arrays, *self._words)) if self._numbers else 0

    def _having(self, number: int) -> npt.NDArray[np.int32]:
        """Return the places of the chunks that have a word: its column of the sparse matrix."""
        begins, ends = self._scores.scores["indptr"][number : number + 2]
        return np.asarray(self._scores.scores["indices"][begins:ends])

    def _join(self, places: Sequence[int]) -> npt.NDArray[np.int32]:
        joined: npt.NDArray[np.int32] = np.unique(
            np.concatenate([self._words[place] for place in places])
        )
        return joined


def _alike(one: npt.NDArray[np.int32], other: npt.NDArray[np.int32]) -> bool:
    """Whether two sets of words are those of near duplicates (their Jaccard similarity)."""
    shared = np.intersect1d(one, other, assume_unique=True).size
    return bool(shared >= ALIKE * (one.size + other.size - shared))
