"""What feeds a retriever over questions: each kept question, with the text that answers it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack

from generation_functions.config import Config
from generation_functions.datasets.masked_files import name_files
from generation_functions.datasets.rows import Row
from generation_functions.records import Chunk, QAPair, Recall

FOLDER = "rag_source_data"
COMBINED = "rag_data_combined.jsonl"

OpenText = Callable[[str], AbstractContextManager[Callable[[str], None]]]


def write_rag_source(
    open_text: OpenText, pairs: Sequence[QAPair], recalls: Sequence[Recall], config: Config
) -> set[str]:
    """Write the questions of each directory, and of all; return the names of the files.

    `open_text` lends what writes a file of the run folder. A row has `question`,
    `source_text`, `source_metadata` (its source's name) and `related_chunks` (`text`, `metadata`).
    Recalls that admit not to know are left out: no text answers them.
    """
    written = {COMBINED}
    with ExitStack() as stack:
        combined = stack.enter_context(open_text(f"{FOLDER}/{COMBINED}"))
        for directory, suffix in name_files(config).items():
            rows = list(_rows(directory, pairs, recalls))
            if not rows:
                continue
            name = f"rag_data{suffix}.jsonl"
            written.add(name)
            with open_text(f"{FOLDER}/{name}") as write:
                for row in rows:
                    line = json.dumps(row, ensure_ascii=False) + "\n"
                    write(line)
                    combined(line)
    return written


def _rows(directory: str, pairs: Sequence[QAPair], recalls: Sequence[Recall]) -> Iterator[Row]:
    for pair in pairs:
        if pair.chunk.directory == directory:
            yield _row(pair.question, (pair.chunk,))
    for recall in recalls:
        if recall.chunk.directory == directory:
            for exchange in recall.exchanges:
                if not exchange.admitted:
                    yield _row(exchange.meant or exchange.question, recall.sources)


def _row(question: str, sources: Sequence[Chunk]) -> Row:
    own, *others = ({"text": chunk.text, "metadata": chunk.source} for chunk in sources)
    return {
        "question": question,
        "source_text": own["text"],
        "source_metadata": own["metadata"],
        "related_chunks": others,
    }
