"""The stage `mix`: datasets and the trainer's configs from what survived."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar

from generation_functions.card.describe import describe
from generation_functions.card.gather import CARD, gather_facts
from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.generic_sources import prepare_generic
from generation_functions.datasets.manifest import Manifest
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.datasets.rag_source import FOLDER, write_rag_source
from generation_functions.masked import Correction, RagItem
from generation_functions.pipelines import corrections, rag, recall, variations
from generation_functions.pipelines.questions import REVISED, WORTHY
from generation_functions.records import Chunk, Conversation, QAPair, Recall
from generation_functions.stages.own import take_made
from generation_functions.stages.taking import open_training_counter
from generation_functions.steps.run import Run
from generation_functions.steps.step import Item

_AFTER = ("exam", "meta")
I = TypeVar("I", bound=Item)


async def mix(run: Run, limit: int | None = None) -> Material:
    """Write the datasets and the trainer's configs from what survived.

    Generic datasets are found, or fetched, before anything else. Raises InputError where they
    cannot be had, and RunFolderError before a stage that is on has ended.
    """
    generic = prepare_generic(run.config)
    async with run.stage("mix", limit):
        pairs = run.survivors(REVISED, QAPair)
        chunks = run.survivors(WORTHY, Chunk)
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
            made=take_made(run),
            generic=generic,
        )
        with open_training_counter(run.config) as count:
            cards = partial(_write_cards, run)
            write_datasets(run.folder, material, run.config, count, run.count, cards)
        if run.config.rag_data.enabled:
            names = write_rag_source(run.open_text, pairs, material.recalls, run.config)
            run.set_aside(FOLDER, names)
    return material


def _write_cards(run: Run, manifest: Manifest) -> tuple[str, str]:
    """Write the run's dataset card; return those of its two training folders.

    What stages after this one found out about earlier datasets says nothing about these.
    """
    status = {name: part for name, part in run.status().items() if name not in _AFTER}
    facts = gather_facts(run.folder, run.config, status, manifest, running="mix")
    run.write_text(CARD, describe(facts))
    return describe(facts, PRETRAINING_FOLDER), describe(facts, SFT_FOLDER)


def _survive(run: Run, pairs: Sequence[QAPair]) -> list[Conversation]:
    """Return the conversations without those about a pair that is gone, which are counted."""
    alone = run.config.rag_data.enabled or run.config.correction_pipeline.enabled
    if alone and not run.has("multiturn_convs"):
        return []
    known = {pair.uuid for pair in pairs}

    def find_fault(one: Conversation) -> str:
        gone = any(pair.uuid not in known for pair in one.pairs)
        return "a pair of it is gone" if gone else ""

    return _leave_out(run, "mixed", run.survivors("multiturn_convs", Conversation), find_fault)


def _survive_recalls(run: Run, chunks: Sequence[Chunk]) -> list[Recall]:
    """Return the recalls of the ways that the config names, without those of chunks that are gone.

    The latter are counted. Raises RunFolderError before the recall stage has ended.
    """
    if not run.config.factual_sft:
        return []
    known = {chunk.uuid for chunk in chunks}

    def find_fault(one: Recall) -> str:
        own = one.parts or (one.chunk.uuid,)
        shown = (*own, *(source.uuid for source in one.sources[1:]))
        return "" if known.issuperset(shown) else "a chunk of it is gone"

    made = run.survivors(recall.RECALLS, Recall)
    named = (one for one in made if one.way in run.config.factual_sft)
    return _leave_out(run, "mixed", named, find_fault)


def _survive_retrievals(
    run: Run, pairs: Sequence[QAPair], recalls: Sequence[Recall]
) -> list[RagItem]:
    """Return the retrievals, where they are made, without those that ask about what is gone.

    Nor does one stay that a person's edit has made of no use: a failure that holds its answer, a
    success that does not. Raises RunFolderError before their stage has ended.
    """
    if not run.config.rag_data.enabled:
        return []
    known = {pair.uuid for pair in pairs} | {one.uuid for one in recalls}

    def find_fault(item: RagItem) -> str:
        gone = any(one.uuid not in known for one in item.asked)
        return "a question of it is gone" if gone else rag.find_fault(item)

    return _leave_out(run, "retrievals", run.survivors(rag.RAG_ITEMS, RagItem), find_fault)


def _survive_corrections(run: Run, pairs: Sequence[QAPair]) -> list[Correction]:
    """Return the corrections, where they are written, without those of a pair that is gone.

    Raises RunFolderError before their stage has ended.
    """
    if not run.config.correction_pipeline.enabled:
        return []
    known = {pair.uuid for pair in pairs}

    def find_fault(one: Correction) -> str:
        return "" if one.pair.uuid in known else "its pair is gone"

    made = run.survivors(corrections.CORRECTIONS, Correction)
    return _leave_out(run, "corrections", made, find_fault)


def _leave_out(run: Run, label: str, items: Iterable[I], find_fault: Callable[[I], str]) -> list[I]:
    """Return the items without those that have a fault; both are counted under `label`."""
    kept = []
    for one in items:
        fault = find_fault(one)
        run.count(label, one.uuid, rejected=fault)
        if not fault:
            kept.append(one)
    return kept
