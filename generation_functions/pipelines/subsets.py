"""Which chunks a pipeline takes of each directory: all, or a drawn subset."""

from collections.abc import Callable, Iterable, Mapping

from generation_functions.choosing import rank
from generation_functions.config import Config
from generation_functions.records import QAPair
from generation_functions.sections import InputDir


def group_pairs(pairs: Iterable[QAPair]) -> dict[str, list[QAPair]]:
    """Return pairs by the uuid of their chunk, both in the order in which they come."""
    by_chunk: dict[str, list[QAPair]] = {}
    for pair in pairs:
        by_chunk.setdefault(pair.chunk.uuid, []).append(pair)
    return by_chunk


def group_chunks(by_chunk: Mapping[str, list[QAPair]]) -> dict[str, set[str]]:
    """Return the chunks of each directory, by uuid."""
    found: dict[str, set[str]] = {}
    for uuid, pairs in by_chunk.items():
        found.setdefault(pairs[0].chunk.directory, set()).add(uuid)
    return found


def list_sizes(
    config: Config, read: Callable[[InputDir], tuple[bool, int | None]]
) -> dict[str, int | None]:
    """Return how many chunks a pipeline takes of each directory, None for all.

    `read` tells whether it takes a subset of one, and of how many; None: as many as its others do.
    """
    sizes: dict[str, int | None] = {}
    for one in config.path.input_dirs:
        subset, size = read(one)
        general = one.subset_size or config.system.subset_size
        sizes[one.name] = (size or general) if subset else None
    return sizes


def choose_chunks(
    found: Mapping[str, Iterable[str]], sizes: Mapping[str, int | None], *key: object
) -> set[str]:
    """Return the chunks that are taken, at most `sizes` of each directory (None: all).

    The draw depends on the key and the chunk, so that one more chunk displaces at most one.
    """
    return {
        uuid
        for directory, uuids in found.items()
        for uuid in rank(uuids, *key)[: sizes.get(directory)]
    }
