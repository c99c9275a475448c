"""Rows of numbers that grow, and an index of them by hashes, in few bytes each."""

from typing import Any

import numpy as np
import numpy.typing as npt

FARTHEST = 400  # entries of one bucket that are looked at, the newest first

_FIRST_ROWS = 1024
_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)  # odd, half the bits set


class Rows:
    """Rows of `width` numbers of one type, numbered from 0."""

    def __init__(self, width: int, kind: npt.DTypeLike) -> None:
        self._kept: npt.NDArray[Any] = np.empty((_FIRST_ROWS, width), kind)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: Any) -> npt.NDArray[Any]:
        return self._kept[index]  # type: ignore[no-any-return]

    def append(self, row: npt.ArrayLike) -> None:
        """Add a row at the end."""
        if self._length == len(self._kept):
            longer = np.empty((self._length * 3 // 2, self._kept.shape[1]), self._kept.dtype)
            longer[: self._length] = self._kept
            self._kept = longer
        self._kept[self._length] = row
        self._length += 1

    @property
    def bytes_held(self) -> int:
        """The bytes that are allocated."""
        return self._kept.nbytes


class Buckets:
    """An index with several hashes to an entry; entries are numbered from 0.

    Hashes have 32 bits: what is found may, rarely, share a hash by chance.
    In each of the `bands` there is a table of hashes, and entries that share a place in it
    form a chain, the newest first.
    """

    def __init__(self, bands: int) -> None:
        self._bands = np.arange(bands)
        self._heads = np.zeros((bands, _FIRST_ROWS), np.uint32)  # an entry's number and 1, or 0
        self._chains = Rows(bands, np.uint32)  # of each entry, the head that it took the place of
        self._hashes = Rows(bands, np.uint32)

    def find(self, hashes: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
        """Return the entries that share a hash (one for each band), in their order."""
        bands = self._bands
        heads = self._heads[bands, hashes & np.uint32(self._heads.shape[1] - 1)]
        found = []
        for _ in range(FARTHEST):
            taken = heads.nonzero()[0]
            if not taken.size:
                break
            bands, hashes = bands[taken], hashes[taken]
            numbers = heads[taken].astype(np.int64) - 1
            found.append(numbers[self._hashes[numbers, bands] == hashes])
            heads = self._chains[numbers, bands]
        if not found:
            return np.empty(0, np.int64)
        return np.array(sorted(set(np.concatenate(found).tolist())), np.int64)

    def add(self, hashes: npt.NDArray[np.uint32]) -> None:
        """Add an entry; its number is how many there were before."""
        if len(self._hashes) == self._heads.shape[1]:
            self._grow()
        places = hashes & np.uint32(self._heads.shape[1] - 1)
        self._chains.append(self._heads[self._bands, places])
        self._hashes.append(hashes)
        self._heads[self._bands, places] = len(self._hashes)

    @property
    def bytes_held(self) -> int:
        """The bytes that are allocated."""
        return self._heads.nbytes + self._chains.bytes_held + self._hashes.bytes_held

    def _grow(self) -> None:
        """Double the tables and chain the entries anew, band by band."""
        total, size = len(self._hashes), 2 * self._heads.shape[1]
        self._heads = np.zeros((len(self._bands), size), np.uint32)
        for band in self._bands:
            places = self._hashes[:total, band] & np.uint32(size - 1)
            order = np.argsort(places, kind="stable")
            before = np.zeros(total, np.uint32)
            same = places[order[1:]] == places[order[:-1]]
            before[1:][same] = order[:-1][same] + 1
            self._chains[:total, band][order] = before
            self._heads[band, places[order]] = order + 1  # of equal places the last is kept


def hash_keys(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint32]:
    """Return a hash of each row of `keys`, two numbers each."""
    mixed: npt.NDArray[np.uint64] = (keys * _MIXERS).sum(axis=1, dtype=np.uint64)
    folded = (mixed ^ (mixed >> np.uint64(29))) >> np.uint64(16)
    hashes: npt.NDArray[np.uint32] = folded.astype(np.uint32)
    return hashes
