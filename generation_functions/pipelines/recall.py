"""From a piece of the documents to a conversation that recalls it, in one way of asking."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.errors import Dropped, NoRoom, Rejected
from generation_functions.pipelines.exchange_checks import (
    find_common_fault,
    find_pair_fault,
    leave_admission,
    make_plain,
)
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.pieces import Piece, read_sources
from generation_functions.pipelines.questions import ASKED_ALREADY, RejectedPair, hold_votes
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.repairing import tell_unclear
from generation_functions.pipelines.similar import AskedBefore, is_asked
from generation_functions.pipelines.way_steps import WayRequest
from generation_functions.pipelines.ways import MOST_TURNS, Way
from generation_functions.records import Chunk, Exchange, QAPair, Recall, make_uuid
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors

WORTHY = "worthy_for_questions"
RECALLS = "recalls"
REJECTED_RECALLS = "recalls_rejected"
LABEL = "recalls"
DISTINCT = "distinct recalls"
KEPT = "kept"
MOST_SHOWN = 8  # questions of earlier generations


@dataclass(frozen=True, slots=True)
class RecallItem:
    """A piece that is to be recalled in a way, for the `generation`th time, counted from 0.

    `sources` are the piece, which is made of `parts`, and what speaks of the same; `asked` is
    what this way asked before.
    """

    way: Way
    generation: int
    sources: tuple[Chunk, ...]
    parts: tuple[str, ...]
    asked: tuple[QAPair, ...]

    @property
    def uuid(self) -> str:
        return make_uuid(self.sources[0].uuid, "recall", self.way.name, str(self.generation))


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of an item, without its texts: the pair that its first turn was."""

    uuid: str
    way: str
    piece: str
    pair: QAPair


async def recall_all(
    run: Run,
    corpus: ChunkIndex,
    ways: Sequence[Way],
    pieces: Sequence[Piece],
    takes: Mapping[str, set[str]],
) -> list[Asked]:
    """Recall of the pieces in each way those that it `takes`, a generation after the other; return
    what was kept.

    Each generation is shown what the same way asked of the same piece before. Of questions that
    are alike, whatever their way and generation, the first stays. Raises TooFewKept.
    """
    asked: dict[tuple[str, str], tuple[QAPair, ...]] = {}
    before = AskedBefore()
    kept: list[Asked] = []
    for generation in range(run.config.system.number_of_factual_sft_generations_to_do):
        made = await run.map(
            partial(recall, run, corpus),
            _list_items(run, ways, pieces, takes, generation, asked),
            LABEL,
            sum(map(len, takes.values())),
            abort_below=None if generation else run.config.system.abort_below,
        )
        for one in made:
            key = (one.piece, one.way)
            asked[key] = (*asked.get(key, ()), one.pair)[-MOST_SHOWN:]
        kept += [one for one in made if _is_new(run, one, before)]
    return kept


def _list_items(
    run: Run,
    ways: Sequence[Way],
    pieces: Sequence[Piece],
    takes: Mapping[str, set[str]],
    generation: int,
    asked: dict[tuple[str, str], tuple[QAPair, ...]],
) -> Iterator[RecallItem]:
    """Yield the items of a generation, way after way; texts are read as they are taken."""
    for way in ways:
        for piece in pieces:
            if piece.uuid in takes[way.name]:
                sources = read_sources(run.folder / WORTHY, piece, way.multi_source)
                if sources:
                    shown = asked.get((piece.uuid, way.name), ())
                    yield RecallItem(way, generation, tuple(sources), piece.parts, shown)


async def recall(run: Run, corpus: ChunkIndex, item: RecallItem) -> Asked:
    """Write a conversation of one turn, or of as many as its way wants, and keep it."""
    way, exchanges = item.way, list[Exchange]()
    request = WayRequest(item.uuid, read_together(item.sources), item.asked)
    try:
        while len(exchanges) < (MOST_TURNS if way.then else 1):
            current = way.then if exchanges and way.then else way
            exchange = await write_exchange(run, corpus, current, request)
            exchanges.append(exchange)
            request = replace(request, asked=(), turns=tuple(exchanges))
    except Dropped as dropped:
        if len(exchanges) < way.fewest:
            run.tally("ways", way.name, dropped.reason)
            raise
    run.tally("ways", way.name, KEPT)
    made = Recall(item.uuid, way.name, item.generation, tuple(exchanges), item.sources, item.parts)
    with suppress(Rejected):  # deleted by hand: it stays asked, and is not asked again
        run.keep(RECALLS, made)
    return _describe(made)


async def write_exchange(run: Run, corpus: ChunkIndex, way: Way, request: WayRequest) -> Exchange:
    """Return a question and its answer once nothing is wrong with them.

    What is wrong is told, and the pair written anew, at most `questions.repairs` times. Raises
    Rejected with the last problem.
    """
    exchange = await run.ask(way.write, request)
    for number in range(1, run.config.questions.repairs + 2):
        exchange, problem = await settle(run, corpus, way, request, exchange)
        if problem is None:
            return exchange
        if number <= run.config.questions.repairs:
            request = replace(request, draft=exchange, problem=problem.told, number=number)
            exchange = await run.ask(way.write, request)
    with suppress(Rejected):  # a person deleted it, and need not read it again
        pair = make_plain(exchange, request.reading)
        run.keep(REJECTED_RECALLS, RejectedPair(pair, problem or ASKED_ALREADY))
    raise Rejected(problem.reason if problem else "")


async def settle(
    run: Run, corpus: ChunkIndex, way: Way, request: WayRequest, exchange: Exchange
) -> tuple[Exchange, Problem | None]:
    """Vet an exchange, make it stand alone where it has to, and vet it again if that changed it."""
    problem = await vet(run, corpus, way, request, exchange)
    if problem or way.revise is None:
        return exchange, problem
    pair = make_plain(exchange, request.reading)
    try:
        revised = await run.ask(way.revise, pair)
    except NoRoom:  # says nothing about the question
        raise
    except Rejected as dropped:
        return exchange, tell_unclear(pair, dropped.reason)
    if revised == pair:
        return exchange, None
    exchange = replace(exchange, question=revised.question, answer=revised.answer)
    return exchange, await vet(run, corpus, way, request, exchange)


async def vet(
    run: Run, corpus: ChunkIndex, way: Way, request: WayRequest, exchange: Exchange
) -> Problem | None:
    """Return the first problem of an exchange: of those that code finds, then of those voted on."""
    problem = find_fault(corpus, way, request, exchange, run.config.system.use_filenames)
    pair = make_plain(exchange, request.reading)
    if problem is None and is_asked(pair, request.asked):
        problem = ASKED_ALREADY
    run.count("grounding", pair.uuid, rejected=problem.reason if problem else "")
    return problem or await hold_votes(run, pair, way.votes)


def find_fault(
    corpus: ChunkIndex,
    way: Way,
    request: WayRequest,
    exchange: Exchange,
    use_filenames: bool = True,
) -> Problem | None:
    """Return what code alone can tell against an exchange of a way, or None."""
    reading = request.reading
    granted = " ".join((exchange.premise, *exchange.things))
    known = leave_admission(exchange) if exchange.admitted else exchange
    return (
        find_common_fault(exchange, reading, use_filenames)
        or way.check(exchange, request, corpus)
        or find_pair_fault(known, reading, use_filenames, way.pair_checks, granted)
    )


def _describe(made: Recall) -> Asked:
    first, chunk = made.exchanges[0], replace(made.chunk, text="")
    question = first.meant or first.question
    pair = QAPair(made.uuid, question, first.answer, (), "", chunk)
    return Asked(made.uuid, made.way, chunk.uuid, pair)


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
