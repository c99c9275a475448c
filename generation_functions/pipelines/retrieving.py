"""Simulated retrieval: which chunks are shown beside a question, and in which order.

Everything is drawn by seed, item and purpose, so that it is the same in every run.
"""

import hashlib
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from generation_functions.choosing import draw_number, draw_share, rank
from generation_functions.documents.retrieval import Related, Retriever
from generation_functions.masked import (
    FAILURES,
    FOUND,
    FOUND_IN_TWO,
    HARD,
    HARD_NEGATIVES,
    NEAR_DUPLICATE,
    NOTHING,
    PARTIAL,
    PARTIAL_EVIDENCE,
    RANDOM,
    RANDOM_CHUNKS,
    RIGHT,
    Grounded,
    RagItem,
    Shown,
)
from generation_functions.masked_sections import RagData
from generation_functions.pipelines.context_checks import holds_answer, leave_out_answers
from generation_functions.records import Chunk

MOST_LOOKED_AT = 8  # matches, and random chunks, that are looked at for each that is to be shown


@dataclass(frozen=True, slots=True)
class RagPlan:
    """What is to be asked about a chunk; `kind` is what the retrieval is to find."""

    uuid: str
    chunk: Chunk
    asked: tuple[Grounded, ...]
    kind: str


class Library:
    """All that may be shown: chunks by their uuids, read when they are shown.

    `read` returns a chunk as it stands now, None for one that a person deleted; `near` has
    for some chunks another that is nearly the same. Directories never mix.
    """

    def __init__(
        self,
        index: Retriever,
        directories: Mapping[str, str],
        read: Callable[[str], Chunk | None],
        near: Mapping[str, Chunk] | None = None,
    ) -> None:
        """`directories` has the directory of each chunk that may be shown, by uuid."""
        self._index = index
        self._read = read
        self._near = near or {}
        self._places: dict[str, list[tuple[int, str]]] = {}
        for uuid, directory in directories.items():
            self._places.setdefault(directory, []).append((_place(uuid), uuid))
        for places in self._places.values():
            places.sort()
        self._allowed = {
            directory: index.mark(uuid for _, uuid in places)
            for directory, places in self._places.items()
        }

    def read(self, uuid: str) -> Chunk | None:
        """Return a chunk that may be shown, as a person left it."""
        return self._read(uuid)

    def near(self, uuid: str) -> Chunk | None:
        """Return a chunk that is nearly the same as this one."""
        return self._near.get(uuid)

    def search(self, question: str, directory: str, most: int) -> tuple[Related, ...]:
        """Return the chunks of a directory that match a question best."""
        if directory not in self._allowed:
            return ()
        return self._index.search(question, most, self._allowed[directory])

    def draw(self, directory: str, most: int, *key: object) -> Iterator[str]:
        """Yield at most `most` different chunks of a directory at random.

        Each is the next one to a drawn place on a ring of hashes: another document in the
        directory changes few draws.
        """
        places, seen = self._places.get(directory, []), set[str]()
        for number in range(4 * most if places else 0):
            at = bisect(places, (draw_number(*key, number), "")) % len(places)
            uuid = places[at][1]
            if uuid not in seen:
                seen.add(uuid)
                yield uuid
            if len(seen) == min(most, len(places)):
                return


def retrieve(library: Library, plan: RagPlan, settings: RagData, seed: int) -> RagItem:
    """Return what a plan's retrieval finds.

    A failure that cannot be had (no chunk lacks the answer) becomes the next of FAILURES; the
    last of them finds nothing, which can always be.
    """
    item = RagItem(plan.uuid, plan.chunk, plan.asked, (), plan.kind)
    most = 1 + draw_number(seed, plan.uuid, "shown") % settings.rag_max_chunks
    if not item.failed:
        return _find(library, item, settings, seed, most)
    kinds = dict.fromkeys((plan.kind, *FAILURES))
    for kind in kinds:
        found = _miss(library, replace(item, kind=kind), settings, seed, most)
        if found.shown or kind == NOTHING:
            break
    return found


def _find(library: Library, item: RagItem, settings: RagData, seed: int, most: int) -> RagItem:
    """Show what the answers rest on among other chunks, in a random order."""
    wanted = dict.fromkeys(one.chunk for asked in item.asked for one in asked.evidence)
    right = [
        _show(chunk, RIGHT)
        for uuid in wanted
        if (chunk := item.chunk if uuid == item.chunk.uuid else library.read(uuid))
    ]
    kind = FOUND_IN_TWO if len(right) > 1 else FOUND
    near = [_show(one, NEAR_DUPLICATE) for uuid in wanted if (one := library.near(uuid))][:1]
    if draw_share(seed, item.uuid, "near") >= settings.near_duplicate_share:
        near = []
    shown = [*right, *near[: max(0, settings.rag_max_chunks - len(right))]]
    others = _distract(library, item, settings, seed, max(0, most - len(shown)))
    return _shuffle(replace(item, kind=kind, shown=(*shown, *others)), seed)


def _miss(library: Library, item: RagItem, settings: RagData, seed: int, most: int) -> RagItem:
    """Show chunks that hold no answer; none where there are none of the item's kind."""
    shown: list[Shown] = []
    if item.kind == PARTIAL_EVIDENCE:
        left = leave_out_answers(item.chunk.text, item.asked, item.chunk.language)
        if left:
            shown = [replace(_show(item.chunk, PARTIAL), text=left)]
            shown += _distract(library, item, settings, seed, most - 1)
    elif item.kind == HARD_NEGATIVES:
        shown = _list_hard(library, item, most)
        if shown:
            shown += _list_random(library, item, seed, most - len(shown), shown)
    elif item.kind == RANDOM_CHUNKS:
        shown = _list_random(library, item, seed, most, ())
    return _shuffle(replace(item, shown=tuple(shown)), seed)


def join_questions(asked: Iterable[Grounded]) -> str:
    """Return what chunks are looked for with."""
    return " ".join(one.question for one in asked)


def _distract(
    library: Library, item: RagItem, settings: RagData, seed: int, most: int
) -> list[Shown]:
    """Return at most `most` chunks without the answers, by the shares of the two kinds."""
    shares = settings.shares
    both = shares.hard_negatives + shares.random_chunks
    hard = sum(
        draw_share(seed, item.uuid, "hard", number) * both < shares.hard_negatives
        for number in range(most)
    )
    shown = _list_hard(library, item, hard)
    return [*shown, *_list_random(library, item, seed, most - len(shown), shown)]


def _list_hard(library: Library, item: RagItem, most: int) -> list[Shown]:
    """Return what matches the questions best and holds none of the answers."""
    if most < 1:
        return []
    found = library.search(join_questions(item.asked), item.chunk.directory, MOST_LOOKED_AT * most)
    scores = {one.uuid: one.score for one in found}
    return _read_lacking(library, item, scores, most, HARD, ())


def _list_random(
    library: Library, item: RagItem, seed: int, most: int, shown: Sequence[Shown]
) -> list[Shown]:
    if most < 1:
        return []
    directory = item.chunk.directory
    drawn = library.draw(directory, MOST_LOOKED_AT * most, seed, item.uuid, "random")
    return _read_lacking(library, item, dict.fromkeys(drawn, 0.0), most, RANDOM, shown)


def _read_lacking(
    library: Library,
    item: RagItem,
    scores: Mapping[str, float],
    most: int,
    why: str,
    shown: Iterable[Shown],
) -> list[Shown]:
    """Return the first chunks that hold none of the answers and are not shown already."""
    rests_on = {one.chunk for asked in item.asked for one in asked.evidence}
    known = {item.chunk.uuid, *rests_on, *(one.uuid for one in shown)}
    texts = {item.chunk.text.strip(), *(one.text for one in shown)}
    lacking: list[Shown] = []
    for uuid, score in scores.items():
        if len(lacking) == most:
            break
        chunk = None if uuid in known else library.read(uuid)
        if chunk is None:
            continue
        found = _show(chunk, why, score)
        if found.text not in texts and not holds_answer(found.text, item.asked, chunk.language):
            lacking.append(found)
        texts.add(found.text)
    return lacking


def _shuffle(item: RagItem, seed: int) -> RagItem:
    """Put what is shown into an order that the item's uuid decides."""
    order = rank([one.uuid for one in item.shown], seed, item.uuid, "order")
    shown = sorted(item.shown, key=lambda one: order.index(one.uuid))
    return replace(item, shown=tuple(shown))


def _show(chunk: Chunk, why: str, score: float = 0.0) -> Shown:
    return Shown(chunk.uuid, chunk.source, chunk.text.strip(), why, score)


def _place(uuid: str) -> int:
    return int.from_bytes(hashlib.sha256(uuid.encode()).digest(), "big")
