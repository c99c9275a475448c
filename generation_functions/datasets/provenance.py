"""Where each row comes from: beside every file of rows a file with as many lines.

Files whose rows are made from the same items, in the same order, share one. A trainer needs none
of them; who wants to sort out, check or cite rows does.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from generation_functions.datasets.row_files import FileEntry, RowFile
from generation_functions.datasets.rows import Row
from generation_functions.documents.sentences import split_sentences
from generation_functions.records import (
    Chunk,
    Conversation,
    Fact,
    FactSheet,
    QAPair,
    Recall,
    Variation,
    to_json,
)

FOLDER = "provenance"


@dataclass(frozen=True, slots=True)
class Target:
    """A file of rows: its name in the training folder, and whether the config lists it.

    With `segments` only a part of each row is trained on; with `chat` it is ShareGPT.
    """

    name: str
    in_config: bool
    segments: bool = False
    chat: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One item as a row of each target, with that row's tokens, and its record."""

    rows: tuple[tuple[Row, int], ...]
    record: Row


def write_rows(
    folder: Path, name: str, targets: Sequence[Target], items: Iterable[Item]
) -> list[FileEntry]:
    """Write a row of each item into every target, and its record into provenance/`name`.jsonl.

    A line of that file has `row` (the line it belongs to, from 0), `sha256` (of the row's line in
    each target, so that rows can be told after they were mixed or filtered) and `tokens` (of the
    row in each). Without items no file is written.
    """
    items = iter(items)
    first = next(items, None)
    if first is None:
        return []
    beside = f"{FOLDER}/{Path(name).stem}.jsonl"
    with ExitStack() as stack:
        files = [
            stack.enter_context(
                RowFile(
                    folder,
                    one.name,
                    one.in_config,
                    beside,
                    segments=one.segments,
                    chat=one.chat,
                )
            )
            for one in targets
        ]
        records = stack.enter_context(RowFile(folder, beside, in_config=False))
        for number, item in enumerate(chain([first], items)):
            hashes = {
                file.name: file.write(row, tokens)
                for file, (row, tokens) in zip(files, item.rows, strict=True)
            }
            tokens = {file.name: count for file, (_, count) in zip(files, item.rows, strict=True)}
            records.write({"row": number, "sha256": hashes, "tokens": tokens, **item.record})
    return [file.entry for file in (*files, records)]


def record_chunk(chunk: Chunk) -> Row:
    """Return a worthy chunk without its text, which is the row."""
    return {"uuid": chunk.uuid, "chunk": _leave_text(chunk)}


def record_facts(sheet: FactSheet, facts: Sequence[Fact]) -> Row:
    """Return facts of a piece, each with the sentences or the facts that it rests on.

    The text of the piece stands once, in the rows of the chunks that are its `parts`.
    """
    return {
        "uuid": sheet.uuid,
        "chunk": _leave_text(sheet.chunk),
        "parts": list(sheet.parts),
        "facts": to_json(facts),
    }


def record_variation(variation: Variation) -> Row:
    """Return what a variation is, without its text, which is the row, and that of its piece."""
    record = _leave_text(variation)
    return {**record, "chunk": _leave_text(variation.chunk)}


def _leave_text(record: Chunk | Variation) -> Row:
    return {key: value for key, value in to_json(record).items() if key != "text"}


def record_pair(pair: QAPair) -> Row:
    """Return a pair with its chunk."""
    return {"uuid": pair.uuid, "chunk": to_json(pair.chunk), "pairs": [_describe(pair)]}


def record_conversation(conversation: Conversation) -> Row:
    """Return what a conversation was made from: chunk, pairs in their order, scene."""
    return {
        "uuid": conversation.uuid,
        "chunk": to_json(conversation.chunk),
        "pairs": [_describe(pair) for pair in conversation.pairs],
        "scene": to_json(conversation.scene),
    }


def record_recalls(recalls: Sequence[Recall]) -> Row:
    """Return what a row of recalls was made from; its uuid is the first one's."""
    return {"uuid": recalls[0].uuid, "recalls": to_json(recalls)}


def read_row_uuids(folder: Path) -> set[str]:
    """Return the uuids of all that a training folder's rows were made from.

    Chunks, pairs, documents and the like, as the files in provenance/ name them.
    """
    found: set[str] = set()
    for path in sorted((folder / FOLDER).glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                _collect_uuids(json.loads(line), found)
    return found


def _collect_uuids(value: object, found: set[str]) -> None:
    if isinstance(value, list):
        for one in value:
            _collect_uuids(one, found)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in ("uuid", "document") and isinstance(one, str):
                found.add(one)
            elif key == "parts" and isinstance(one, list):
                found.update(map(str, one))
            else:
                _collect_uuids(one, found)


def _describe(pair: QAPair) -> Row:
    return {
        "uuid": pair.uuid,
        "question": pair.question,
        "answer": pair.answer,
        "sentences": list(pair.sentences),
        "quote": pair.quote,
        "quote_spans": find_quote(pair),
    }


def find_quote(pair: QAPair) -> list[list[int]]:
    """Return where the sentences of a pair's quote stand: [start, end] each.

    In characters of the document's text, as a chunk's own offsets. Empty for a quote that is
    not made of the sentences that the pair names: somebody has edited one of them.
    """
    chunk = pair.chunk
    spans = _split(chunk.text, chunk.language)
    if not all(0 < number <= len(spans) for number in pair.sentences):
        return []
    chosen = [spans[number - 1] for number in pair.sentences]
    words = [word for start, end in chosen for word in chunk.text[start:end].split()]
    if words != pair.quote.split():
        return []
    first = chunk.start - chunk.overlap
    return [[first + start, first + end] for start, end in chosen]


@lru_cache(maxsize=8)
def _split(text: str, language: str) -> list[tuple[int, int]]:
    """Remember the chunks whose pairs and conversations are being written."""
    return split_sentences(text, language)
