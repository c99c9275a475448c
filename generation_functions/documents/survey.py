"""What became of a run's documents, as much of it as a person looks at; not their texts."""

import re
from array import array
from collections import defaultdict
from dataclasses import dataclass, field

from generation_functions.documents.cutting import NOT_IN_SUBSET, Decision
from generation_functions.documents.duplicates import NEAR_DUPLICATE
from generation_functions.records import Chunk, Document

EXAMPLES = 10  # of each reason, and of the chunks that go on
PAIRS = 20
REMEMBERED = 20_000_000  # characters of chunks among which the other half of a pair is found

_LINE_OF_FILE = re.compile(r"(.*\.jsonl)#[0-9a-f]{12}(?:-\d+)?", re.I | re.S)


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One file that was read: its chunks, and their words and tokens, those dropped included.

    `pages` is 0 where a format has none. The documents of a .jsonl file are one line.
    """

    directory: str
    path: str
    pages: int
    words: int
    tokens: int
    chunks: int
    language: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many chunks were dropped for a reason, and the first of them."""

    count: int
    examples: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """A line for each file, and examples of what was decided about the chunks.

    `lengths` are the tokens of every chunk, by directory; `dropped` goes by reason; `kept`
    are the first chunks that go on, `going_on` is their number. `pairs` are chunks dropped
    as near-duplicates, each with the one that was kept, as far as the two lie within
    REMEMBERED characters of each other. `unreadable` are files and lines
    left out, each with its reason.
    """

    documents: tuple[DocumentLine, ...] = ()
    lengths: dict[str, list[int]] = field(default_factory=dict)
    dropped: dict[str, Dropped] = field(default_factory=dict)
    pairs: list[tuple[Chunk, Chunk]] = field(default_factory=list)
    unreadable: tuple[str, ...] = ()
    kept: tuple[Chunk, ...] = ()
    going_on: int = 0


@dataclass(slots=True)
class _Line:
    pages: int = 0
    words: int = 0
    tokens: int = 0
    chunks: int = 0
    language: str = ""
    warnings: tuple[str, ...] = ()


class SurveyMaker:
    """Makes a survey of documents and decisions that pass by one at a time."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], _Line] = defaultdict(_Line)
        self._lengths: dict[str, array[int]] = defaultdict(lambda: array("I"))
        self._counts: dict[str, int] = defaultdict(int)
        self._examples: dict[str, list[Chunk]] = defaultdict(list)
        self._pairs: list[tuple[Chunk, Chunk]] = []
        self._remembered: dict[str, Chunk] = {}
        self._characters = 0
        self._awaited: dict[str, Chunk] = {}

    def add_document(self, document: Document) -> None:
        """Note a document, before its chunks."""
        line = self._lines[document.directory, file_of(document.path)]
        line.pages += len(document.pages)
        line.language = line.language or document.language or ""
        line.warnings = tuple(dict.fromkeys((*line.warnings, *document.warnings)))

    def add(self, decision: Decision) -> None:
        """Note a chunk and what was decided about it."""
        chunk = decision.chunk
        line = self._lines[chunk.directory, file_of(decision.path)]
        line.words += len(chunk.text[chunk.overlap :].split())
        line.tokens += chunk.tokens
        line.chunks += 1
        line.language = line.language or chunk.language
        self._lengths[chunk.directory].append(chunk.tokens)
        self._counts[decision.reason] += 1
        if len(self._examples[decision.reason]) < EXAMPLES:
            self._examples[decision.reason].append(chunk)
        if len(self._pairs) < PAIRS:
            self._pair(decision)

    def finish(self, unreadable: tuple[str, ...] = ()) -> Survey:
        """Return the survey of what was added."""
        return Survey(
            documents=tuple(
                DocumentLine(
                    directory,
                    path,
                    line.pages,
                    line.words,
                    line.tokens,
                    line.chunks,
                    line.language,
                    line.warnings,
                )
                for (directory, path), line in self._lines.items()
            ),
            lengths={directory: list(tokens) for directory, tokens in self._lengths.items()},
            dropped={
                reason: Dropped(self._counts[reason], tuple(examples))
                for reason, examples in self._examples.items()
                if reason
            },
            pairs=list(self._pairs),
            unreadable=unreadable,
            kept=tuple(self._examples.get("", ())),
            going_on=self._counts.get("", 0),
        )

    def _pair(self, decision: Decision) -> None:
        """Find the other half of a pair, which comes later where its folder has a subset."""
        chunk = decision.chunk
        if decision.reason == NEAR_DUPLICATE:
            if decision.kept in self._remembered:
                self._pairs.append((chunk, self._remembered[decision.kept]))
            elif len(self._awaited) < PAIRS:
                self._awaited[decision.kept] = chunk
        elif chunk.uuid in self._awaited:
            self._pairs.append((self._awaited.pop(chunk.uuid), chunk))
        if len(self._pairs) == PAIRS:
            self._remembered.clear()
            return
        if decision.reason not in ("", NOT_IN_SUBSET):
            return
        self._remembered[chunk.uuid] = chunk
        self._characters += len(chunk.text)
        while self._characters > REMEMBERED:
            oldest = self._remembered.pop(next(iter(self._remembered)))
            self._characters -= len(oldest.text)


def file_of(path: str) -> str:
    """Return the file that a document's path names; a .jsonl file has many documents."""
    line = _LINE_OF_FILE.fullmatch(path)
    return line[1] if line else path
