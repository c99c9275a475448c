"""The stages of a run, in order. The notebooks and the command line call these."""

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from generation_functions.choosing import rank
from generation_functions.config import Config
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.documents.chunking import chunk_document
from generation_functions.documents.duplicates import Duplicate, DuplicateFinder
from generation_functions.documents.reading import read_documents
from generation_functions.documents.rules import reject_by_rule
from generation_functions.engine.tokens import VocabularyCounter
from generation_functions.pipelines import characters, conversations, questions
from generation_functions.pipelines.orders import choose_orders, make_info
from generation_functions.records import (
    Chunk,
    Conversation,
    ConversationInfo,
    Document,
    QAPair,
    to_json,
)
from generation_functions.session import open_counter
from generation_functions.special_instructions import read_traits
from generation_functions.steps.run import Run

QUESTION_STEPS = (
    questions.JUDGE_CHUNK,
    questions.WRITE_QUESTIONS,
    questions.CHECK_QUESTION,
    questions.CHECK_ANSWER_RELEVANCE,
    questions.CHECK_ANSWER_ACCURACY,
    questions.REVISE_PAIR,
)
CHARACTER_STEPS = (
    characters.PLAN_CHARACTER,
    characters.WRITE_CHARACTER,
    characters.PLAN_SCENE,
    characters.WRITE_SCENE,
)
CONVERSATION_STEPS = (
    conversations.WRITE_CONVERSATION,
    conversations.WRITE_SCENE_CONVERSATION,
    conversations.REWRITE_CONVERSATION,
)


@dataclass(frozen=True, slots=True)
class Cut:
    """The documents of a run, their chunks, and the chunks dropped, each with its reason.

    `duplicates` point from a dropped chunk to the one that was kept.
    """

    documents: tuple[Document, ...]
    chunks: tuple[Chunk, ...]
    dropped: tuple[tuple[Chunk, str], ...]
    duplicates: tuple[Duplicate, ...] = ()


def cut_documents(run: Run) -> Cut:
    """Read the run's documents and cut them; the same input gives the same chunks.

    Rules drop what is no text to learn from, then all but the first of chunks that are
    alike, then what is not in its folder's subset. Raises InputError.
    """
    config = run.config
    folders = config.path.input_dirs
    documents = read_documents([Path(one.path) for one in folders], [one.name for one in folders])
    count = open_counter(config)
    size, overlap = config.system.chunk_size, config.system.chunk_overlap
    try:
        chunks = [
            chunk
            for document in documents
            for chunk in chunk_document(document, size, count, overlap, document.pages)
        ]
    finally:
        if isinstance(count, VocabularyCounter):
            count.close()
    by_hand = {one.name for one in folders if one.cleaned_by_hand}
    reasons = {
        chunk.uuid: reason
        for chunk in chunks
        if chunk.directory not in by_hand and (reason := reject_by_rule(chunk))
    }
    good = [chunk for chunk in chunks if chunk.uuid not in reasons]
    duplicates = find_duplicates(good) if config.system.drop_duplicates else []
    reasons |= {duplicate.uuid: duplicate.reason for duplicate in duplicates}
    good = [chunk for chunk in good if chunk.uuid not in reasons]
    good = _choose_subsets(good, config)
    chosen = {chunk.uuid for chunk in good}
    dropped = tuple(
        (chunk, reasons.get(chunk.uuid, "not in the subset"))
        for chunk in chunks
        if chunk.uuid not in chosen
    )
    return Cut(tuple(documents), tuple(good), dropped, tuple(duplicates))


def find_duplicates(chunks: Iterable[Chunk]) -> list[Duplicate]:
    """Return which of the chunks are like an earlier one."""
    finder = DuplicateFinder()
    return [found for chunk in chunks if (found := finder.add(chunk.uuid, chunk.text))]


def _choose_subsets(chunks: Sequence[Chunk], config: Config) -> list[Chunk]:
    """Return the chunks of the subset of each folder that has one, and all of the others."""
    general = config.system
    chosen = []
    for folder in config.path.input_dirs:
        own = [chunk for chunk in chunks if chunk.directory == folder.name]
        if general.use_subset if folder.use_subset is None else folder.use_subset:
            own = choose_subset(own, folder.subset_size or general.subset_size, general.seed)
        chosen += own
    return chosen


def choose_subset(chunks: Sequence[Chunk], size: int, seed: int) -> list[Chunk]:
    """Return `size` chunks, in their order, chosen by a seeded hash of their uuids."""
    chosen = set(rank((chunk.uuid for chunk in chunks), seed)[:size])
    return [chunk for chunk in chunks if chunk.uuid in chosen]


async def documents(run: Run, limit: int | None = None) -> Cut:
    """Read and cut the documents; write their cleaned texts and which chunks are duplicates."""
    async with run.stage("documents", limit):
        cut = cut_documents(run)
        for document in cut.documents:
            run.write_text(f"documents/{document.uuid}.txt", document.text)
        for chunk in cut.chunks:
            run.count("documents", chunk.uuid)
        for chunk, reason in cut.dropped:
            run.count("documents", chunk.uuid, rejected=reason)
        lines = (json.dumps(to_json(one)) + "\n" for one in cut.duplicates)
        run.write_text("duplicates.jsonl", "".join(lines))
    return cut


async def write_questions(run: Run, limit: int | None = None) -> list[tuple[QAPair, ...]]:
    """Judge the chunks, write question-answer pairs and vet them, with the small model."""
    async with run.stage("questions", limit):
        run.load_prompts(*QUESTION_STEPS)
        run.open_survivors("worthy_for_questions", "qatuples_raw", "qatuples_revised")
        chunks = cut_documents(run).chunks[:limit]
        return await run.map(partial(questions.ask_about_chunk, run), chunks, "chunks")


async def write_characters(run: Run, limit: int | None = None) -> list[ConversationInfo]:
    """Choose the orders of each chunk's pairs; write who talks about them, with the small model.

    In assistant mode nobody is written, and no model is asked.
    """
    settings = run.config.conversations
    async with run.stage("characters", limit):
        traits = read_traits(settings.traits)
        if not settings.assistant_mode:
            run.load_prompts(*CHARACTER_STEPS)
        run.open_survivors("multiturn_convs_info")
        pairs = run.survivors("qatuples_revised", QAPair)
        infos = list(group_pairs(pairs, settings.rearrangements_to_take, run.config.system.seed))
        return await run.map(partial(characters.prepare, run, traits), infos, "characters")


async def write_conversations(run: Run, limit: int | None = None) -> list[Conversation]:
    """Write the conversations that the characters' stage prepared, with the large model."""
    async with run.stage("conversations", limit):
        run.load_prompts(*CONVERSATION_STEPS)
        run.open_survivors("multiturn_convs")
        infos = run.survivors("multiturn_convs_info", ConversationInfo)
        infos.sort(key=lambda info: (*_chunk_place(info.chunk), info.uuid))
        return await run.map(partial(conversations.converse, run), infos, "conversations")


def group_pairs(pairs: Sequence[QAPair], take: int, seed: int) -> Iterator[ConversationInfo]:
    """Yield `take` orders (or all) of each chunk's pairs, in the order of the documents."""
    for _, group in groupby(sorted(pairs, key=_pair_place), key=lambda pair: pair.chunk.uuid):
        for order in choose_orders(list(group), take, seed):
            yield make_info(order)


async def mix(run: Run, limit: int | None = None) -> Material:
    """Write the datasets and the trainer's configs from what survived."""
    async with run.stage("mix", limit):
        material = Material(
            chunks=run.survivors("worthy_for_questions", Chunk),
            pairs=run.survivors("qatuples_revised", QAPair),
            conversations=run.survivors("multiturn_convs", Conversation),
        )
        count = open_counter(run.config)
        try:
            write_datasets(run.folder, material, run.config, count)
        finally:
            if isinstance(count, VocabularyCounter):
                count.close()
    return material


STAGES: dict[str, Callable[[Run, int | None], Awaitable[object]]] = {
    "documents": documents,
    "questions": write_questions,
    "characters": write_characters,
    "conversations": write_conversations,
    "mix": mix,
}


def _pair_place(pair: QAPair) -> tuple[str, str, int, str, tuple[int, ...], str]:
    return (*_chunk_place(pair.chunk), pair.sentences, pair.uuid)


def _chunk_place(chunk: Chunk) -> tuple[str, str, int, str]:
    return (chunk.directory, chunk.source, chunk.start, chunk.uuid)
