"""The headings that lead to each place of a document."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from generation_functions.documents.layout import Span, is_code, is_heading

_MARKDOWN = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)[\s#]*$")
_UNDERLINED = re.compile(r"\s{0,3}(\S[^\n]*)\n {0,3}(={3,}|-{3,})\s*(?:\n|\Z)")
_PARTS = ("volume", "book", "part", "chapter", "section")  # the highest first
_CAPITALS, _PLAIN = len(_PARTS), len(_PARTS) + 1


@dataclass(frozen=True, slots=True)
class Outline:
    """For every block its start, whether it is a heading, and the headings in force in it."""

    starts: tuple[int, ...]
    heads: tuple[bool, ...]
    paths: tuple[tuple[str, ...], ...]

    def at(self, start: int, end: int) -> tuple[str, ...]:
        """Return the headings over the first text in [start, end), those in it included."""
        number = max(0, bisect_right(self.starts, start) - 1)
        while (
            self.heads[number] and number + 1 < len(self.starts) and self.starts[number + 1] < end
        ):
            number += 1
        return self.paths[number]

    def is_heading(self, start: int) -> bool:
        """Say whether a heading begins at `start`."""
        number = bisect_right(self.starts, start) - 1
        return number >= 0 and self.starts[number] == start and self.heads[number]


def read_outline(text: str, blocks: Sequence[Span]) -> Outline:
    """Read the headings of `text`; where it has Markdown's, only those count."""
    parts = [text[start:end] for start, end in blocks]
    titles = [_read_markdown(part) for part in parts]
    if not any(titles):
        titles = [_read_plain(part) for part in parts]
    path: list[tuple[int, str]] = []
    paths = []
    for title in titles:
        if title:
            path = [*(one for one in path if one[0] < title[0]), title]
        paths.append(tuple(name for _, name in path))
    heads = tuple(is_heading(part) for part in parts)
    return Outline(tuple(start for start, _ in blocks), heads, tuple(paths))


def _read_markdown(block: str) -> tuple[int, str] | None:
    if is_code(block):
        return None
    first = block.lstrip("\n").partition("\n")[0]
    if match := _MARKDOWN.match(first):
        return len(match[1]), match[2]
    if match := _UNDERLINED.match(block.lstrip("\n")):
        return (1 if match[2][0] == "=" else 2), match[1].strip()
    return None


def _read_plain(block: str) -> tuple[int, str] | None:
    if not is_heading(block):
        return None
    title = " ".join(block.split())
    kind = title.split()[0].lower()
    if kind in _PARTS:
        return _PARTS.index(kind), title
    return (_CAPITALS if title.upper() == title else _PLAIN), title
