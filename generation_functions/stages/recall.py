"""The stage `recall`: the worthy text is asked about in the ways that the config names."""

from collections.abc import Mapping, Sequence
from contextlib import closing

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.pipelines import recall, recall_rounds, ways
from generation_functions.pipelines.pieces import (
    Piece,
    choose_pieces,
    cut_pieces,
    find_changed,
    relate,
    write_neighbours,
)
from generation_functions.pipelines.questions import WORTHY
from generation_functions.records import Chunk
from generation_functions.session import open_counter
from generation_functions.stages.reading import open_source
from generation_functions.stages.searching import open_search
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors

NEIGHBOURS = "neighbours.jsonl"  # of each piece that was recalled, what speaks of the same
RECALL_STEPS = ways.list_steps()


async def write_recalls(run: Run, limit: int | None = None) -> list[recall.Asked]:
    """Ask about the worthy text in the ways that `factual_sft` names; without any, do nothing.

    Each question is shown the chunks that speak of the same, unless its way is not to be. With
    `limit`, so many pieces are taken. Raises RunFolderError before the questions' stage has
    ended, and TooFewKept.
    """
    chosen = ways.make_ways(run.config)
    if not chosen:
        return []
    async with run.stage("recall", limit):
        run.load_prompts(*(step for way in chosen for step in way.steps))
        run.open_survivors(recall.RECALLS, recall.REJECTED_RECALLS)
        worthy = set(run.require(WORTHY))
        with closing(open_source(run).decisions()) as decisions:
            # What was dropped, or is held out for the exam, tells that a thing exists too; related
            # to others are pieces of worthy chunks alone.
            corpus = ChunkIndex(one.chunk for one in decisions)
        pieces = _cut_pieces(run, corpus, worthy)
        takes = {way.name: choose_pieces(pieces[:limit], way.name, run.config) for way in chosen}
        wanted = set().union(*(takes[way.name] for way in chosen if way.multi_source))
        pieces = (await _relate(run, corpus, pieces, wanted))[:limit]
        related = [piece for piece in pieces if piece.uuid in wanted]
        before = _read_neighbours(run)
        _report_neighbours(run, chosen, takes, related, before)
        asked = await recall_rounds.recall_all(run, corpus, chosen, pieces, takes)
        # Last, so that a stage which was interrupted compares with what was asked before it.
        run.write_text(NEIGHBOURS, write_neighbours(related, before if limit else ""))
        return asked


async def _relate(
    run: Run, corpus: ChunkIndex, pieces: list[Piece], wanted: set[str]
) -> list[Piece]:
    """Return the pieces, those `wanted` with what is related to them."""
    most = run.config.factual_sft_settings.related_chunks
    if not wanted or not most:
        return pieces
    parts = {part for piece in pieces for part in piece.parts}
    search = await open_search(run, corpus, parts)
    return relate(pieces, most, search.retriever, wanted)


def _cut_pieces(run: Run, corpus: ChunkIndex, worthy: set[str]) -> list[Piece]:
    """Return the pieces of the worthy chunks, which are read one at a time."""
    settings, folder = run.config.factual_sft_settings, run.folder / WORTHY
    with open_counter(run.config) as count:
        ordered = (uuid for uuid in corpus.uuids if uuid in worthy)
        chunks = (chunk for uuid in ordered for chunk in read_survivors(folder, [uuid], Chunk))
        return list(cut_pieces(chunks, settings.factual_chunk_size, count))


def _read_neighbours(run: Run) -> str:
    file = run.folder / NEIGHBOURS
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _report_neighbours(
    run: Run,
    chosen: Sequence[ways.Way],
    takes: Mapping[str, set[str]],
    related: Sequence[Piece],
    before: str,
) -> None:
    """Report for how many pieces what is related has changed since `before`, and how many
    questions are asked anew for it: in each way that shows it, in each generation.
    """
    changed = find_changed(before, related)
    anew = sum(len(takes[way.name] & changed) for way in chosen if way.multi_source)
    found = {
        "pieces": len(set().union(*takes.values())),
        "with related chunks": sum(bool(piece.related) for piece in related),
        "changed": len(changed),
        "asked anew": anew * run.config.system.number_of_factual_sft_generations_to_do,
    }
    run.report("neighbours", found)
