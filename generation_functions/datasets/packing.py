"""Which recalls stand together in a row, so that a trainer sees conversations of several turns."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from generation_functions.choosing import draw_number, rank
from generation_functions.pipeline_sections import FactualSftSettings
from generation_functions.records import Recall


@dataclass(frozen=True, slots=True)
class _Talk:
    """What a row is packed by: a recall's place among the others, its uuid, its questions."""

    place: int
    uuid: str
    questions: int


def pack_recalls(
    recalls: Iterable[Recall], settings: FactualSftSettings, seed: int
) -> Iterator[tuple[int, ...]]:
    """Yield of each row the places of its recalls, which are of one directory: rows have one
    context. Recalls are read once, and not held.

    Those of one turn are put together by `items_per_conversation`; such conversations, and
    those of several turns, follow each other in a drawn order until a row has a drawn number
    of questions, from 1 to `combine_sharegpt_target_pairs`.
    """
    by_directory: dict[str, dict[str, _Talk]] = {}
    for place, one in enumerate(recalls):
        found = by_directory.setdefault(one.chunk.directory, {})
        found[one.uuid] = _Talk(place, one.uuid, len(one.exchanges))
    for found in by_directory.values():
        row: tuple[_Talk, ...] = ()
        wanted = 0
        for talk in _list_talks(found, settings.items_per_conversation, seed):
            most = settings.combine_sharegpt_target_pairs
            wanted = wanted or 1 + draw_number(seed, talk[0].uuid, "pairs") % most
            row += talk
            if sum(one.questions for one in row) >= wanted:
                yield tuple(one.place for one in row)
                row, wanted = (), 0
        if row:
            yield tuple(one.place for one in row)


def _list_talks(found: Mapping[str, _Talk], size: int, seed: int) -> list[tuple[_Talk, ...]]:
    """Return `size` recalls of one turn together, each of several turns alone, in drawn order."""
    ordered = [found[uuid] for uuid in rank(found, seed, "rows")]
    single = [one for one in ordered if one.questions == 1]
    talks: list[tuple[_Talk, ...]] = [(one,) for one in ordered if one.questions > 1]
    talks += [tuple(single[at : at + size]) for at in range(0, len(single), size)]
    return sorted(talks, key=lambda talk: draw_number(seed, talk[0].uuid, "talks"))
