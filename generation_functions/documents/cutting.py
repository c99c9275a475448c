"""From documents to chunks and what is decided about each, one document at a time.

Rules drop what is no text to learn from, then all but the first of chunks that are alike, then
what is held out for the exam, then what is not in its folder's subset. A document is forgotten
once it is cut.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from generation_functions.choosing import draw_number
from generation_functions.documents.chunking import chunk_document
from generation_functions.documents.duplicates import DuplicateFinder
from generation_functions.documents.holding import set_aside
from generation_functions.documents.rules import reject_by_rule
from generation_functions.records import Chunk, Document

NOT_IN_SUBSET = "not in the subset"


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """How the chunks of one folder are chosen; `subset` is how many go on, None all."""

    cleaned_by_hand: bool = False
    subset: int | None = None


@dataclass(frozen=True, slots=True)
class CutSettings:
    """How documents are cut (`size` and `overlap` in tokens) and their chunks chosen.

    `folders` go by a document's `directory`; one that is not there has the defaults. `held_out`
    is the share of the sections that are set aside for the exam.
    """

    size: int
    overlap: int = 0
    drop_duplicates: bool = True
    seed: int = 0
    held_out: float = 0.0
    folders: Mapping[str, FolderSettings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """A chunk, its document's path, and why it is dropped ("": it goes on).

    `kept` is the uuid of the chunk that a duplicate is like, else "".
    """

    chunk: Chunk
    path: str
    reason: str = ""
    kept: str = ""


def cut(
    documents: Iterable[Document], settings: CutSettings, count: Callable[[str], int]
) -> Iterator[Decision]:
    """Yield a decision for every chunk of `documents`, which come folder by folder.

    In memory are one document, what `DuplicateFinder` remembers, and of a folder with a
    subset the chosen chunks: they are given out, in their order, when the folder is through.
    """
    finder = DuplicateFinder() if settings.drop_duplicates else None
    subset: _Subset | None = None
    directory: str | None = None
    for document in documents:
        if document.directory != directory:
            if subset:
                yield from subset.close()
            directory = document.directory
            folder = settings.folders.get(directory, FolderSettings())
            subset = None if folder.subset is None else _Subset(folder.subset, settings.seed)
        for decision in _judge(document, settings, folder, finder, count):
            if subset and not decision.reason:
                yield from subset.add(decision)
            else:
                yield decision
    if subset:
        yield from subset.close()


def _judge(
    document: Document,
    settings: CutSettings,
    folder: FolderSettings,
    finder: DuplicateFinder | None,
    count: Callable[[str], int],
) -> Iterator[Decision]:
    """Yield what rules, duplicates and the exam say of a document's chunks."""
    chunks = chunk_document(document, settings.size, count, settings.overlap, document.pages)
    aside = set_aside(chunks, settings.held_out, settings.seed)
    for chunk in chunks:
        if not folder.cleaned_by_hand and (reason := reject_by_rule(chunk)):
            yield Decision(chunk, document.path, reason)
        elif finder and (found := finder.add(chunk.uuid, chunk.text)):
            yield Decision(chunk, document.path, found.reason, found.kept)
        else:
            yield Decision(chunk, document.path, aside.get(chunk.uuid, ""))


class _Subset:
    """The `size` chunks with the lowest seeded hash, so that one more displaces at most one."""

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._seed = seed
        self._added = 0
        self._chosen: list[tuple[int, int, Decision]] = []  # a heap, the highest hash first

    def add(self, decision: Decision) -> Iterator[Decision]:
        """Take a chunk in, and yield the one that has no place any more."""
        rank = draw_number(self._seed, decision.chunk.uuid)
        self._added += 1
        entry = (-rank, self._added, decision)
        if len(self._chosen) < self._size:
            heapq.heappush(self._chosen, entry)
        else:
            yield replace(heapq.heappushpop(self._chosen, entry)[2], reason=NOT_IN_SUBSET)

    def close(self) -> Iterator[Decision]:
        """Yield the chosen chunks in the order in which they came."""
        for _, _, decision in sorted(self._chosen, key=lambda entry: entry[1]):
            yield decision
