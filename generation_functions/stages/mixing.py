"""The stage `mix`: datasets and the trainer's configs from what survived."""

import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import TypeVar

from generation_functions.card.describe import describe
from generation_functions.card.gather import CARD, gather_facts
from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.generic_sources import prepare_generic
from generation_functions.datasets.manifest import Manifest
from generation_functions.datasets.mask_check import check_ends
from generation_functions.datasets.masked_rows import make_rag_format
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.datasets.rag_source import FOLDER, write_rag_source
from generation_functions.masked import Correction, RagItem
from generation_functions.pipelines import corrections, rag, recall, variations
from generation_functions.pipelines.questions import REVISED, WORTHY
from generation_functions.records import Chunk, Conversation, QAPair, Recall
from generation_functions.stages.own import take_made
from generation_functions.stages.taking import TokenCount, open_training_counter
from generation_functions.steps.run import Run
from generation_functions.steps.step import Item
from generation_functions.steps.survivors import StoredSurvivors

_AFTER = ("exam", "meta")
_log = logging.getLogger(__name__)
I = TypeVar("I", bound=Item)


async def mix(run: Run, limit: int | None = None) -> Material:
    """Write the datasets and the trainer's configs from what survived.

    Generic datasets are found, or fetched, before anything else. Raises InputError where they
    cannot be had, and RunFolderError before a stage that is on has ended.
    """
    generic = prepare_generic(run.config)
    async with run.stage("mix", limit):
        pairs = run.stored(REVISED, QAPair)
        chunks = run.stored(WORTHY, Chunk)
        sheets, told = variations.take_told(run, chunks.uuids)
        recalls = _survive_recalls(run, chunks.uuids)
        material = Material(
            chunks=chunks,
            pairs=pairs,
            conversations=_survive(run, pairs.uuids),
            sheets=sheets,
            variations=told.read,
            recalls=recalls,
            retrievals=_survive_retrievals(run, {*pairs.uuids, *recalls.uuids}),
            corrections=_survive_corrections(run, pairs.uuids),
            made=take_made(run),
            generic=generic,
        )
        with open_training_counter(run.config) as counter:
            _warn_of_ends(counter)
            cards = partial(_write_cards, run)
            write_datasets(run.folder, material, counter.config, counter.count, run.count, cards)
        if run.config.rag_data.enabled:
            names = write_rag_source(run.open_text, pairs, material.recalls, run.config)
            run.set_aside(FOLDER, names)
    return material


def _warn_of_ends(counter: TokenCount) -> None:
    """Say where BOS or EOS, which rows of segments hold, are not those of the model to be trained.

    Nobody would see it before the trained model does not stop.
    """
    config = counter.config
    if counter.tokenizer and (config.rag_data.enabled or config.correction_pipeline.enabled):
        for said in check_ends(make_rag_format(config), counter.tokenizer):
            _log.warning("%s", said)


def _write_cards(run: Run, manifest: Manifest) -> tuple[str, str]:
    """Write the run's dataset card; return those of its two training folders.

    What stages after this one found out about earlier datasets says nothing about these.
    """
    status = {name: part for name, part in run.status().items() if name not in _AFTER}
    facts = gather_facts(run.folder, run.config, status, manifest, running="mix")
    run.write_text(CARD, describe(facts))
    return describe(facts, PRETRAINING_FOLDER), describe(facts, SFT_FOLDER)


def _survive(run: Run, pairs: Iterable[str]) -> StoredSurvivors[Conversation]:
    """Return the conversations without those about a pair that is gone, which are counted."""
    known, folder = set(pairs), "multiturn_convs"
    alone = run.config.rag_data.enabled or run.config.correction_pipeline.enabled
    if alone and not run.has(folder):
        return _none(run, folder, Conversation)

    def find_fault(one: Conversation) -> str:
        gone = any(pair.uuid not in known for pair in one.pairs)
        return "a pair of it is gone" if gone else ""

    return _leave_out(run, "mixed", run.stored(folder, Conversation), find_fault)


def _survive_recalls(run: Run, chunks: Iterable[str]) -> StoredSurvivors[Recall]:
    """Return the recalls of the ways that the config names, without those of chunks that are gone.

    The latter are counted. Raises RunFolderError before the recall stage has ended.
    """
    if not run.config.factual_sft:
        return _none(run, recall.RECALLS, Recall)
    known = set(chunks)

    def find_fault(one: Recall) -> str:
        own = one.parts or (one.chunk.uuid,)
        shown = (*own, *(source.uuid for source in one.sources[1:]))
        return "" if known.issuperset(shown) else "a chunk of it is gone"

    def is_named(one: Recall) -> bool:
        return one.way in run.config.factual_sft

    return _leave_out(run, "mixed", run.stored(recall.RECALLS, Recall), find_fault, is_named)


def _survive_retrievals(run: Run, known: Collection[str]) -> StoredSurvivors[RagItem]:
    """Return the retrievals, where they are made, without those that ask about what is gone.

    `known` are the pairs and recalls that are left. Nor does one stay that a person's edit has made
    of no use: a failure that holds its answer, a success that does not. Raises RunFolderError
    before their stage has ended.
    """
    if not run.config.rag_data.enabled:
        return _none(run, rag.RAG_ITEMS, RagItem)

    def find_fault(item: RagItem) -> str:
        gone = any(one.uuid not in known for one in item.asked)
        return "a question of it is gone" if gone else rag.find_fault(item)

    return _leave_out(run, "retrievals", run.stored(rag.RAG_ITEMS, RagItem), find_fault)


def _survive_corrections(run: Run, pairs: Iterable[str]) -> StoredSurvivors[Correction]:
    """Return the corrections, where they are written, without those of a pair that is gone.

    Raises RunFolderError before their stage has ended.
    """
    if not run.config.correction_pipeline.enabled:
        return _none(run, corrections.CORRECTIONS, Correction)
    known = set(pairs)

    def find_fault(one: Correction) -> str:
        return "" if one.pair.uuid in known else "its pair is gone"

    made = run.stored(corrections.CORRECTIONS, Correction)
    return _leave_out(run, "corrections", made, find_fault)


def _none(run: Run, folder: str, kind: type[I]) -> StoredSurvivors[I]:
    return StoredSurvivors(run.folder / folder, (), kind)


def _leave_out(
    run: Run,
    label: str,
    items: StoredSurvivors[I],
    find_fault: Callable[[I], str],
    is_meant: Callable[[I], bool] = lambda item: True,
) -> StoredSurvivors[I]:
    """Return the items that are meant, without those that have a fault.

    Both of these are counted under `label`.
    """
    kept = []
    for item in filter(is_meant, items):
        fault = find_fault(item)
        run.count(label, item.uuid, rejected=fault)
        if not fault:
            kept.append(item.uuid)
    return items.only(kept)
