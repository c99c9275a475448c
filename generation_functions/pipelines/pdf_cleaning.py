"""From a PDF's mechanically cleaned text to one whose damage a model has repaired.

The text is cut into pieces. A piece whose reply is no use, or strays from it, stays as it was.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from generation_functions.config import Config
from generation_functions.documents.chunking import chunk_document
from generation_functions.documents.damage import (
    Number,
    compare_words,
    find_numbers,
    move_offsets,
    numbers_survive,
)
from generation_functions.errors import Dropped, Unparsable
from generation_functions.pipeline_sections import PdfCleaning
from generation_functions.records import Document, make_uuid
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step, write_literal
from generation_functions.steps.survivors import read_survivors

LABEL = "pieces of PDFs"
FOLDER = "pdf_cleaned"
_CAPTION = re.compile(r"\b(?:Fig|Figure|Table|Plate|Chart|Diagram)\b", re.IGNORECASE)
_EMPTY_END = re.compile(r"(?:\n[^\w\n]*)+\Z")  # lines without a letter or a figure
_BLOCK = 0x80  # characters; scripts fill such blocks
_PUNCTUATION = 0x2000  # the block with dashes and quotation marks, and with invisible marks
# Always allowed: ASCII without digits, Latin letters, dashes and quotation marks.
_ALWAYS = r"!-/:-Z\x5B-\x5E_-~\u00A1-\u00AC\u00AE-\u024F\u2010-\u2027\u2030-\u205E"


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a document, without white space around it; pages begin at `edges` in it."""

    uuid: str
    text: str
    limits: PdfCleaning
    edges: tuple[int, ...] = ()


def wants_cleaning(document: Document, config: Config) -> bool:
    """Whether a model is to clean the document: a PDF whose folder nobody cleaned by hand."""
    by_hand = {one.name for one in config.path.input_dirs if one.cleaned_by_hand}
    return (
        config.pdf_cleaning.enabled
        and document.path.lower().endswith(".pdf")
        and document.directory not in by_hand
    )


@dataclass(frozen=True, slots=True)
class RepairedDocument:
    """A document as a model left it; `uuid` is that of the document as it was read."""

    uuid: str
    document: Document


def read_repaired(folder: Path, live: Collection[str], document: Document) -> Document | None:
    """Return a PDF as it stands repaired in a run's folder; None where it is not `live` there."""
    uuids = [document.uuid] if document.uuid in live else []
    found = read_survivors(folder / FOLDER, uuids, RepairedDocument)
    return found[0].document if found else None


@dataclass(frozen=True, slots=True)
class TakenPdf:
    """A PDF that is to be repaired, of its pieces the first `most` (None: all)."""

    uuid: str
    document: Document
    most: int | None


def take_pdfs(
    found: Iterable[Document], config: Config, count: Callable[[str], int], limit: int | None
) -> Iterator[TakenPdf]:
    """Yield the PDFs among `found` that want cleaning, with `limit` until they have as many pieces.

    `count` counts tokens.
    """
    left = limit
    for document in found:
        if not wants_cleaning(document, config):
            continue
        yield TakenPdf(document.uuid, document, left)
        if left is not None:
            left -= len(_cut_pieces(document, config.pdf_cleaning, count)[1])
            if left <= 0:
                return


async def repair(run: Run, count: Callable[[str], int], pdf: TakenPdf) -> str:
    """Repair a document and keep it in pdf_cleaned/; return the uuid that it had before."""
    repaired = await clean_document(run, pdf.document, count, pdf.most)
    return run.keep(FOLDER, RepairedDocument(pdf.uuid, repaired)).uuid


async def clean_document(
    run: Run, document: Document, count: Callable[[str], int], most: int | None = None
) -> Document:
    """Return the document with its pieces repaired, those that a model could repair.

    With `most`, only so many of them are asked about, the first; the others stay as they are.
    As every document's, its uuid is of directory, path and text, so it is another one if
    anything changed, and a copy of the file that is cleaned otherwise is told apart. Chunks do
    not take part in its uuid: only those whose own text was touched become others.
    """
    pieces, asked = _cut_pieces(document, run.config.pdf_cleaning, count)
    asked = asked[:most]
    cleaned = await run.map(partial(_clean_piece, run), asked)
    texts = {piece.uuid: text for piece, text in zip(asked, cleaned, strict=True)}
    parts: list[str] = []
    pages: list[int] = []
    length = 0
    for start, end, uuid in pieces:
        old = document.text[start:end]
        new = old.replace(old.strip(), texts[uuid]) if uuid in texts else old
        first, last = bisect_left(document.pages, start), bisect_left(document.pages, end)
        inside = [page - start for page in document.pages[first:last]]
        pages += [length + place for place in move_offsets(old, new, inside)]
        parts.append(new)
        length += len(new)
    pages += [length] * (len(document.pages) - len(pages))
    text = "".join(parts)
    new_uuid = make_uuid(document.directory, document.path, text)
    return replace(document, uuid=new_uuid, text=text, pages=tuple(pages))


def _cut_pieces(
    document: Document, limits: PdfCleaning, count: Callable[[str], int]
) -> tuple[list[tuple[int, int, str]], list[Piece]]:
    """Return the pieces' spans (start, end, uuid), which give the text, and those with text."""
    spans = [
        (chunk.start, chunk.end, chunk.uuid)
        for chunk in chunk_document(document, limits.pdf_cleaning_chunk_size, count)
    ]
    pieces = [
        Piece(uuid, text.strip(), limits, _edges_within(document.pages, start, text))
        for start, end, uuid in spans
        if (text := document.text[start:end]).strip()
    ]
    return spans, pieces


def _edges_within(pages: tuple[int, ...], start: int, text: str) -> tuple[int, ...]:
    """Return where pages begin, counted from the first character that is no white space."""
    first = start + len(text) - len(text.lstrip())
    return tuple(page - first for page in pages if start <= page <= start + len(text))


async def _clean_piece(run: Run, piece: Piece) -> str:
    limits = piece.limits
    step = replace(CLEAN_PDF, role=limits.role, use_stop=limits.pdf_cleaning_use_stop)
    try:
        text = await run.ask(step, piece)
    except Dropped as dropped:
        run.count(LABEL, piece.uuid, rejected=f"kept as it was: {dropped.reason}")
        return piece.text
    run.count(LABEL, piece.uuid)
    return text


def _parse(piece: Piece, reply: str) -> str:
    text = reply.strip()
    if piece.text[-1:].isalnum() or piece.text[-1:] in ".!?:;,)]\"'”’":
        text = _EMPTY_END.sub("", text)
    problem = find_stray(piece, text)
    if problem:
        raise Unparsable(problem)
    return text


def find_stray(piece: Piece, text: str) -> str | None:
    """Return how a repaired text strays from its piece, or None.

    Lengths are compared without white space, in characters.
    """
    limits = piece.limits
    ratio = len("".join(text.split())) / max(1, len("".join(piece.text.split())))
    if ratio < limits.least_length_ratio:
        return "too short"
    if ratio > limits.most_length_ratio:
        return "too long"
    if not numbers_survive(find_numbers(piece.text, piece.edges), find_numbers(text)):
        return "a number lost or added"
    words = compare_words(piece.text, text)
    if words.kept_share < limits.least_words_kept:
        return "words lost"
    if words.added_share > limits.most_words_added:
        return "words added"
    if words.moved_share > limits.most_words_moved:
        return "words moved"
    return None


def _rules(piece: Piece) -> Mapping[str, str]:
    """Numbers in their order, the piece's scripts; new lines only where it has some to move.

    A small model that may begin another paragraph does so, with what the examples end with.
    """
    numbers = find_numbers(piece.text, piece.edges)
    rules = {
        "text": " ".join(["words", *map(_write_number, numbers)]),
        "mark": f"[{_ALWAYS}{_write_blocks(piece.text)}]",
    }
    if "\n" not in piece.text and not _CAPTION.search(piece.text):
        rules["space"] = '" "'
    return rules


def _write_number(number: Number) -> str:
    """Return GBNF for a number and the words after it."""
    forms = dict.fromkeys((number.text, number.value))
    literal = " | ".join(write_literal(form) for form in forms)
    literal = f"({literal})" if len(forms) > 1 else literal
    return f"({literal} words)?" if number.may_go else f"{literal} words"


def _write_blocks(text: str) -> str:
    """Return what the text has beyond ASCII: single characters, and whole blocks of scripts."""
    ranges = set()
    for code in {ord(char) for char in text if not char.isascii()}:
        first = code // _BLOCK * _BLOCK
        alone = first in (0x80, _PUNCTUATION)
        ranges.add((code, code) if alone else (first, first + _BLOCK - 1))
    return "".join(f"\\U{first:08X}-\\U{last:08X}" for first, last in sorted(ranges))


CLEAN_PDF: Step[Piece, str] = Step(
    "clean_pdf",
    lambda piece: {"text": piece.text},
    _parse,
    _rules,
    replaces=("mark", "space", "text"),
)
