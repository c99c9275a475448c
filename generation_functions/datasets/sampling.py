"""Which rows of a stream are taken, so that together they have so many tokens.

The rows that stand first in an order drawn by seed are taken, until there is enough: a sample
without replacement, the same whatever the order of the stream. Of a row three numbers are held,
and those only while it may be among them.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

FEWEST = 4096  # rows that are held before those too many are looked for

T = TypeVar("T")
Numbers = npt.NDArray[np.int64]


def make_key(begun: str, texts: Iterable[str]) -> int:
    """Return the place of a row in the drawn order: 63 bits of a hash of its texts."""
    digest = hashlib.blake2b(begun.encode(), digest_size=8)
    for text in texts:
        digest.update(b"\x1f")
        digest.update(text.encode())
    return int.from_bytes(digest.digest(), "big") >> 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows that were taken, by their numbers in the stream, and their tokens, in its order."""

    numbers: Numbers
    tokens: Numbers

    @property
    def total(self) -> int:
        return int(self.tokens.sum())


class TokenSample:
    """Takes rows until they have `wanted` tokens; `is_short` where all of them have fewer."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.is_short = False
        self._keys, self._numbers, self._tokens = array("q"), array("q"), array("q")
        self._least_out = -1  # the key from which on rows are not among those taken; -1: unknown
        self._next_cut = FEWEST

    def may_take(self, key: int) -> bool:
        """Whether a row with this key, after those that were added, can be among those taken."""
        return self.wanted > 0 and (self._least_out < 0 or key < self._least_out)

    def add(self, number: int, key: int, tokens: int) -> None:
        """Add a row that may be taken; `number` is its place in the stream."""
        self._keys.append(key)
        self._numbers.append(number)
        self._tokens.append(tokens)
        if len(self._keys) >= self._next_cut:
            self._cut()
            self._next_cut = 2 * len(self._keys) + FEWEST

    def choose(self) -> Chosen:
        """Return the rows that come nearest to what is wanted, in the order of the stream."""
        order, sums = self._cut()
        self.is_short = (int(sums[-1]) if len(sums) else 0) < self.wanted
        end = len(order)
        if end and sums[-1] - self.wanted > self.wanted - (sums[-2] if end > 1 else 0):
            end -= 1  # the last row goes further beyond than it would fall short without
        numbers, tokens = _as_numbers(self._numbers), _as_numbers(self._tokens)
        taken = np.sort(order[:end])
        return Chosen(numbers[taken], tokens[taken])

    def _cut(self) -> tuple[Numbers, Numbers]:
        """Forget the rows that come after enough; return the order of the others, and its sums."""
        keys, numbers = _as_numbers(self._keys), _as_numbers(self._numbers)
        tokens = _as_numbers(self._tokens)
        order = np.lexsort((numbers, keys))
        sums = np.cumsum(tokens[order])
        end = int(np.searchsorted(sums, self.wanted)) + 1
        if end <= len(order):
            self._least_out = int(keys[order[end - 1]])
        kept = np.sort(order[:end])
        self._keys = array("q", keys[kept].tobytes())
        self._numbers = array("q", numbers[kept].tobytes())
        self._tokens = array("q", tokens[kept].tobytes())
        ranks = np.lexsort((numbers[kept], keys[kept]))
        return ranks, sums[:end]


def pick(rows: Iterable[T], chosen: Chosen) -> Iterator[tuple[int, T, int]]:
    """Yield of a stream the rows that were taken, each with its number and its tokens."""
    at = 0
    for number, row in enumerate(rows):
        if at == len(chosen.numbers):
            return
        if number == chosen.numbers[at]:
            yield number, row, int(chosen.tokens[at])
            at += 1


def _as_numbers(held: "array[int]") -> Numbers:
    return np.frombuffer(held, np.int64)
