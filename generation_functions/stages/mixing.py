"""The stage `mix`: datasets and the trainer's configs from what survived."""

from collections.abc import Sequence

from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.datasets.rag_source import FOLDER, write_rag_source
from generation_functions.masked import Correction, RagItem
from generation_functions.pipelines import corrections, rag, recall, variations
from generation_functions.records import Chunk, Conversation, QAPair, Recall
from generation_functions.stages.taking import open_training_counter
from generation_functions.steps.run import Run


async def mix(run: Run, limit: int | None = None) -> Material:
    """Write the datasets and the trainer's configs from what survived."""
    async with run.stage("mix", limit):
        pairs = run.survivors("qatuples_revised", QAPair)
        chunks = run.survivors("worthy_for_questions", Chunk)
        sheets, told = variations.take_told(run, chunks)
        recalls = _survive_recalls(run, chunks)
        material = Material(
            chunks=chunks,
            pairs=pairs,
            conversations=_survive(run, pairs),
            sheets=sheets,
            variations=told.read,
            recalls=recalls,
            retrievals=_survive_retrievals(run, pairs, recalls),
            corrections=_survive_corrections(run, pairs),
        )
        with open_training_counter(run.config) as count:
            write_datasets(run.folder, material, run.config, count, run.count)
        if run.config.rag_data.enabled:
            names = write_rag_source(run.open_text, pairs, material.recalls, run.config)
            run.set_aside(FOLDER, names)
    return material


def _survive(run: Run, pairs: Sequence[QAPair]) -> list[Conversation]:
    """Return the conversations without those about a pair that is gone, which are counted."""
    alone = run.config.rag_data.enabled or run.config.correction_pipeline.enabled
    if alone and not run.has("multiturn_convs"):
        return []
    known = {pair.uuid for pair in pairs}
    kept = []
    for conversation in run.survivors("multiturn_convs", Conversation):
        gone = any(pair.uuid not in known for pair in conversation.pairs)
        run.count("mixed", conversation.uuid, rejected="a pair of it is gone" if gone else "")
        kept += [] if gone else [conversation]
    return kept


def _survive_recalls(run: Run, chunks: Sequence[Chunk]) -> list[Recall]:
    """Return the recalls of the ways that the config names, without those of chunks that are gone.

    The latter are counted. Raises RunFolderError before the recall stage has ended.
    """
    if not run.config.factual_sft:
        return []
    known = {chunk.uuid for chunk in chunks}
    kept = []
    for one in run.survivors(recall.RECALLS, Recall):
        if one.way in run.config.factual_sft:
            own = one.parts or (one.chunk.uuid,)
            gone = not known.issuperset((*own, *(source.uuid for source in one.sources[1:])))
            run.count("mixed", one.uuid, rejected="a chunk of it is gone" if gone else "")
            kept += [] if gone else [one]
    return kept


def _survive_retrievals(
    run: Run, pairs: Sequence[QAPair], recalls: Sequence[Recall]
) -> list[RagItem]:
    """Return the retrievals, if any were made, without those that ask about what is gone.

    Nor does a failure stay that a person's edit has made hold its answer.
    """
    if not (run.config.rag_data.enabled and run.has(rag.RAG_ITEMS)):
        return []
    known = {pair.uuid for pair in pairs} | {one.uuid for one in recalls}
    kept = []
    for item in run.survivors(rag.RAG_ITEMS, RagItem):
        gone = any(one.uuid not in known for one in item.asked)
        fault = "a question of it is gone" if gone else rag.HOLDS if rag.holds(item) else ""
        run.count("retrievals", item.uuid, rejected=fault)
        kept += [] if fault else [item]
    return kept


def _survive_corrections(run: Run, pairs: Sequence[QAPair]) -> list[Correction]:
    """Return the corrections, if any were written, without those of a pair that is gone."""
    if not (run.config.correction_pipeline.enabled and run.has(corrections.CORRECTIONS)):
        return []
    known = {pair.uuid for pair in pairs}
    kept = []
    for one in run.survivors(corrections.CORRECTIONS, Correction):
        gone = one.pair.uuid not in known
        run.count("corrections", one.uuid, rejected="its pair is gone" if gone else "")
        kept += [] if gone else [one]
    return kept
