"""From a piece of the documents to a conversation that recalls it, in one way of asking."""

from contextlib import suppress
from dataclasses import dataclass, replace

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.errors import Dropped, NoRoom, Rejected
from generation_functions.pipelines.asked_checks import find_wording_fault
from generation_functions.pipelines.exchange_checks import (
    find_common_fault,
    find_pair_fault,
    leave_admission,
    make_plain,
)
from generation_functions.pipelines.gaps import ask_again
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.passages import Passage, locate_recall
from generation_functions.pipelines.questions import ASKED_ALREADY, RejectedPair, hold_votes
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.repairing import tell_unclear
from generation_functions.pipelines.similar import is_asked
from generation_functions.pipelines.way_steps import WayRequest
from generation_functions.pipelines.ways import MOST_TURNS, Way
from generation_functions.records import Chunk, Exchange, QAPair, Recall, make_uuid
from generation_functions.steps.run import Run

RECALLS = "recalls"
REJECTED_RECALLS = "recalls_rejected"
KEPT = "kept"


@dataclass(frozen=True, slots=True)
class RecallItem:
    """A piece that is to be recalled in a way, for the `generation`th time, counted from 0.

    `sources` are the piece, which is made of `parts`, and what speaks of the same; `asked` is
    what this way asked before. In `round` 1 and later it is asked again, since all generations
    left its sentences `left_out`.
    """

    way: Way
    generation: int
    sources: tuple[Chunk, ...]
    parts: tuple[str, ...]
    asked: tuple[QAPair, ...]
    round: int = 0
    left_out: tuple[int, ...] = ()

    @property
    def uuid(self) -> str:
        generation = "" if self.round else str(self.generation)
        uuid = make_uuid(self.sources[0].uuid, "recall", self.way.name, generation)
        return ask_again(uuid, self.round)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of an item, without its texts: the pair that its first turn was, and where
    what it recalls stands.
    """

    uuid: str
    way: str
    piece: str
    pair: QAPair
    passages: tuple[Passage, ...]


async def recall(run: Run, corpus: ChunkIndex, item: RecallItem) -> Asked:
    """Write a conversation of one turn, or of as many as its way wants, and keep it."""
    way, exchanges = item.way, list[Exchange]()
    reading = read_together(item.sources)
    request = WayRequest(item.uuid, reading, item.asked, left_out=item.left_out)
    try:
        while len(exchanges) < (MOST_TURNS if way.then else 1):
            current = way.then if exchanges and way.then else way
            exchange = await write_exchange(run, corpus, current, request)
            exchanges.append(exchange)
            request = replace(request, asked=(), left_out=(), turns=tuple(exchanges))
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
    said = (make_plain(turn, request.reading) for turn in request.turns)
    if problem is None and is_asked(pair, (*request.asked, *said)):
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
        or find_wording_fault(exchange, request, use_filenames)
        or way.check(exchange, request, corpus)
        or find_pair_fault(known, reading, use_filenames, way.pair_checks, granted)
    )


def _describe(made: Recall) -> Asked:
    first, chunk = made.exchanges[0], replace(made.chunk, text="")
    question = first.meant or first.question
    pair = QAPair(made.uuid, question, first.answer, (), "", chunk)
    return Asked(made.uuid, made.way, chunk.uuid, pair, locate_recall(made))
