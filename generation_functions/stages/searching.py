"""What finds chunks for the stages `recall` and `rag`: by words, by vectors, or by both."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from generation_functions.documents.retrieval import ChunkIndex, Retriever
from generation_functions.documents.vector_index import FusedIndex, VectorIndex
from generation_functions.pipelines.questions import WORTHY
from generation_functions.records import Chunk
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors
from generation_functions.steps.vectors import VectorFile, embed_texts, open_vectors


@dataclass(frozen=True, slots=True)
class Search:
    """What finds chunks, and the vectors that it compares, if it compares any."""

    retriever: Retriever
    vectors: VectorFile | None = None


async def open_search(run: Run, words: ChunkIndex, uuids: Collection[str]) -> Search:
    """Return what finds the worthy chunks in `uuids`, as `system.retriever` says.

    Vectors are made of the chunks as a person left them; those of an earlier pass are kept.
    """
    retriever, model = run.config.system.retriever, run.config.models.embedding
    if retriever == "bm25":
        return Search(words)
    there: list[str] = []

    def list_texts() -> Iterator[str]:
        for uuid in words.uuids:
            if uuid in uuids:
                for chunk in read_survivors(run.folder / WORTHY, [uuid], Chunk):
                    there.append(uuid)
                    yield model.text_prefix + chunk.text

    vectors = open_vectors(run)
    rows = await embed_texts(run, vectors, list_texts(), "chunks")
    by_chunk = dict(zip(there, rows, strict=True))
    index = VectorIndex(words, by_chunk, vectors, model.question_prefix)
    return Search(index if retriever == "embedding" else FusedIndex(words, index), vectors)


async def prepare(run: Run, search: Search, questions: Iterable[str]) -> None:
    """Make the vectors of the questions that a search will be asked."""
    if search.vectors:
        prefix = run.config.models.embedding.question_prefix
        texts = (prefix + question for question in questions)
        await embed_texts(run, search.vectors, texts, "questions")
