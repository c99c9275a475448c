"""Documents of known text, written by real tools: PDFs in several layouts, a book, bombs."""

import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

SAMPLES = Path(__file__).parents[1] / "input_texts" / "samples"
WIDTH, HEIGHT = 595.0, 842.0
Write = Callable[[Path, Sequence[str]], None]
_BREAK = re.compile(r"(?<=[a-z]{3})(?=[bcdfglmnprstv][aeiou][a-z]{2})")


def sample_paragraphs() -> list[str]:
    """The paragraphs of the samples' prose, one line each."""
    plain = next(SAMPLES.glob("Clocks*")).read_text(encoding="utf-8")
    paragraphs = [" ".join(one.split()) for one in plain.split("\n\n")]
    return [one for one in paragraphs if len(one.split()) > 25]


@dataclass(frozen=True)
class Layout:
    """How a text is set; `across` draws the lines of two columns row by row."""

    columns: int = 1
    hyphenated: bool = False
    indented: bool = False
    across: bool = False
    head: str = "On Clocks and Calendars"
    foot: str = "Page {}"
    ligatures: bool = False


def break_lines(
    text: str, width: float, first: float, measure: Callable[[str], float]
) -> list[str]:
    """Fill lines greedily; with a soft hyphen in the text, words are broken there."""
    lines, line, room = [], "", width - first
    for word in text.split():
        parts = word.split("\u00ad")
        whole = f"{line} {word}".strip().replace("\u00ad", "")
        if measure(whole) <= room:
            line = whole
            continue
        for cut in range(len(parts) - 1, 0, -1):
            begun = f"{line} {''.join(parts[:cut])}-".strip()
            if measure(begun) <= room:
                lines.append(begun)
                line = "".join(parts[cut:])
                break
        else:
            lines.append(line)
            line = word.replace("\u00ad", "")
        room = width
    return [*lines, line]


def set_with_reportlab(file: Path, paragraphs: Sequence[str], layout: Layout) -> None:
    """Write a PDF line by line, with running heads and feet."""
    canvas = Canvas(str(file), pagesize=(WIDTH, HEIGHT))
    width = 470.0 if layout.columns == 1 else 222.0
    indent = 14.0 if layout.indented else 0.0
    lines: list[tuple[float, str]] = []
    for paragraph in paragraphs:
        text = _BREAK.sub("\u00ad", paragraph) if layout.hyphenated else paragraph
        broken = break_lines(text, width, indent, lambda one: stringWidth(one, "Times-Roman", 10))
        lines.extend((0.0 if number else indent, line) for number, line in enumerate(broken))
        if not layout.indented:
            lines.append((0.0, ""))
    rows = 54
    page = 0
    while lines:
        page += 1
        canvas.setFont("Times-Italic", 9)
        canvas.drawString(60, 800, layout.head.format(page))
        canvas.setFont("Times-Roman", 10)
        columns = []
        for _ in range(layout.columns):
            columns.append(lines[:rows])
            lines = lines[rows:]
        places = [
            (60 + column * 248 + shift, 770 - row * 13, line)
            for column, part in enumerate(columns)
            for row, (shift, line) in enumerate(part)
            if line
        ]
        if layout.across:
            places.sort(key=lambda place: (-place[1], place[0]))
        for x, y, line in places:
            canvas.drawString(x, y, line)
        canvas.drawCentredString(WIDTH / 2, 30, layout.foot.format(page))
        canvas.showPage()
    canvas.save()


def set_with_fpdf(file: Path, paragraphs: Sequence[str], columns: int = 1) -> None:
    """Write a PDF with an embedded font, justified, heads drawn first and feet last."""
    from fpdf import FPDF
    from matplotlib import get_data_path

    class Manual(FPDF):
        def header(self) -> None:
            self.set_font("Serif", size=8)
            self.cell(0, 8, "CLOCKS", align="C", new_x="LMARGIN", new_y="NEXT")

        def footer(self) -> None:
            self.set_y(-15)
            self.set_font("Serif", size=8)
            self.cell(0, 8, f"– {self.page_no()} –", align="C")

    pdf = Manual()
    pdf.add_font("Serif", fname=Path(get_data_path(), "fonts/ttf/DejaVuSerif.ttf"))
    pdf.add_page()
    pdf.set_font("Serif", size=10)
    if columns == 1:
        for paragraph in paragraphs:
            pdf.multi_cell(0, 5, paragraph)
            pdf.ln(4)
    else:
        with pdf.text_columns(ncols=columns, gutter=8, text_align="J") as text:
            for paragraph in paragraphs:
                text.write(paragraph + "\n\n")
    pdf.output(str(file))


def set_with_matplotlib(file: Path, paragraphs: Sequence[str]) -> None:
    """Write a PDF of figures that hold text in Type 42 fonts."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.figure import Figure

    lines: list[str] = []
    for paragraph in paragraphs:
        lines.extend([*break_lines(paragraph, 90, 0, len), ""])
    with rc_context({"pdf.fonttype": 42}), PdfPages(file) as pages:
        for number, start in enumerate(range(0, len(lines), 50), 1):
            figure = Figure(figsize=(8.27, 11.69))
            figure.text(0.1, 0.97, "Clocks, drawn", fontsize=8, parse_math=False)
            for row, line in enumerate(lines[start : start + 50]):
                figure.text(0.1, 0.93 - row * 0.017, line, fontsize=9, parse_math=False)
            figure.text(0.5, 0.02, str(number), fontsize=8)
            pages.savefig(figure)


def word_error_rate(source: str, found: str) -> float:
    """Words put in, left out or changed, as a share of the source's."""
    one, two = source.split(), re.sub(r"^#+ ", "", found, flags=re.M).split()
    changes = SequenceMatcher(None, one, two, autojunk=False).get_opcodes()
    wrong = sum(max(b - a, d - c) for kind, a, b, c, d in changes if kind != "equal")
    return wrong / len(one)


def set_pdf(layout: Layout) -> Write:
    return lambda file, paragraphs: set_with_reportlab(file, paragraphs, layout)


# Of each layout how it is written, and most of its words that may be wrong.
LAYOUTS: dict[str, tuple[Write, float]] = {
    "reportlab": (set_pdf(Layout()), 0.01),
    "reportlab, hyphenated": (set_pdf(Layout(hyphenated=True)), 0.01),
    "reportlab, indented": (set_pdf(Layout(indented=True, foot="{}")), 0.01),
    "fpdf2": (set_with_fpdf, 0.01),
    "matplotlib": (set_with_matplotlib, 0.01),
    "reportlab, two columns": (set_pdf(Layout(columns=2)), 0.03),
    "reportlab, two columns, hyphenated": (
        set_pdf(Layout(columns=2, hyphenated=True, indented=True)),
        0.03,
    ),
    "reportlab, two columns drawn across": (set_pdf(Layout(columns=2, across=True)), 0.03),
    "fpdf2, two columns": (lambda file, text: set_with_fpdf(file, text, 2), 0.03),
}


def write_scan(file: Path, pages: int = 3) -> None:
    """Write a PDF of images without text."""
    from PIL import Image

    canvas = Canvas(str(file), pagesize=(WIDTH, HEIGHT))
    image = ImageReader(Image.new("L", (200, 280), 200))
    for _ in range(pages):
        canvas.drawImage(image, 40, 40, 500, 700)
        canvas.showPage()
    canvas.save()


def encrypt(source: Path, file: Path, user: str, algorithm: str = "AES-256") -> None:
    """Copy a PDF, locked with `user` as the password for opening it ("": none)."""
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=source)
    writer.encrypt(user, "owner", algorithm=algorithm)
    writer.write(file)


CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" '
    'version="1.0"><rootfiles><rootfile full-path="OPS/book.opf" '
    'media-type="application/oebps-package+xml"/></rootfiles></container>'
)
OPF = (
    '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>On Salt</dc:title>'
    "<dc:creator>A. Miner</dc:creator><dc:creator>B. Twin</dc:creator>"
    "<dc:date>1897-05-01</dc:date><dc:language>en</dc:language><dc:rights>CC0</dc:rights>"
    "</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
)


def write_epub(file: Path, chapters: Sequence[tuple[str, str]], more: str = "") -> None:
    """Write a book; `chapters` are names and bodies, in the order of reading."""
    items = "".join(
        f'<item id="c{number}" href="{name}" media-type="application/xhtml+xml"/>'
        for number, (name, _) in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(len(chapters)))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("OPS/book.opf", OPF.format(items=items + more, spine=spine))
        for name, body in chapters:
            page = f'<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{body}</body></html>'
            if ".." not in name:
                book.writestr(f"OPS/{name}", page)
