"""The stage `mix`: datasets and the trainer's configs from what survived."""

from collections.abc import Sequence

from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.pipelines import recall, variations
from generation_functions.records import Chunk, Conversation, QAPair, Recall
from generation_functions.session import open_counter
from generation_functions.steps.run import Run


async def mix(run: Run, limit: int | None = None) -> Material:
    """Write the datasets and the trainer's configs from what survived."""
    async with run.stage("mix", limit):
        pairs = run.survivors("qatuples_revised", QAPair)
        chunks = run.survivors("worthy_for_questions", Chunk)
        sheets, told = variations.take_told(run, chunks)
        material = Material(
            chunks=chunks,
            pairs=pairs,
            conversations=_survive(run, pairs),
            sheets=sheets,
            variations=told,
            recalls=_survive_recalls(run),
        )
        with open_counter(run.config) as count:
            write_datasets(run.folder, material, run.config, count)
    return material


def _survive(run: Run, pairs: Sequence[QAPair]) -> list[Conversation]:
    """Return the conversations without those about a pair that is gone, which are counted."""
    known = {pair.uuid for pair in pairs}
    kept = []
    for conversation in run.survivors("multiturn_convs", Conversation):
        gone = any(pair.uuid not in known for pair in conversation.pairs)
        run.count("mixed", conversation.uuid, rejected="a pair of it is gone" if gone else "")
        kept += [] if gone else [conversation]
    return kept


def _survive_recalls(run: Run) -> list[Recall]:
    """Return the recalls of the ways that the config names, if they were written."""
    if not (run.config.factual_sft and run.has(recall.RECALLS)):
        return []
    made = run.survivors(recall.RECALLS, Recall)
    return [one for one in made if one.way in run.config.factual_sft]
