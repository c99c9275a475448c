"""Whether a context that is to fail holds its answer, over all texts of a folder.

    python -m benchmarks.failed_contexts FOLDER [--chunk-tokens 500]

No model is used: every sentence is an answer, and every two that follow each other, the first half
of it what is asked for. Each is retrieved once for each kind of failure, by the functions of a run,
and what is shown is searched by other means: for any twelve of the answer's words in a row, and for
each of its figures. Exit status 1 if anything is found.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from generation_functions.documents.chunking import chunk_document
from generation_functions.documents.reading import read_folders
from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.documents.sentences import number_sentences
from generation_functions.masked import FAILURES, NOTHING, Evidence, Grounded, RagItem
from generation_functions.masked_sections import RagData
from generation_functions.pipelines.rag import find_fault
from generation_functions.pipelines.retrieving import Library, RagPlan, retrieve
from generation_functions.records import Chunk, make_uuid

IN_A_ROW = 12  # words of an answer that no context may have
_FIGURE = re.compile(r"\d+(?:[.,·]\d+)*")


def ask_all(chunk: Chunk) -> Iterator[Grounded]:
    """Yield a question for each sentence of a chunk, and for each two that follow each other."""
    sentences = [" ".join(one.split()) for one in number_sentences(chunk.text, chunk.language)]
    for place, sentence in enumerate(sentences):
        for told in dict.fromkeys((sentence, " ".join(sentences[place : place + 2]))):
            words = told.split()
            if len(words) >= IN_A_ROW:
                question = " ".join(words[: len(words) // 2])
                evidence = (Evidence(chunk.uuid, told),)
                yield Grounded(make_uuid(chunk.uuid, told), f"{question} ...?", told, evidence)


def find_answer(asked: Grounded, text: str) -> str:
    """Return in what way a text has an answer, "" where it does not."""
    answer, known = _plain(asked.answer), f" {' '.join(_plain(text))} "
    figures = set(_FIGURE.findall(asked.answer))
    if figures & set(_FIGURE.findall(text)):
        return "a figure"
    rows = (answer[place : place + IN_A_ROW] for place in range(len(answer) - IN_A_ROW + 1))
    return "words in a row" if any(f" {' '.join(row)} " in known for row in rows) else ""


def measure(folder: Path, tokens: int) -> Iterator[tuple[RagItem, str]]:
    """Yield each retrieval that is to fail, and in what way it has the answer."""
    documents = read_folders([folder]).documents
    chunks = [one for document in documents for one in chunk_document(document, tokens, _count)]
    known = {chunk.uuid: chunk for chunk in chunks}
    directories = {chunk.uuid: chunk.directory for chunk in chunks}
    library = Library(ChunkIndex(chunks), directories, known.get)
    for chunk in chunks:
        for asked in ask_all(chunk):
            for kind in FAILURES:
                plan = RagPlan(make_uuid(asked.uuid, kind), chunk, (asked,), kind)
                item = retrieve(library, plan, RagData(enabled=True, rag_max_chunks=6), 1)
                if not find_fault(item):
                    found = (find_answer(asked, one.text) for one in item.shown)
                    yield item, next(filter(None, found), "")


def _count(text: str) -> int:
    return len(text) // 4


def _plain(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--chunk-tokens", type=int, default=500)
    given = parser.parse_args()
    made, shown, bad = Counter[str](), 0, []
    for item, found in measure(given.folder, given.chunk_tokens):
        made[item.kind] += 1
        shown += len(item.shown)
        if found:
            bad.append((found, item))
    print(dict(made), f"{sum(made.values())} retrievals that fail, {shown} chunks shown,")
    print(f"{len(bad)} of them with the answer: {dict(Counter(found for found, _ in bad))}")
    for found, item in bad[:10]:
        print(f"- {found}, {item.kind}: {item.asked[0].answer}")
        print(*(f"    {one.text}" for one in item.shown), sep="\n")
    sys.exit(bool(bad) or not sum(made[kind] for kind in FAILURES if kind != NOTHING))


if __name__ == "__main__":
    main()
