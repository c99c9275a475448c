"""Pages that are images: how they are to be read, and what was read off them before."""

from dataclasses import dataclass, field
from typing import Protocol

from generation_functions.documents.formats.pdf_lines import Line


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """What the text that is read off a page's image depends on.

    `sha256` is of the file's bytes, `number` counts from 1, `version` is as tesseract prints it.
    The file's name is there for a person: pages of a renamed file stay the same.
    """

    sha256: str
    number: int
    languages: str
    version: str
    file: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class ReadPage:
    """The lines that were read off a page; a blank one has none."""

    page: ScannedPage
    lines: tuple[Line, ...]


class PageMemory(Protocol):
    """Keeps what was read off pages."""

    def find(self, page: ScannedPage) -> ReadPage | None:
        """Return what was read off a page before."""

    def store(self, read: ReadPage) -> None:
        """Keep what was read off a page."""


@dataclass(frozen=True, slots=True)
class Ocr:
    """How pages without text are read: names of tesseract's language files, joined by +.

    Without a memory each page is read every time.
    """

    languages: str
    memory: PageMemory | None = None
