"""What a reader finds in a file, before cleaning."""

from collections.abc import Callable
from dataclasses import dataclass

Beat = Callable[[], None]  # a reader calls it while it gets on; who never does is stopped


@dataclass(frozen=True, slots=True)
class Extract:
    """A file's text with headings, lists and tables as Markdown, and its properties.

    `pages` holds the offset in `text` at which each page begins. `warnings` are sentences
    about what a person should look at, without the file's name.
    """

    text: str
    title: str | None = None
    author: str | None = None
    year: int | None = None
    language: str | None = None
    licence: str | None = None
    pages: tuple[int, ...] = ()
    warnings: tuple[str, ...] = ()
