"""Words wrong in the text of PDFs, as pypdf and as PDFium find it: `python -m benchmarks.pdf_text`.

The same text in several layouts; of both libraries plainly, and after the same mechanical
cleaning, for which PDFium's characters are put together to lines here. Needs pypdfium2.
"""

import ctypes
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
from pypdf import PdfReader
from pypdfium2 import raw

from generation_functions.documents.formats.pdf import read_pdf
from generation_functions.documents.formats.pdf_columns import order_columns
from generation_functions.documents.formats.pdf_furniture import drop_furniture
from generation_functions.documents.formats.pdf_lines import Line, LineCollector
from generation_functions.documents.formats.pdf_paragraphs import write_pages
from tests.written_files import LAYOUTS, sample_paragraphs, word_error_rate

HYPHENS = "\x02\ufffe"  # PDFium's marks for a hyphen at a line's end, after which it goes on
FAR = 3.0  # of the font's size: a character so far from the one before is another column's


def read_characters(page: pypdfium2.PdfPage) -> Iterator[tuple[str, float, float, float]]:
    """Yield a page's characters with x, y and size, in points."""
    text = page.get_textpage()
    x, y = ctypes.c_double(), ctypes.c_double()
    for number in range(text.count_chars()):
        raw.FPDFText_GetCharOrigin(text, number, x, y)
        size = raw.FPDFText_GetFontSize(text, number)
        yield chr(raw.FPDFText_GetUnicode(text, number)), x.value, y.value, size


def read_lines(page: pypdfium2.PdfPage) -> list[Line]:
    """Return a page's lines, split where a line goes on in another column."""
    collector = LineCollector()
    before: float | None = None
    for character, x, y, size in read_characters(page):
        if character in "\r\n":
            collector.end_line()
            before = None
            continue
        if before is not None and character.strip() and x - before > FAR * size:
            collector.end_line()
        mark = "-" if character in HYPHENS else character
        collector.visit(mark, [1, 0, 0, 1, 0, 0], [1, 0, 0, 1, x, y], None, size)
        if character in HYPHENS:
            collector.end_line()
            before = None
        elif character.strip():
            before = x
    collector.end_line()
    return collector.lines


def measure(file: Path, source: str) -> list[float]:
    """Return the error rates: pypdf plain, PDFium plain, pypdf cleaned, PDFium cleaned."""
    with pypdfium2.PdfDocument(file) as pdf:
        plain = "\n".join(page.get_textpage().get_text_range() for page in pdf)
        pages = [order_columns(read_lines(page), page.get_width()) for page in pdf]
    texts = (
        "\n".join(page.extract_text() for page in PdfReader(file).pages),
        plain,
        read_pdf(file, lambda: None).text,
        write_pages(drop_furniture(pages))[0],
    )
    return [word_error_rate(source, text) for text in texts]


def main() -> None:
    """Print a table."""
    paragraphs = sample_paragraphs()
    print("| set by | pypdf | PDFium | pypdf, cleaned | PDFium, cleaned |\n|---|---|---|---|---|")
    for name, (write, _) in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "a.pdf"
            write(file, paragraphs)
            rates = measure(file, "\n\n".join(paragraphs))
        print(f"| {name} | {' | '.join(f'{rate:.2%}' for rate in rates)} |")


if __name__ == "__main__":
    main()
