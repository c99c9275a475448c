"""Items in the order of the texts that they come from, none of them held.

Where items lie on disk, each is read twice: once to tell its place, once when its rows are written.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from generation_functions.records import Chunk

T_co = TypeVar("T_co", covariant=True)


class Items(Protocol[T_co]):
    """A list, or what reads an item from the disk when it is asked for it."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[T_co]: ...

    def __getitem__(self, place: int, /) -> T_co: ...


class Placed(Protocol):
    """What was made from a chunk."""

    @property
    def uuid(self) -> str: ...

    @property
    def chunk(self) -> Chunk: ...


P = TypeVar("P", bound=Chunk | Placed)


@dataclass(frozen=True, slots=True)
class Ordered(Generic[P]):
    """Some of `items`, by their places there, with the uuid and the directory of each."""

    items: Items[P]
    places: Sequence[int]
    uuids: Sequence[str]
    directories: Sequence[str]

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[P]:
        return map(self.items.__getitem__, self.places)

    def __getitem__(self, number: int, /) -> P:
        return self.items[self.places[number]]

    def of(self, directory: str) -> "Ordered[P]":
        """Return those of one directory."""
        return self.take(n for n, one in enumerate(self.directories) if one == directory)

    def take(self, numbers: Iterable[int]) -> "Ordered[P]":
        """Return those of these numbers, counted from 0."""
        chosen = array("q", numbers)
        return Ordered(
            self.items,
            array("q", (self.places[n] for n in chosen)),
            [self.uuids[n] for n in chosen],
            [self.directories[n] for n in chosen],
        )


def order(items: Items[P]) -> Ordered[P]:
    """Return items in the order of their texts, whatever order they come in."""
    same: dict[str, str] = {}  # one string for many that are equal
    found: list[tuple[str, str, str, int, str, str, int]] = []
    for place, item in enumerate(items):
        chunk = item if isinstance(item, Chunk) else item.chunk
        directory, source, document, uuid = (
            same.setdefault(one, one)
            for one in (chunk.directory, chunk.source, chunk.document, chunk.uuid)
        )
        found.append((directory, source, document, chunk.start, uuid, item.uuid, place))
    found.sort()
    return Ordered(
        items,
        array("q", (one[6] for one in found)),
        [one[5] for one in found],
        [one[0] for one in found],
    )
