"""From vetted pairs to simulated retrievals that hold their answers, or are proved not to."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from generation_functions.choosing import draw_share, rank, spread
from generation_functions.config import Config
from generation_functions.documents.retrieval import Retriever
from generation_functions.errors import Rejected
from generation_functions.masked import (
    FAILURES,
    FOUND,
    FOUND_IN_TWO,
    Evidence,
    Grounded,
    RagItem,
)
from generation_functions.masked_sections import RagData, RetrievalShares
from generation_functions.pipelines.context_checks import (
    has_whole_quote,
    holds_answer,
    is_proved,
)
from generation_functions.pipelines.lack_steps import TELL_LACK, LackRequest
from generation_functions.pipelines.retrieving import Library, RagPlan, retrieve
from generation_functions.pipelines.subsets import (
    choose_chunks,
    group_chunks,
    group_pairs,
    list_sizes,
)
from generation_functions.records import QAPair, Recall, make_uuid
from generation_functions.steps.run import Run

RAG_ITEMS = "rag_items"
LABEL = "retrievals"
GONE = "what an answer rests on is not shown"
HOLDS = "what is shown holds the answer"
WHOLE, SHORTENED = "whole", "shortened"
MOST_PARTNERS = 4  # chunks that speak of the same, of which one may be asked about too

Fit = Callable[[RagItem], RagItem]


@dataclass(frozen=True, slots=True)
class Partners:
    """With what a chunk may be asked about: recalls that rest on it and another chunk (`joint`),
    and the pairs of all chunks; `same` marks those of each directory, as the index takes it."""

    by_chunk: Mapping[str, Sequence[QAPair]]
    joint: Sequence[Grounded]
    index: Retriever
    same: Mapping[str, npt.NDArray[np.bool_]]


async def make_item(run: Run, library: Library, fit: Fit, plan: RagPlan) -> str:
    """Keep a retrieval for a plan, cut to the training context, and what it lacks, if it fails.

    Returns its uuid. `fit` raises Rejected for an item that does not fit. So does this for one that
    turns out not to show what its answers rest on or, where it is to fail, not to lack it.
    """
    settings = run.config.rag_data
    found = retrieve(library, plan, settings, run.config.system.seed)
    item = fit(found)
    if fault := find_fault(item):
        raise Rejected(fault)
    run.tally("retrievals", plan.kind, item.kind)
    run.tally("context", item.kind, WHOLE if item.shown == found.shown else SHORTENED)
    step = replace(TELL_LACK, use_stop=settings.rag_use_stop)
    lacks = [
        await run.ask(step, LackRequest(item.uuid, place, asked, item.shown, item.chunk.language))
        for place, asked in enumerate(item.asked if item.failed else ())
    ]
    return run.keep(RAG_ITEMS, replace(item, lacks=tuple(lacks))).uuid


def find_fault(item: RagItem) -> str:
    """Return why a retrieval is of no use, "" where it is: all that is asked has to rest on what
    is shown, or, in a failure, nothing of it.
    """
    language = item.chunk.language
    if item.failed:
        return "" if is_proved(item.shown, item.asked, language) else HOLDS
    texts = {one.uuid: one.text for one in item.shown}
    whole = all(
        one.chunk in texts and has_whole_quote(texts[one.chunk], one.quote, language)
        for asked in item.asked
        for one in asked.evidence
    )
    return "" if whole else GONE


def plan_items(
    pairs: Iterable[QAPair], recalls: Iterable[Recall], index: Retriever, config: Config
) -> Iterator[RagPlan]:
    """Yield what is to be asked of each chunk that has pairs, in the order in which they come.

    Shares are exact to one. Of success the share `two_chunk_share` needs two chunks together: by a
    recall that rests on both, or by pairs of two chunks that speak of the same, where there are
    such.
    """
    by_chunk = group_pairs(pairs)
    joint: dict[str, list[Grounded]] = {}
    for recall in recalls:
        found = join_sources(recall)
        if found:
            joint.setdefault(recall.chunk.uuid, []).append(found)
    same = group_chunks(by_chunk)
    sizes = list_sizes(config, lambda one: (one.rag_use_subset, one.rag_subset_size))
    chosen = choose_chunks(same, sizes, config.system.seed, "rag")
    marked = {directory: index.mark(uuids) for directory, uuids in same.items()}
    taken = [uuid for uuid in by_chunk if uuid in chosen]
    for uuid, kind in draw_kinds(taken, config.rag_data, config.system.seed).items():
        partners = Partners(by_chunk, joint.get(uuid, []), index, marked)
        yield _plan(partners, by_chunk[uuid], kind, config)


def join_sources(recall: Recall) -> Grounded | None:
    """Return a recall's first question if its answer rests on several chunks, else None."""
    exchange = recall.exchanges[0]
    quotes: dict[int, list[str]] = {}
    for one in exchange.recalled:
        quotes.setdefault(one.source, []).append(one.quote)
    if len(quotes) < 2 or exchange.admitted:
        return None
    evidence = (
        Evidence(recall.sources[source].uuid, " ".join(told))
        for source, told in sorted(quotes.items())
    )
    question = exchange.meant or exchange.question
    return Grounded(recall.uuid, question, exchange.answer, tuple(evidence))


def draw_kinds(uuids: Sequence[str], settings: RagData, seed: int) -> dict[str, str]:
    """Return what the retrieval for each chunk is to find: its kind, in the shares of `settings`.

    `uuids` keep their order. What needs two chunks has the kind FOUND_IN_TWO.
    """
    places = spread(uuids, seed, "rag", "fails")
    fails = [uuid for uuid in uuids if places[uuid] < settings.rag_failure_percentage]
    kinds = {
        uuid: draw_kind(settings.shares, place)
        for uuid, place in spread(fails, seed, "rag", "kind").items()
    }
    if settings.rag_max_chunks > 1:
        found = (uuid for uuid in uuids if uuid not in kinds)
        kinds |= {
            uuid: FOUND_IN_TWO
            for uuid, place in spread(found, seed, "rag", "two").items()
            if place < settings.two_chunk_share
        }
    return {uuid: kinds.get(uuid, FOUND) for uuid in uuids}


def draw_kind(shares: RetrievalShares, drawn: float) -> str:
    """Return the kind of failure that a number from 0 to 1 stands for, by the shares."""
    weights = (shares.hard_negatives, shares.random_chunks, shares.partial_evidence, shares.nothing)
    left = drawn * sum(weights)
    for kind, weight in zip(FAILURES, weights, strict=True):
        if left < weight:
            return kind
        left -= weight
    return next(kind for kind, weight in zip(FAILURES, weights, strict=True) if weight)


def _plan(partners: Partners, pairs: Sequence[QAPair], kind: str, config: Config) -> RagPlan:
    chunk = pairs[0].chunk
    key = (config.system.seed, chunk.uuid, "rag")
    asked = _draw_pairs(pairs, config.rag_data.pairs_per_item, key)
    if kind == FOUND_IN_TWO:
        together = _ask_of_two(partners, pairs, key)
        kind, asked = (kind, together) if together else (FOUND, asked)
    return RagPlan(make_uuid(chunk.uuid, "rag", *(one.uuid for one in asked)), chunk, asked, kind)


def _draw_pairs(
    pairs: Sequence[QAPair], most: int, key: tuple[object, ...]
) -> tuple[Grounded, ...]:
    """Return from one to `most` of a chunk's pairs, in the order of their sentences."""
    count = 1 + int(draw_share(*key, "pairs") * most)
    drawn = rank([pair.uuid for pair in pairs], *key, "which")[:count]
    chosen = [pair for pair in pairs if pair.uuid in drawn]
    return tuple(map(_ask, sorted(chosen, key=lambda one: (one.sentences, one.uuid))))


def _ask_of_two(
    partners: Partners, pairs: Sequence[QAPair], key: tuple[object, ...]
) -> tuple[Grounded, ...]:
    """Return a question that two chunks answer together, or one of each; nothing without."""
    two = {one.uuid: one for one in partners.joint if len(one.evidence) == 2}
    if two:
        return (two[rank(two, *key, "joint")[0]],)
    chunk = pairs[0].chunk
    found = partners.index.find([chunk.uuid], MOST_PARTNERS, partners.same[chunk.directory])
    for related in found:
        others = partners.by_chunk[related.uuid]
        (own,), (other,) = _draw_pairs(pairs, 1, key), _draw_pairs(others, 1, key)
        partner = others[0].chunk
        if not (
            holds_answer(partner.text, [own], partner.language)
            or holds_answer(chunk.text, [other], chunk.language)
        ):
            return own, other
    return ()


def _ask(pair: QAPair) -> Grounded:
    return Grounded(pair.uuid, pair.question, pair.answer, (Evidence(pair.chunk.uuid, pair.quote),))
