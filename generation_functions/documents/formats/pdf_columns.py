"""Columns: pages whose lines were drawn across both columns are read column by column."""

from collections import Counter
from itertools import pairwise
from statistics import median

from generation_functions.documents.formats.pdf_lines import Line

LEAST_ROWS = 5  # with text in both columns, before a page is taken for two columns
SPANNING = 1.4  # of a column's usual line: such a line goes across both
LEAST_CHARACTERS = 18  # a column's typical line; less is a table's cell


def order_columns(lines: list[Line], width: float) -> list[Line]:
    """Return a page's lines in reading order, as far as their places tell.

    Most programs draw column after column, and then nothing is changed. Where a line of the
    right column follows the line of the left one at the same height, again and again, and
    the right ones start at one place, the page was drawn across.
    """
    pairs = [
        (left, right)
        for left, right in pairwise(lines)
        if abs(left.y - right.y) < 0.4 * left.size and right.x - left.x > 0.25 * width
    ]
    if len(pairs) < LEAST_ROWS or 3 * len(pairs) < len(lines) / 2:
        return lines
    (start, number), *_ = Counter(round(right.x) for _, right in pairs).most_common(1)
    length = median(min(len(left.text), len(right.text)) for left, right in pairs)
    if number < 0.6 * len(pairs) or length < LEAST_CHARACTERS:
        return lines
    gutter = start - 3
    usual = median(len(left.text) for left, _ in pairs)
    ordered: list[Line] = []
    waiting: list[Line] = []
    top = max(max(left.y, right.y) for left, right in pairs) + 1
    bottom = min(min(left.y, right.y) for left, right in pairs) - 1
    for line in lines:
        if line.y > top or (line.y < bottom and len(line.text) > SPANNING * usual):
            ordered.append(line)
        else:
            waiting.append(line)
    above = [line for line in ordered if line.y > top]
    below = [line for line in ordered if line.y <= top]
    left_column = [line for line in waiting if line.x < gutter]
    return [*above, *left_column, *(line for line in waiting if line.x >= gutter), *below]
