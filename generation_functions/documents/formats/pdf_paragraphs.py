"""From lines to paragraphs: what was one paragraph before it was set is one again."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from generation_functions.documents.formats.hyphens import Hyphens
from generation_functions.documents.formats.pdf_lines import Line

PARAGRAPH_GAP = 1.3  # of the usual distance of lines
INDENT = 0.7  # of the font's size
SHORT = 0.75  # of the usual length: such a line ends its paragraph, if a sentence ends with it
HEADING_SIZE = 1.12  # of the body's
HEADING_CHARACTERS = 160
MOST_HEADING_SIZES = 4

_BULLET = re.compile(r"^[•‣◦▪●■\u2043\uf0b7]\s*(?=\S)")
_ITEM = re.compile(r"(?:[-–*•‣◦▪●■\u2043\uf0b7]|\(?(?:\d{1,3}|[a-z])[.)]|\([ivx]{1,5}\))\s+\S")
_SENTENCE_END = re.compile(r"[.!?:;…。！？]['\"’”)\]»]*$")


@dataclass(frozen=True, slots=True)
class _Usual:
    """What is usual in the document: the body's size, distance and length of its lines."""

    size: float
    distance: float
    length: float
    levels: dict[float, int]


def write_pages(pages: list[list[Line]]) -> tuple[str, tuple[int, ...]]:
    """Return the text with its paragraphs, and the offset at which each page begins."""
    usual = _measure(pages)
    hyphens = Hyphens([line.text for page in pages for line in page])
    starts: list[int] = []
    parts: list[str] = []
    length = 0
    previous: Line | None = None
    margin = 0.0
    in_item = in_bullet = False
    for page in pages:
        first = True
        for number, line in enumerate(page):
            content = line.text
            if first or previous is None or line.y > previous.y:
                margin = _margin(page[number:], usual)
            starts_block = previous is None or _starts_block(
                line, previous, usual, margin, first, in_item
            )
            if starts_block:
                was_bullet, in_item = in_bullet, bool(_ITEM.match(content))
                content, bullets = _BULLET.subn("- ", content, count=1)
                in_bullet = bullets > 0
                level = _level(line, usual)
                blank = "\n" if was_bullet and in_bullet else "\n\n"
                joint = (blank if parts else "") + ("#" * level + " " if level else "")
            else:
                joint, cut = hyphens.join(parts[-1], content)
                if cut:
                    parts[-1] = parts[-1][:-cut]
                    length -= cut
            parts.append(joint)
            length += len(joint)
            if first:
                starts.append(length)
                first = False
            parts.append(content)
            length += len(content)
            previous = line
        if first:
            starts.append(length)
    text = "".join(parts)
    return text, tuple(min(start, len(text)) for start in starts)


def _measure(pages: list[list[Line]]) -> _Usual:
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            sizes[line.size] += len(line.text)
    size = sizes.most_common(1)[0][0] if sizes else 10.0
    body = [[line for line in page if line.size == size] for page in pages]
    distances = [
        one.y - two.y
        for page in body
        for one, two in pairwise(page)
        if 0.5 * size < one.y - two.y < 4 * size
    ]
    lengths = sorted(len(line.text) for page in body for line in page)
    rounded = Counter(round(distance, 0) for distance in distances)
    usual = rounded.most_common(1)[0][0] if rounded else 1.2 * size
    near = [distance for distance in distances if abs(distance - usual) <= 1]
    larger = sorted({one for one in sizes if one > HEADING_SIZE * size}, reverse=True)
    levels = {one: min(rank, MOST_HEADING_SIZES) for rank, one in enumerate(larger, 1)}
    return _Usual(
        size,
        median(near) if near else usual,
        lengths[int(0.8 * (len(lengths) - 1))] if lengths else 0,
        levels,
    )


def _margin(lines: list[Line], usual: _Usual) -> float:
    """The left edge of the column that begins with `lines`: where most of its lines start."""
    column: list[float] = []
    height = float("inf")
    for line in lines:
        if line.y > height + usual.size:
            break
        height = line.y
        column.append(round(line.x, 0))
    return Counter(column).most_common(1)[0][0]


def _level(line: Line, usual: _Usual) -> int:
    return usual.levels.get(line.size, 0) if len(line.text) <= HEADING_CHARACTERS else 0


def _starts_block(
    line: Line, previous: Line, usual: _Usual, margin: float, new_page: bool, in_item: bool
) -> bool:
    """Say whether a line begins a paragraph, heading or list item of its own."""
    if abs(line.size - previous.size) > 0.1 * usual.size and (
        _level(line, usual) or _level(previous, usual)
    ):
        return True
    if _ITEM.match(line.text) and (
        in_item or _ends_sentence(previous) or _is_short(previous, usual)
    ):
        return True
    if new_page or line.y > previous.y + usual.size:  # the next page or column
        return (_ends_sentence(previous) and _is_short(previous, usual)) or (
            _is_indented(line, usual, margin) and _ends_sentence(previous)
        )
    if previous.y - line.y > PARAGRAPH_GAP * usual.distance * max(1.0, line.size / usual.size):
        return True
    if _is_indented(line, usual, margin) and not in_item:
        return previous.x < line.x - INDENT * usual.size
    return _ends_sentence(previous) and _is_short(previous, usual) and not line.text[:1].islower()


def _ends_sentence(line: Line) -> bool:
    return _SENTENCE_END.search(line.text) is not None


def _is_short(line: Line, usual: _Usual) -> bool:
    return len(line.text) < SHORT * usual.length


def _is_indented(line: Line, usual: _Usual, margin: float) -> bool:
    return INDENT * usual.size < line.x - margin < 8 * usual.size
