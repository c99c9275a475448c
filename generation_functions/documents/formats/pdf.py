"""PDF: lines with their places, as pypdf finds them, made into clean Markdown."""

from pathlib import Path
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import PdfReadError

from generation_functions.documents.formats.extract import Beat, Extract
from generation_functions.documents.formats.html import find_year
from generation_functions.documents.formats.pdf_columns import order_columns
from generation_functions.documents.formats.pdf_furniture import drop_furniture
from generation_functions.documents.formats.pdf_lines import Line, LineCollector
from generation_functions.documents.formats.pdf_paragraphs import write_pages
from generation_functions.documents.formats.scanned import Ocr

MOST_PAGES = 20_000
SCANNED_SHARE = 0.1  # fewer pages with text than this: a scan, its text is not in the file


def read_pdf(file: Path, beat: Beat, ocr: Ocr | None = None) -> Extract:
    """Read a PDF; ValueError says what to do.

    With `ocr`, pages that have no text are read off their images.
    """
    try:
        reader = PdfReader(file)
    except PdfReadError as error:
        raise ValueError(f"damaged, or not a PDF ({error}); save it anew") from error
    if reader.is_encrypted and not reader.decrypt(""):
        raise ValueError("locked with a password; save it without one (qpdf --decrypt)")
    count = len(reader.pages)
    if count > MOST_PAGES:
        raise ValueError(f"has {count} pages; the most is {MOST_PAGES}: split it")
    pages, broken = _read_pages(reader, beat)
    if count and len(broken) == count:
        raise ValueError("damaged: none of its pages can be read; save it anew")
    seen: list[int] = []
    if ocr and (images := _find_empty(pages, broken)):
        from generation_functions.documents.formats.ocr import read_images

        for number, lines in read_images(file, [one - 1 for one in images], ocr, beat).items():
            pages[number] = lines
            if lines:
                seen.append(number + 1)
    empty = _find_empty(pages, broken)
    if count - len(empty) - len(broken) <= SCANNED_SHARE * count:
        raise ValueError(_describe_scan(file, len(empty), count, ocr))
    text, starts = write_pages(drop_furniture(pages))
    warnings = []
    if broken:
        warnings.append(f"page {_name(broken)} cannot be read and was left out")
    if seen:
        warnings.append(f"page {_name(seen)} was read off its image, which makes mistakes")
    if empty:
        warnings.append(f"page {_name(empty)} has no text (an image, or blank)")
    found: Any = reader.metadata or {}
    return Extract(
        text,
        title=_property(found, "/Title"),
        author=_property(found, "/Author"),
        year=find_year(_property(found, "/Year")),
        language=_language(reader),
        pages=starts,
        warnings=tuple(warnings),
    )


def _read_pages(reader: PdfReader, beat: Beat) -> tuple[list[list[Line]], list[int]]:
    """Return the lines of each page, and the numbers of the pages that cannot be read."""
    pages: list[list[Line]] = []
    broken: list[int] = []
    for number in range(len(reader.pages)):
        try:
            page = reader.pages[number]
            pages.append(order_columns(_read_lines(page), float(page.mediabox.width)))
        except Exception:
            pages.append([])
            broken.append(number + 1)
        beat()
    return pages, broken


def _find_empty(pages: list[list[Line]], broken: list[int]) -> list[int]:
    return [n for n, lines in enumerate(pages, 1) if not lines and n not in broken]


def _describe_scan(file: Path, empty: int, count: int, ocr: Ocr | None) -> str:
    if ocr:
        return f"no text on {empty} of its {count} pages, and tesseract found none in their images"
    return (
        f"no text on {empty} of its {count} pages, so most likely a scan; set `path.ocr: true` to "
        "have its pages read by tesseract, or make a PDF with text of it, for example with: "
        f'ocrmypdf "{file.name}" out.pdf'
    )


def _read_lines(page: PageObject) -> list[Line]:
    collector = LineCollector()
    page.extract_text(visitor_text=collector.visit)
    collector.end_line()
    return collector.lines


def _name(numbers: list[int]) -> str:
    """Numbers as a person writes them: 3, 7-9."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


_NO_TITLE = ("untitled", "anonymous", "unspecified", "microsoft word", "unknown")


def _property(found: Any, key: str) -> str | None:
    """A property, unless the program that wrote the file put it there for want of a better."""
    value = found.get(key)
    text = " ".join(str(value).split()) if isinstance(value, str) else ""
    return None if not text or text.casefold().lstrip("(").startswith(_NO_TITLE) else text


def _language(reader: PdfReader) -> str | None:
    value = reader.root_object.get("/Lang")
    return str(value).strip() or None if isinstance(value, str) else None
