"""Which recalls stand together in a row, so that a trainer sees conversations of several turns."""

from collections.abc import Iterator, Mapping, Sequence

from generation_functions.choosing import draw_number, rank
from generation_functions.pipeline_sections import FactualSftSettings
from generation_functions.records import Recall


def pack_recalls(
    recalls: Sequence[Recall], settings: FactualSftSettings, seed: int
) -> Iterator[tuple[Recall, ...]]:
    """Yield the recalls of each row, which are of one directory: rows have one context.

    Those of one turn are put together by `items_per_conversation`; such conversations, and
    those of several turns, follow each other in a drawn order until a row has a drawn number
    of questions, from 1 to `combine_sharegpt_target_pairs`.
    """
    by_directory: dict[str, dict[str, Recall]] = {}
    for one in recalls:
        by_directory.setdefault(one.chunk.directory, {})[one.uuid] = one
    for found in by_directory.values():
        row: tuple[Recall, ...] = ()
        wanted = 0
        for talk in _list_talks(found, settings.items_per_conversation, seed):
            most = settings.combine_sharegpt_target_pairs
            wanted = wanted or 1 + draw_number(seed, talk[0].uuid, "pairs") % most
            row += talk
            if sum(len(one.exchanges) for one in row) >= wanted:
                yield row
                row, wanted = (), 0
        if row:
            yield row


def _list_talks(found: Mapping[str, Recall], size: int, seed: int) -> list[tuple[Recall, ...]]:
    """Return `size` recalls of one turn together, each of several turns alone, in drawn order."""
    ordered = [found[uuid] for uuid in rank(found, seed, "rows")]
    single = [one for one in ordered if len(one.exchanges) == 1]
    talks: list[tuple[Recall, ...]] = [(one,) for one in ordered if len(one.exchanges) > 1]
    talks += [tuple(single[at : at + size]) for at in range(0, len(single), size)]
    return sorted(talks, key=lambda talk: draw_number(seed, talk[0].uuid, "talks"))
