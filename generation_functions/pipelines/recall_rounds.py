"""All pieces recalled in all ways: a generation after the other, then what was left out."""

from collections.abc import Awaitable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.errors import Rejected
from generation_functions.pipelines.gaps import fill_gaps, report_gaps
from generation_functions.pipelines.passages import Covered, locate_chunk
from generation_functions.pipelines.pieces import Piece, read_sources
from generation_functions.pipelines.questions import ASKED_ALREADY, WORTHY, RejectedPair
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.recall import (
    RECALLS,
    REJECTED_RECALLS,
    Asked,
    RecallItem,
    recall,
)
from generation_functions.pipelines.similar import AskedBefore
from generation_functions.pipelines.ways import Way
from generation_functions.records import QAPair, Recall
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors

LABEL = "recalls"
DISTINCT = "distinct recalls"
MOST_SHOWN = 8  # questions of earlier generations


@dataclass(slots=True)
class _Taken:
    """What was asked so far: by piece and way, what was kept of it, and where that stands."""

    run: Run
    asked: dict[tuple[str, str], tuple[QAPair, ...]] = field(default_factory=dict)
    before: AskedBefore = field(default_factory=AskedBefore)
    kept: list[Asked] = field(default_factory=list)
    covered: Covered = field(default_factory=Covered)

    def take(self, made: Sequence[Asked]) -> None:
        """Take in what a generation made; of questions that are alike, the first stays."""
        for one in made:
            key = (one.piece, one.way)
            self.asked[key] = (*self.asked.get(key, ()), one.pair)[-MOST_SHOWN:]
        new = [one for one in made if _is_new(self.run, one, self.before)]
        self.covered.add(passage for one in new for passage in one.passages)
        self.kept += new


async def recall_all(
    run: Run,
    corpus: ChunkIndex,
    ways: Sequence[Way],
    pieces: Sequence[Piece],
    takes: Mapping[str, Collection[str]],
) -> list[Asked]:
    """Recall of the pieces in each way those that it `takes`, a generation after the other; return
    what was kept.

    Each generation is shown what the same way asked of the same piece before. Of questions that
    are alike, whatever their way and generation, the first stays. Pieces of which no sentence is
    recalled are asked about again. Raises TooFewKept.
    """
    system, taken = run.config.system, _Taken(run)
    count = system.number_of_factual_sft_generations_to_do
    for generation in range(count):
        items = _list_items(taken, ways, pieces, takes, generation)
        least = None if generation else system.abort_below
        total = sum(map(len, takes.values()))
        taken.take(await run.map(partial(recall, run, corpus), items, LABEL, total, least))

    def find() -> Iterator[RecallItem]:
        known = {one.piece for one in taken.kept}
        left = [piece for piece in pieces if piece.uuid not in known]
        for item in _list_items(taken, ways, left, takes, count):
            if not taken.covered.touches(locate_chunk(item.sources[0])):
                yield item

    def ask(number: int, item: RecallItem) -> Awaitable[Asked]:
        left_out = taken.covered.list_open(read_together(item.sources))
        return recall(run, corpus, replace(item, round=number, left_out=left_out))

    rounds = await fill_gaps(run, "recall", find, ask, taken.take)
    report_gaps(run, rounds, len({item.sources[0].uuid for item in find()}))
    return taken.kept


def _list_items(
    taken: _Taken,
    ways: Sequence[Way],
    pieces: Sequence[Piece],
    takes: Mapping[str, Collection[str]],
    generation: int,
) -> Iterator[RecallItem]:
    """Yield the items of a generation, way after way; texts are read as they are taken."""
    for way in ways:
        for piece in pieces:
            if piece.uuid in takes[way.name]:
                folder = taken.run.folder / WORTHY
                sources = read_sources(folder, piece, way.multi_source)
                if sources:
                    shown = taken.asked.get((piece.uuid, way.name), ())
                    yield RecallItem(way, generation, tuple(sources), piece.parts, shown)


def _is_new(run: Run, one: Asked, before: AskedBefore) -> bool:
    """Whether no recall before asks the same; one that does is taken back."""
    earlier = before.add(one.pair)
    run.count(DISTINCT, one.uuid, rejected=ASKED_ALREADY.reason if earlier else "")
    if earlier:
        told = f"The one that stays asks: {earlier.question} It answers: {earlier.answer}"
        for made in read_survivors(run.folder / RECALLS, [one.uuid], Recall):
            pair = replace(one.pair, chunk=made.chunk)  # with its text, which `one` does not hold
            with suppress(Rejected):
                run.keep(REJECTED_RECALLS, RejectedPair(pair, replace(ASKED_ALREADY, told=told)))
        run.discard(RECALLS, one)
    return earlier is None
