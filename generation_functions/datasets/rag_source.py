"""What feeds a retriever over questions: each kept question, with the text that answers it."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import chain

from generation_functions.config import Config
from generation_functions.datasets.masked_files import name_files
from generation_functions.datasets.ordered import Items, order
from generation_functions.datasets.rows import Row
from generation_functions.records import Chunk, QAPair, Recall

FOLDER = "rag_source_data"
COMBINED = "rag_data_combined.jsonl"

OpenText = Callable[[str], AbstractContextManager[Callable[[str], None]]]


def write_rag_source(
    open_text: OpenText, pairs: Items[QAPair], recalls: Items[Recall], config: Config
) -> set[str]:
    """Write the questions of each directory, and of all; return the names of the files.

    `open_text` lends what writes a file of the run folder. A row has `question`,
    `source_text`, `source_metadata` (its source's name) and `related_chunks` (`text`, `metadata`).
    Recalls that admit not to know are left out: no text answers them.
    """
    written = {COMBINED}
    asked, recalled = order(pairs), order(recalls)
    with ExitStack() as stack:
        combined = stack.enter_context(open_text(f"{FOLDER}/{COMBINED}"))
        for directory, suffix in name_files(config).items():
            rows = _rows(asked.of(directory), recalled.of(directory))
            first = next(rows, None)
            if first is None:
                continue
            name = f"rag_data{suffix}.jsonl"
            written.add(name)
            with open_text(f"{FOLDER}/{name}") as write:
                for row in chain([first], rows):
                    line = json.dumps(row, ensure_ascii=False) + "\n"
                    write(line)
                    combined(line)
    return written


def _rows(pairs: Iterable[QAPair], recalls: Iterable[Recall]) -> Iterator[Row]:
    for pair in pairs:
        yield _row(pair.question, (pair.chunk,))
    for recall in recalls:
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
