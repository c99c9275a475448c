"""The stages of a run, in order. The notebooks and the command line call these."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.documents.chunking import chunk_document
from generation_functions.documents.reading import read_documents
from generation_functions.documents.rules import reject_by_rule
from generation_functions.engine.tokens import VocabularyCounter
from generation_functions.pipelines import conversations, questions
from generation_functions.records import Chunk, Conversation, Document, QAPair
from generation_functions.session import open_counter
from generation_functions.steps.run import Run

QUESTION_STEPS = (
    questions.JUDGE_CHUNK,
    questions.WRITE_QUESTIONS,
    questions.CHECK_QUESTION,
    questions.CHECK_ANSWER_RELEVANCE,
    questions.CHECK_ANSWER_ACCURACY,
    questions.REVISE_PAIR,
)
CONVERSATION_STEPS = (conversations.WRITE_CONVERSATION,)


@dataclass(frozen=True, slots=True)
class Cut:
    """The documents of a run, their chunks, and the chunks dropped by rules or by the subset."""

    documents: tuple[Document, ...]
    chunks: tuple[Chunk, ...]
    dropped: tuple[tuple[Chunk, str], ...]


def cut_documents(run: Run) -> Cut:
    """Read the run's documents and cut them; the same input gives the same chunks.

    With `use_subset`, `subset_size` chunks are chosen by a hash of seed and content, so
    that adding a document changes as little as possible. Raises InputError.
    """
    config = run.config
    folders = config.path.input_dirs
    documents = read_documents([Path(one.path) for one in folders], [one.name for one in folders])
    count = open_counter(config)
    try:
        chunks = [
            chunk
            for document in documents
            for chunk in chunk_document(document, config.system.chunk_size, count)
        ]
    finally:
        if isinstance(count, VocabularyCounter):
            count.close()
    judged = [(chunk, reject_by_rule(chunk)) for chunk in chunks]
    good = [chunk for chunk, reason in judged if reason is None]
    if config.system.use_subset:
        good = choose_subset(good, config.system.subset_size, config.system.seed)
    chosen = {chunk.uuid for chunk in good}
    dropped = tuple(
        (chunk, reason or "not in the subset")
        for chunk, reason in judged
        if chunk.uuid not in chosen
    )
    return Cut(tuple(documents), tuple(good), dropped)


def choose_subset(chunks: Sequence[Chunk], size: int, seed: int) -> list[Chunk]:
    """Return `size` chunks, in their order, chosen by a seeded hash of their uuids."""

    def rank(chunk: Chunk) -> str:
        return hashlib.sha256(f"{seed}\x1f{chunk.uuid}".encode()).hexdigest()

    chosen = {chunk.uuid for chunk in sorted(chunks, key=rank)[:size]}
    return [chunk for chunk in chunks if chunk.uuid in chosen]


async def documents(run: Run, limit: int | None = None) -> Cut:
    """Read and cut the documents; write each one's cleaned text to documents/."""
    async with run.stage("documents", limit):
        cut = cut_documents(run)
        for document in cut.documents:
            run.write_text(f"documents/{document.uuid}.txt", document.text)
        for chunk in cut.chunks:
            run.count("documents", chunk.uuid)
        for chunk, reason in cut.dropped:
            run.count("documents", chunk.uuid, rejected=reason)
    return cut


async def write_questions(run: Run, limit: int | None = None) -> list[tuple[QAPair, ...]]:
    """Judge the chunks, write question-answer pairs and vet them, with the small model."""
    async with run.stage("questions", limit):
        run.load_prompts(*QUESTION_STEPS)
        run.open_survivors("worthy_for_questions", "qatuples_raw", "qatuples_revised")
        chunks = cut_documents(run).chunks[:limit]
        return await run.map(partial(questions.ask_about_chunk, run), chunks, "chunks")


async def write_conversations(run: Run, limit: int | None = None) -> list[Conversation]:
    """Write a conversation from each chunk's pairs, with the large model."""
    async with run.stage("conversations", limit):
        run.load_prompts(*CONVERSATION_STEPS)
        run.open_survivors("multiturn_convs")
        requests = list(group_pairs(run.survivors("qatuples_revised", QAPair)))
        return await run.map(partial(conversations.converse, run), requests, "conversations")


def group_pairs(pairs: Sequence[QAPair]) -> Iterator[conversations.ConversationRequest]:
    """Yield a request for each chunk's pairs, in the order of the documents."""
    for _, group in groupby(sorted(pairs, key=_pair_place), key=lambda pair: pair.chunk.uuid):
        members = tuple(group)
        yield conversations.ConversationRequest(members, members[0].chunk)


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
    "conversations": write_conversations,
    "mix": mix,
}


def _pair_place(pair: QAPair) -> tuple[str, str, int, str, tuple[int, ...], str]:
    chunk = pair.chunk
    return (chunk.directory, chunk.source, chunk.start, chunk.uuid, pair.sentences, pair.uuid)
