"""Exact and near duplicates among any number of texts, seen one after the other.

Near duplicates are found by MinHash (Broder, 1997) over runs of words, with locality-sensitive
hashing. Of a text only its digest and its signature are kept, about 1.5 kB.
"""

import hashlib
import re
from dataclasses import dataclass

from rensa import RMinHash, RMinHashLSH

DUPLICATE = "duplicate"
NEAR_DUPLICATE = "near-duplicate"
ALIKE = 0.8  # Jaccard similarity of two near duplicates, as estimated
PERMUTATIONS = 128
BANDS = 16  # 8 values each: of pairs that are 0.8 alike, 95 % are candidates
WORDS_IN_A_RUN = 3
CHARACTERS_IN_A_RUN = 5  # where words are not set apart by spaces
FEWEST_RUNS = 8  # shorter texts are alike only when they are equal
LONGEST_MEAN_WORD = 14

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An item that was dropped, the first item that it is like, and the reason."""

    uuid: str
    kept: str
    reason: str


class DuplicateFinder:
    """Remembers what it has seen; of items that are alike the first is the one to keep."""

    def __init__(self) -> None:
        self._exact: dict[bytes, int] = {}
        self._uuids: list[str] = []
        self._signatures: dict[int, RMinHash] = {}
        self._index = RMinHashLSH(ALIKE, PERMUTATIONS, BANDS)

    def add(self, uuid: str, text: str) -> Duplicate | None:
        """Return what `text` is a duplicate of, or None, and then remember it.

        Case, white space and punctuation make no difference.
        """
        words = _WORD.findall(text.casefold())
        digest = hashlib.blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=16)
        same = self._exact.get(digest.digest()) if words else None
        if same is not None:
            return Duplicate(uuid, self._uuids[same], DUPLICATE)
        number = len(self._uuids)
        runs = _runs(words)
        if len(runs) >= FEWEST_RUNS:
            signature = RMinHash(PERMUTATIONS, 0)
            signature.update(runs)
            for other in sorted(self._index.query(signature)):
                if self._signatures[other].jaccard(signature) >= ALIKE:
                    return Duplicate(uuid, self._uuids[other], NEAR_DUPLICATE)
            self._index.insert(number, signature)
            self._signatures[number] = signature
        self._exact[digest.digest()] = number
        self._uuids.append(uuid)
        return None


def _runs(words: list[str]) -> set[str]:
    if sum(map(len, words)) > LONGEST_MEAN_WORD * len(words):
        joined = "".join(words)
        size = CHARACTERS_IN_A_RUN
        return {joined[at : at + size] for at in range(len(joined) - size + 1)}
    shifted = (words[shift:] for shift in range(WORDS_IN_A_RUN))
    return set(map(" ".join, zip(*shifted, strict=False)))
