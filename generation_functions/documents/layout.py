"""What blank lines and line starts say about a text: blocks, units, headings.

A block is what blank lines set apart. A unit is the part of a block that no sentence
crosses: a heading, a list item, a table row, or the lines of a paragraph. All spans are
contiguous: a block or unit ends where the next one starts, so nothing is lost.
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]

WRAPPED_LINE = 120  # a longer line was not wrapped by hand: its end is a paragraph's end
HEADING_CHARACTERS = 120
HEADING_WORDS = 14

_MARKDOWN_HEADING = re.compile(r" {0,3}#{1,6}(\s|$)")
_UNDERLINE = re.compile(r" {0,3}(={3,}|-{3,})\s*$")
_BULLET = re.compile(r"\s*[-*+•‣]\s+\S")
_NUMBERED = re.compile(r"\s*(\(?\d{1,3}[.)]|\(?[a-z][)]|\([ivx]{1,5}\)|\[\d{1,3}\])\s+\S")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")
_NAMED_PART = re.compile(r"(chapter|part|book|section|appendix|volume)\s+[\divxlc]+\b", re.I)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.splitlines(keepends=True):
        yield start, line
        start += len(line)


def _spans(starts: list[int], length: int) -> list[Span]:
    return list(zip(starts, [*starts[1:], length], strict=True)) if length else []


def split_blocks(text: str) -> list[Span]:
    """Split at blank lines and before Markdown headings; fenced code is one block."""
    starts = [0]
    seen, blank = False, False
    code_ends = dict(_fences(text))
    code_end = 0
    for start, line in _lines(text):
        if start < code_end:
            continue
        code_end = code_ends.get(start, 0)
        if not line.strip():
            blank = True
            continue
        if seen and (blank or _MARKDOWN_HEADING.match(line)):
            starts.append(start)
        seen, blank = True, False
    return _spans(starts, len(text))


def _fences(text: str) -> list[Span]:
    """Fenced code, from the line that opens it to the end of the one that closes it."""
    marks = [(at, at + len(line)) for at, line in _lines(text) if _FENCE.match(line)]
    return [(one[0], two[1]) for one, two in zip(marks[::2], marks[1::2], strict=False)]


def is_code(block: str) -> bool:
    """Say whether a block is fenced code as a whole."""
    fences = _fences(block)
    return bool(fences) and not block[: fences[0][0]].strip() and not block[fences[0][1] :].strip()


def split_lines(text: str) -> list[Span]:
    """Split after every line."""
    return [(start, start + len(line)) for start, line in _lines(text)]


def split_units(text: str) -> list[Span]:
    """Split into the parts that no sentence crosses."""
    starts = [0]
    previous = ""
    in_list, in_capitals = False, False
    for start, line in _lines(text):
        if _starts_unit(line, previous, in_list, in_capitals) and start:
            starts.append(start)
            in_list, in_capitals = False, False
        if line.strip():
            if not previous.strip() or start == starts[-1]:
                in_list = bool(_BULLET.match(line) or _NUMBERED.match(line))
                in_capitals = _is_capitals(line)
            else:
                in_capitals = in_capitals and _is_capitals(line)
        previous = line
    return _spans(starts, len(text))


def _starts_unit(line: str, previous: str, in_list: bool, in_capitals: bool) -> bool:
    if not line.strip():
        return False
    if not previous.strip():
        return True
    if not _LETTER_OR_DIGIT.search(line):
        return False  # a heading's underline, a table's rule
    begins, began = line.lstrip()[0], previous.lstrip()[0]
    return bool(
        (begins == "#" and _MARKDOWN_HEADING.match(line))
        or (began == "#" and _MARKDOWN_HEADING.match(previous))
        or (began in "=-" and _UNDERLINE.match(previous))
        or begins == "|"
        or began == "|"
        or _BULLET.match(line)
        or (_NUMBERED.match(line) and (in_list or previous.rstrip()[-1:] in ".:;!?"))
        or (in_capitals and not _is_capitals(line))
        or max(len(line), len(previous)) > WRAPPED_LINE
    )


def _is_capitals(line: str) -> bool:
    if line.upper() != line:
        return False
    letters = [character for character in line if character.isalpha()]
    return len(letters) >= 4 and all(letter.isupper() for letter in letters)


def is_heading(block: str) -> bool:
    """Say whether a block stands above what follows it: a title, not a statement."""
    lines = block.strip().splitlines()
    if not lines or len(lines) > 3:
        return False
    if len(lines) == 1 and _MARKDOWN_HEADING.match(lines[0]):
        return True
    if len(lines) == 2 and _UNDERLINE.match(lines[1]):
        return True
    words = " ".join(lines).split()
    title = " ".join(words)
    if len(title) > HEADING_CHARACTERS or len(words) > HEADING_WORDS:
        return False
    if _NAMED_PART.match(title) or _is_capitals(title):
        return True
    plain = all(character.isalnum() or character in " ,'’\"“”():;&-–—./_*" for character in title)
    letters = sum(character.isalpha() for character in title)
    starts = next((character for character in title if character.isalnum()), "a")
    return (
        plain
        and letters >= 0.6 * len(title.replace(" ", ""))
        and (starts.isupper() or starts.isdigit())
        and title[-1] not in ".!?:;,"
        and not _BULLET.match(lines[0])
    )
