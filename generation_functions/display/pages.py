"""A browser of pages: a document's text, with its chunks in alternating colours.

A file is read and cut again when it is chosen; only the pages of one are kept.
Where no front end can show widgets, the same output carries the first page as plain HTML.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation_functions.config import Config
from generation_functions.display.markup import Html, Part, join, preformatted, tag
from generation_functions.documents.cutting import CutSettings, Decision, FolderSettings, cut
from generation_functions.documents.reading import read_file
from generation_functions.documents.survey import DocumentLine, Survey
from generation_functions.errors import InputError
from generation_functions.ocr_files import OcrFiles, make_ocr
from generation_functions.pipelines.pdf_cleaning import FOLDER, read_repaired, wants_cleaning
from generation_functions.records import Document
from generation_functions.session import open_counter
from generation_functions.steps.survivors import read_live

if TYPE_CHECKING:
    import ipywidgets

LONG_PAGE = 3000  # characters of a page, where a format has none
LARGEST = 50_000_000  # bytes of a file that is read again
MOST_FILES = 1000  # in the list of a browser

# Half transparent, with the theme's own ink: readable on white and on black.
_COLOURS = ("59, 122, 120", "217, 164, 65")
_DROPPED = "128, 128, 128"
_BLOCK = "background: rgba({0}, .16); border-left: 4px solid rgb({0}); padding: 4px 10px"
_LABEL = "font-size: 85%; opacity: .8; font-style: italic"


@dataclass(frozen=True, slots=True)
class Page:
    """Characters `start` to `end` of a document, and what was decided about its chunks."""

    name: str
    document: Document
    start: int
    end: int
    decisions: tuple[Decision, ...]


def make_pages(document: Document, decisions: Sequence[Decision]) -> list[Page]:
    """Return a document's pages; where it has none, stretches of about LONG_PAGE characters."""
    own = tuple(one for one in decisions if one.chunk.document == document.uuid)
    starts = list(document.pages)
    if not starts:
        starts = [0]
        for decision in own:
            if decision.chunk.start - starts[-1] >= LONG_PAGE:
                starts.append(decision.chunk.start)
    ends = [*starts[1:], len(document.text)]
    return [
        Page(f"{document.title}, {number} of {len(starts)}", document, start, end, own)
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def show_page(page: Page) -> Html:
    """Return a page: a block for each chunk, labelled with headings, tokens, and why it goes."""
    starts = [one.chunk.start for one in page.decisions]
    first = max(0, bisect_left(starts, page.start + 1) - 1)
    blocks = []
    for number, decision in enumerate(page.decisions[first:], first):
        chunk = decision.chunk
        start, end = max(chunk.start, page.start), min(chunk.end, page.end)
        if chunk.start >= page.end:
            break
        if start < end:
            colour = _DROPPED if decision.reason else _COLOURS[number % 2]
            text = preformatted(page.document.text[start:end].strip("\n"))
            label = tag("div", _label(decision, chunk.start < start), style=_LABEL)
            blocks.append(tag("div", label, text, style=_BLOCK.format(colour)))
    return tag("div", *blocks) if blocks else tag("p", tag("em", "No text on this page."))


def read_pages(config: Config, line: DocumentLine) -> list[Page]:
    """Read and cut one file of a run again; return its pages, those of all its documents.

    A PDF's text is the repaired one, where the run goes on with that.
    Whether a chunk is like one of another file, or outside a subset, is not looked at.
    Raises InputError for a file that is gone, larger than LARGEST, or not readable.
    """
    folder = next(one for one in config.path.input_dirs if one.name == line.directory)
    file = Path(folder.path) / line.path
    if file.is_file() and file.stat().st_size > LARGEST:
        raise InputError(f"{file}: too large to be shown here; print it with the command `read`.")
    ocr = make_ocr(config, OcrFiles(Path(config.path.output_dir)))
    found = read_file(file, ocr, Path(folder.path), line.directory)
    documents = [_repaired(config, document) for document in found]
    settings = CutSettings(
        config.system.chunk_size,
        config.system.chunk_overlap,
        drop_duplicates=False,
        folders={one.directory: FolderSettings(folder.cleaned_by_hand) for one in documents},
    )
    with open_counter(config) as count:
        decisions = list(cut(documents, settings, count))
    return [page for document in documents for page in make_pages(document, decisions)]


def _repaired(config: Config, document: Document) -> Document:
    if not wants_cleaning(document, config):
        return document
    run = Path(config.path.output_dir)
    live = read_live(run, FOLDER) or []
    return read_repaired(run, live, document) or document


class PageBrowser:
    """What `browse_pages` shows. The widgets are made when a notebook asks for them."""

    def __init__(self, config: Config, lines: Sequence[DocumentLine]) -> None:
        self.config = config
        self.lines = tuple(lines)
        self._last: tuple[int, list[Page]] | None = None

    def read(self, number: int) -> list[Page]:
        """Return the pages of a file of the list. Raises InputError."""
        if self._last is None or self._last[0] != number:
            self._last = (number, read_pages(self.config, self.lines[number]))
        return self._last[1]

    def show_plain(self) -> Html:
        """Return the first page of the first file."""
        if not self.lines:
            return tag("p", tag("em", "There is no document."))
        try:
            pages = self.read(0)
        except InputError as error:
            return tag("p", str(error))
        return join([tag("p", pages[0].name), show_page(pages[0])])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = {"text/html": self.show_plain().source, "text/plain": "pages of the documents"}
        return {**Panel(self).view(), **plain} if self.lines else plain


class Panel:
    """The widgets of one display of a browser: a file, and a page of it."""

    def __init__(self, browser: PageBrowser) -> None:
        import ipywidgets as widgets

        self._browser = browser
        self._pages: list[Page] = []
        files = [(f"{line.directory}/{line.path}", i) for i, line in enumerate(browser.lines)]
        wide = widgets.Layout(width="60%")
        self.file = widgets.Dropdown(options=files, description="file", layout=wide)
        self.page = widgets.BoundedIntText(value=1, min=1, max=1, description="page")
        self.where = widgets.HTML()
        self.text = widgets.HTML()
        self.file.observe(self._change_file, "value")
        self.page.observe(self._show, "value")
        choices = widgets.HBox([self.file, self.page])
        self.box: ipywidgets.VBox = widgets.VBox([choices, self.where, self.text])
        self._change_file()

    def view(self) -> dict[str, Any]:
        """Return the mimebundle that a front end turns into widgets."""
        return dict(self.box._repr_mimebundle_())

    def _change_file(self, _: Any = None) -> None:
        try:
            self._pages = self._browser.read(self.file.value)
        except InputError as error:
            self._pages = []
            self.where.value, self.text.value = "", tag("p", str(error)).source
            return
        self.page.max = len(self._pages)
        self.page.value = 1
        self._show()

    def _show(self, _: Any = None) -> None:
        if self._pages:
            page = self._pages[self.page.value - 1]
            self.where.value = tag("p", page.name).source
            self.text.value = show_page(page).source


def browse_pages(config: Config, survey: Survey, only: str = "") -> PageBrowser:
    """Return a browser of the files of a survey whose names have `only` in them.

    It lists the first MOST_FILES of them.
    """
    lines = [line for line in survey.documents if only in f"{line.directory}/{line.path}"]
    return PageBrowser(config, lines[:MOST_FILES])


def _label(decision: Decision, goes_on: bool) -> Html:
    chunk = decision.chunk
    parts: list[Part] = [" › ".join(chunk.headings), f"{chunk.tokens:,} tokens"]
    parts += ["begins on the page before"] if goes_on else []
    parts += [f"repeats {chunk.overlap:,} characters of the chunk before"] if chunk.overlap else []
    parts += [f"dropped: {decision.reason}"] if decision.reason else []
    return join([" · ".join(str(part) for part in parts if part)])
