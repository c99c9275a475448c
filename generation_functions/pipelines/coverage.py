"""What has been made of each document: which characters have facts, variations, questions, or
nothing."""

import json
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from generation_functions.documents.holding import SET_ASIDE
from generation_functions.documents.languages import guess_language
from generation_functions.documents.layout import Span
from generation_functions.pipelines.passages import (
    Covered,
    Passage,
    locate_chunk,
    locate_facts,
    locate_pair,
    locate_recall,
    merge,
    subtract,
)
from generation_functions.pipelines.question_steps import JUDGE_CHUNK
from generation_functions.pipelines.questions import REVISED, WORTHY
from generation_functions.pipelines.recall import RECALLS
from generation_functions.pipelines.variations import FACTS as SHEETS
from generation_functions.pipelines.variations import VARIATIONS as TOLD
from generation_functions.records import (
    Chunk,
    Document,
    FactSheet,
    QAPair,
    Recall,
    Variation,
    from_json,
)
from generation_functions.steps.files import read_json
from generation_functions.steps.step import Item
from generation_functions.steps.survivors import read_live, read_survivors

T = TypeVar("T", bound=Item)
L = TypeVar("L")

DOCUMENTS = "documents.jsonl"  # a line for each document, without its text
CHUNKS = "chunks.jsonl"  # a line for each chunk: where it stands, and why it is dropped
FACTS, VARIATIONS, QUESTIONS = "facts", "variations", "questions"
NOTHING, UNWORTHY, UNREAD, FOR_EXAM = "nothing", "not worthy", "not judged", "held out"
KINDS = (FACTS, VARIATIONS, QUESTIONS, NOTHING, UNWORTHY, UNREAD, FOR_EXAM)
_STATES = {"kept": NOTHING, "rejected": UNWORTHY, "failed": UNWORTHY}  # by a judgement's outcome


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which ranges of a document's cleaned text, `length` characters, are of each of KINDS.

    Facts and questions have the sentences that they rest on, variations their whole piece. Of
    these three ranges may overlap. What has none of them is: worthy text, of which there is
    nothing; text that a rule or a model found not worthy; text that no pass has judged; text that
    is held out for the exam.
    """

    document: str
    source: str
    length: int
    ranges: Mapping[str, tuple[Span, ...]]

    def share(self, kind: str) -> float:
        """Return the share of the characters that are of a kind."""
        ranges = self.ranges.get(kind, ())
        return sum(end - start for start, end in ranges) / self.length if self.length else 0.0


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document in DOCUMENTS; `length` in characters.

    `language` is as the document states it, else guessed; `licence` is as stated, "" if it is not.
    """

    uuid: str
    directory: str
    path: str
    source: str
    length: int
    language: str = ""
    licence: str = ""

    @classmethod
    def of(cls, document: Document) -> "DocumentEntry":
        """Return the line of a document."""
        return cls(
            document.uuid,
            document.directory,
            document.path,
            document.source,
            len(document.text),
            document.language or guess_language(document.text),
            document.licence or "",
        )


@dataclass(frozen=True, slots=True)
class ChunkEntry:
    """A chunk in CHUNKS: where it stands in its document, and why it is dropped ("": it is not)."""

    uuid: str
    document: str
    start: int
    end: int
    reason: str

    @classmethod
    def of(cls, chunk: Chunk, reason: str) -> "ChunkEntry":
        """Return the line of a chunk."""
        return cls(chunk.uuid, chunk.document, chunk.start, chunk.end, reason)


def read_documents(folder: Path) -> Iterator[DocumentEntry]:
    """Yield the documents of a run folder, in order; none before the documents stage."""
    return _read_lines(folder / DOCUMENTS, DocumentEntry)


def read_chunks(folder: Path) -> Iterator[ChunkEntry]:
    """Yield the chunks of a run folder, in order, dropped ones too; none before that stage."""
    return _read_lines(folder / CHUNKS, ChunkEntry)


def read_coverage(folder: Path) -> list[Coverage]:
    """Return what a run folder has made of each document, in the order of the documents.

    Counted is what the last pass of each stage kept and no person deleted. Before the documents
    stage has ended there is nothing.
    """
    variations = _read(folder, TOLD, Variation)
    made = {
        FACTS: Covered(_join(map(locate_facts, _read(folder, SHEETS, FactSheet)))),
        VARIATIONS: Covered(locate_chunk(one.chunk) for one in variations),
        QUESTIONS: Covered(_join(map(locate_pair, _read(folder, REVISED, QAPair)))),
    }
    made[QUESTIONS].add(_join(map(locate_recall, _read(folder, RECALLS, Recall))))
    states = _read_states(folder)
    found = []
    for line in read_documents(folder):
        ranges = {kind: covered.of(line.uuid) for kind, covered in made.items()}
        found.append(measure(line, ranges, states[line.uuid]))
    return found


def measure(
    document: DocumentEntry,
    made: Mapping[str, Iterable[Span]],
    states: Mapping[str, Iterable[Span]],
) -> Coverage:
    """Return the coverage of a document: what was `made` of it, and the `states` of the rest.

    `states` are the ranges of its chunks that are worthy (NOTHING), UNWORTHY, UNREAD, FOR_EXAM.
    """
    known = merge(span for ranges in made.values() for span in ranges)
    ranges = {kind: tuple(merge(spans)) for kind, spans in made.items()}
    for state, spans in states.items():
        ranges[state] = tuple(subtract(spans, known))
    return Coverage(document.uuid, document.source, document.length, ranges)


def _read_states(folder: Path) -> dict[str, dict[str, list[Span]]]:
    """Return for each document the ranges of its chunks by what was decided about them."""
    worthy = set(read_live(folder, WORTHY) or ())
    states: dict[str, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for line in read_chunks(folder):
        if line.reason in SET_ASIDE:
            state = FOR_EXAM
        else:
            state = UNWORTHY if line.reason else _judge(folder, line.uuid, worthy)
        states[line.document][state].append((line.start, line.end))
    return states


def _judge(folder: Path, uuid: str, worthy: Container[str]) -> str:
    """Return the state of a chunk that no rule dropped; one that a person deleted is unworthy."""
    if uuid in worthy:
        return NOTHING if (folder / WORTHY / f"{uuid}.json").exists() else UNWORTHY
    record = read_json(folder / JUDGE_CHUNK.name / f"{uuid}.json") or {}
    return _STATES.get(record.get("outcome") or "", UNREAD)


def _read(folder: Path, name: str, kind: type[T]) -> Iterator[T]:
    """Yield what a stage kept, one at a time; nothing where it has not run."""
    for uuid in read_live(folder, name) or ():
        yield from read_survivors(folder / name, [uuid], kind)


def _read_lines(file: Path, kind: type[L]) -> Iterator[L]:
    if not file.exists():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield from_json(kind, json.loads(line))


def _join(found: Iterable[tuple[Passage, ...]]) -> Iterator[Passage]:
    for passages in found:
        yield from passages
