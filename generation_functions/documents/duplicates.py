"""Exact and near duplicates among any number of texts, seen one after the other.

Near duplicates are found by MinHash (Broder, 1997) over runs of words, with locality-sensitive
hashing. Of a text only a digest, its signature and its places in the index are kept: see
`DuplicateFinder.bytes_held`.
"""

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt
from rensa import RMinHash

from generation_functions.documents.buckets import Buckets, Rows, hash_keys

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
# Of ASCII, all but letters, digits and "_" made spaces: the words of _WORD, found faster.
_ASCII = bytes(code if re.match(r"\w", chr(code), re.ASCII) else 32 for code in range(256))


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An item that was dropped, the first item that it is like, and the reason."""

    uuid: str
    kept: str
    reason: str


class DuplicateFinder:
    """Remembers what it has seen; of items that are alike the first is the one to keep."""

    def __init__(self) -> None:
        self._texts = Rows(4, np.uint64)  # of each a digest and the uuid, 16 bytes each
        self._digests = Buckets(1)
        # Signatures hold the lower halves of MinHash's values: by chance two differing ones
        # agree once in 65,536, which moves no estimate. `_numbers` are their texts.
        self._signatures = Rows(PERMUTATIONS, np.uint16)
        self._numbers = Rows(1, np.uint32)
        self._index = Buckets(BANDS)

    def add(self, uuid: str, text: str) -> Duplicate | None:
        """Return what `text` is a duplicate of, or None, and then remember it.

        Case, white space and punctuation make no difference. `uuid` is a UUID's text.
        """
        words = _find_words(text)
        digest = _digest(words)
        place = hash_keys(digest)
        for number in self._digests.find(place).tolist() if words else ():
            if np.array_equal(self._texts[number, :2], digest[0]):
                return Duplicate(uuid, self._uuid(number), DUPLICATE)
        runs = _runs(words)
        if len(runs) >= FEWEST_RUNS:
            signature = _sign(runs)
            places = hash_keys(signature.view(np.uint64).reshape(BANDS, -1))
            like = self._index.find(places)
            agreeing = (self._signatures[like] == signature).sum(axis=1)
            alike = like[agreeing >= ALIKE * PERMUTATIONS]
            if alike.size:
                number = int(self._numbers[alike.min(), 0])
                return Duplicate(uuid, self._uuid(number), NEAR_DUPLICATE)
            self._index.add(places)
            self._signatures.append(signature)
            self._numbers.append(len(self._texts))
        self._digests.add(place)
        self._texts.append([*digest[0], *np.frombuffer(UUID(uuid).bytes, np.uint64)])
        return None

    @property
    def bytes_held(self) -> int:
        """The bytes of all that is remembered."""
        parts = (self._texts, self._digests, self._signatures, self._numbers, self._index)
        return sum(part.bytes_held for part in parts)

    def _uuid(self, number: int) -> str:
        return str(UUID(bytes=self._texts[number, 2:].tobytes()))


def _find_words(text: str) -> list[str]:
    folded = text.casefold()
    if folded.isascii():
        return folded.encode().translate(_ASCII).decode().split()
    return _WORD.findall(folded)


def _digest(words: list[str]) -> npt.NDArray[np.uint64]:
    content = " ".join(words).encode("utf-8", "replace")
    digest = hashlib.blake2b(content, digest_size=16).digest()
    return np.frombuffer(digest, np.uint64).reshape(1, 2)


def _sign(runs: set[str]) -> npt.NDArray[np.uint16]:
    sketch = RMinHash(PERMUTATIONS, 0)
    sketch.update(runs)
    return np.array(sketch.digest(), np.uint32).astype(np.uint16)


def _runs(words: list[str]) -> set[str]:
    if sum(map(len, words)) > LONGEST_MEAN_WORD * len(words):
        joined = "".join(words)
        size = CHARACTERS_IN_A_RUN
        return {joined[at : at + size] for at in range(len(joined) - size + 1)}
    shifted = (words[shift:] for shift in range(WORDS_IN_A_RUN))
    return set(map(" ".join, zip(*shifted, strict=False)))
