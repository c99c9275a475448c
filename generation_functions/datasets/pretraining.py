"""The rows of pretraining_run/: texts as in the documents, their facts, the same told again.

Each stands once: a chunk in text_chunks_<folder>.jsonl; a piece's facts, those turned round and
its variations in representation_variation_<folder>.jsonl; what follows from the facts, with the
variations that tell it, in inferred_facts_<folder>.jsonl.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from generation_functions.config import Config
from generation_functions.datasets import provenance, rows
from generation_functions.datasets.ordered import Items, order
from generation_functions.datasets.provenance import Item, Target, write_rows
from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.rows import Row
from generation_functions.records import Chunk, FactSheet, Variation

CHUNKS, VARIATIONS, INFERRED = "text_chunks", "representation_variation", "inferred_facts"

Count = Callable[[str], int]
Told = tuple[Chunk, str, Row]  # what a row is made from: its chunk, its text, its record
ReadVariations = Callable[[FactSheet, bool], Sequence[Variation]]  # of a piece; True: inferred


def tell_nothing(sheet: FactSheet, inferred: bool) -> Sequence[Variation]:
    """No piece has variations where the pretraining stage is off."""
    return ()


def write_pretraining_rows(
    folder: Path,
    chunks: Items[Chunk],
    sheets: Items[FactSheet],
    variations: ReadVariations,
    config: Config,
    count: Count,
) -> list[FileEntry]:
    """Write the files of each input directory, named after it; none that would be empty.

    Variations are read as they are written.
    """
    texts, pieces = order(chunks), order(sheets)
    entries = []
    for directory, short in name_directories({*texts.directories, *pieces.directories}).items():
        own = pieces.of(directory)
        items = {
            CHUNKS: _chunk_items(texts.of(directory)),
            VARIATIONS: _told_items(own, variations, inferred=False),
            INFERRED: _told_items(own, variations, inferred=True),
        }
        for name, found in items.items():
            file = f"{name}_{short}.jsonl"
            made = (_make_item(one, config, count) for one in found)
            entries += write_rows(folder, file, [Target(file, in_config=True)], made)
    return entries


def find_directory(file: str) -> str:
    """Return the part of the name of a file of rows that tells its input directory."""
    kind = next(name for name in (CHUNKS, VARIATIONS, INFERRED) if file.startswith(f"{name}_"))
    return file.removeprefix(f"{kind}_").removesuffix(".jsonl")


def write_context(config: Config, chunk: Chunk) -> str:
    """Return the lines that a row begins with: its subject and, where it may be, its source.

    Empty without `include_context_in_dataset`, or where no variations are to be made.
    """
    section = config.representation_variation
    if not (section.enabled and section.include_context_in_dataset):
        return ""
    source = f"Source: {chunk.source}\n" if config.system.use_filenames and chunk.source else ""
    return f"Subject: {config.dataset_context}\n{source}\n"


def name_directories(directories: Iterable[str]) -> dict[str, str]:
    """Return a file name part for each directory: its last component, made safe.

    Directories that would share one get a hash of their path behind it, so that neither's
    name depends on the order.
    """
    names = {
        path: re.sub(r"[^\w.-]+", "_", PurePath(path).name) or "root"
        for path in sorted(directories)
    }
    uses = Counter(name.casefold() for name in names.values())
    return {
        path: name if uses[name.casefold()] == 1 else f"{name}_{_short_hash(path)}"
        for path, name in names.items()
    }


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _chunk_items(chunks: Iterable[Chunk]) -> Iterator[Told]:
    for chunk in chunks:
        yield chunk, chunk.text, provenance.record_chunk(chunk)


def _told_items(
    sheets: Iterable[FactSheet], variations: ReadVariations, inferred: bool
) -> Iterator[Told]:
    """Yield each piece's facts, then its variations."""
    for sheet in sheets:
        for facts in (sheet.inferred,) if inferred else (sheet.facts, sheet.turned):
            if facts:
                text = "\n".join(fact.text for fact in facts)
                yield sheet.chunk, text, provenance.record_facts(sheet, facts)
        for variation in variations(sheet, inferred):
            yield sheet.chunk, variation.text, provenance.record_variation(variation)


def _make_item(told: Told, config: Config, count: Count) -> Item:
    chunk, text, record = told
    full = write_context(config, chunk) + text.strip()
    return Item(((rows.text_row(full), count(full)),), record)
