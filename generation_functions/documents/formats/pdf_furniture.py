"""Page furniture: running heads, feet and page numbers, which stand at one place on many pages."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from generation_functions.documents.formats.pdf_lines import Line

OUTER_ROWS = 3  # of each page, at its top and its bottom, that may be furniture
LEAST_PAGES = 3  # with the same line, before it is furniture; all pages of a shorter file
SAME_HEIGHT = 4.0  # points

_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b", re.I)
_PAGE_NUMBER = re.compile(
    r"\W*(?:p(?:age|\.)?|seite|página|pagina|стр\.)?\s*(\d{1,5}|[ivxlc]{1,7})"
    r"(?:\s*(?:/|of|von|de|sur|из)\s*\d{1,5})?\W*",
    re.I,
)


def drop_furniture(pages: list[list[Line]]) -> list[list[Line]]:
    """Return the pages without what repeats at their edges; numbers in it may vary.

    Only from the edge inwards: a line that text stands outside of is text.
    """
    edges = [(_rows(page), list(reversed(_rows(page)))) for page in pages]
    filled = sum(bool(page) for page in pages)
    least = min(LEAST_PAGES, max(2, filled))
    repeated = [_repeated((edge[side] for edge in edges), least) for side in (0, 1)]
    offsets = _page_number_offsets(pages)
    kept: list[list[Line]] = []
    for number, page in enumerate(pages):
        dropped: set[int] = set()
        for side in (0, 1):
            for row in edges[number][side][:OUTER_ROWS]:
                if len(dropped) + len(row) >= len(page) and not all(
                    _is_number(line) for line in row
                ):
                    break
                if not all(
                    _is_repeated(line, repeated[side]) or _numbered(line, number) in offsets
                    for line in row
                ):
                    break
                dropped.update(map(id, row))
        kept.append([line for line in page if id(line) not in dropped])
    return kept


def _rows(page: list[Line]) -> list[list[Line]]:
    """Lines of one height together, from the top down."""
    rows: list[list[Line]] = []
    for line in sorted(page, key=lambda line: -line.y):
        if rows and rows[-1][0].y - line.y < SAME_HEIGHT / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _key(line: Line) -> str:
    return _NUMBER.sub("#", line.text.casefold())


def _repeated(sides: Iterable[list[list[Line]]], least: int) -> dict[str, list[float]]:
    """The keys that stand on at least `least` pages at one height, with these heights."""
    heights: dict[str, list[float]] = defaultdict(list)
    for rows in sides:
        for row in rows[:OUTER_ROWS]:
            for line in row:
                heights[_key(line)].append(line.y)
    repeated: dict[str, list[float]] = {}
    for key, found in heights.items():
        counts = Counter(round(height / SAME_HEIGHT) for height in found)
        good = [at * SAME_HEIGHT for at, _ in counts.items() if _near(counts, at) >= least]
        if good:
            repeated[key] = good
    return repeated


def _near(counts: Counter[int], at: int) -> int:
    return counts[at - 1] + counts[at] + counts[at + 1]


def _is_repeated(line: Line, repeated: dict[str, list[float]]) -> bool:
    return any(abs(line.y - height) <= 1.5 * SAME_HEIGHT for height in repeated.get(_key(line), ()))


def _is_number(line: Line) -> bool:
    return _PAGE_NUMBER.fullmatch(line.text) is not None


def _numbered(line: Line, page: int) -> int | None:
    """How far the page's printed number is from its place in the file; None without one."""
    match = _PAGE_NUMBER.fullmatch(line.text)
    return int(match[1]) - page if match and match[1].isdigit() else None


def _page_number_offsets(pages: list[list[Line]]) -> set[int]:
    """The offsets that page numbers follow: those of at least three pages."""
    counts: Counter[int] = Counter()
    for number, page in enumerate(pages):
        rows = _rows(page)
        edge = {id(line): line for row in (*rows[:2], *rows[-2:]) for line in row}
        counts.update({at for line in edge.values() if (at := _numbered(line, number)) is not None})
    return {at for at, seen in counts.items() if seen >= LEAST_PAGES}
