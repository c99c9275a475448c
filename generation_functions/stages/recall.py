"""The stage `recall`: the worthy text is asked about in the ways that the config names."""

from collections.abc import Sequence
from contextlib import closing

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.pipelines import recall, recall_rounds, ways
from generation_functions.pipelines.pieces import (
    Piece,
    count_changed,
    cut_pieces,
    relate,
    write_neighbours,
)
from generation_functions.pipelines.questions import WORTHY
from generation_functions.records import Chunk
from generation_functions.session import open_counter
from generation_functions.stages.reading import open_source
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
            corpus = ChunkIndex(one.chunk for one in decisions if not one.kept)
        pieces = _cut_pieces(run, corpus, worthy)
        _note_neighbours(run, pieces)
        return await recall_rounds.recall_all(run, corpus, chosen, pieces[:limit])


def _cut_pieces(run: Run, corpus: ChunkIndex, worthy: set[str]) -> list[Piece]:
    """Return the pieces of the worthy chunks, read one at a time, with what is related to them."""
    settings, folder = run.config.factual_sft_settings, run.folder / WORTHY
    with open_counter(run.config) as count:
        ordered = (uuid for uuid in corpus.uuids if uuid in worthy)
        chunks = (chunk for uuid in ordered for chunk in read_survivors(folder, [uuid], Chunk))
        pieces = list(cut_pieces(chunks, settings.factual_chunk_size, count))
    return relate(pieces, settings.related_chunks, corpus)


def _note_neighbours(run: Run, pieces: Sequence[Piece]) -> None:
    """Write down what is related to each piece, and report for how many that has changed."""
    file = run.folder / NEIGHBOURS
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    related = sum(bool(piece.related) for piece in pieces)
    changed = count_changed(before, pieces)
    found = {"pieces": len(pieces), "with related chunks": related, "changed": changed}
    run.report("neighbours", found)
    run.write_text(NEIGHBOURS, write_neighbours(pieces))
