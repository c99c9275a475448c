"""The lines of a PDF page: what pypdf hands out in fragments, put together by their places."""

import re
from dataclasses import dataclass, field
from typing import Any

_LIGATURES = {
    "\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl",
    "\ufb05": "st", "\ufb06": "st",
}  # fmt: skip
_TABLE = str.maketrans({**_LIGATURES, "\0": None, "\u00a0": " ", "\u2028": " ", "\u2029": " "})
_SPACE = re.compile(r"\s+")
SAME_LINE = 0.4  # of the font's size: fragments this near in height stand on one line
WIDTH_OF_CHARACTER = 0.5  # of the font's size, on average


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text: where it starts, in points from the page's lower left, and its size."""

    text: str
    x: float
    y: float
    size: float


@dataclass(slots=True)
class LineCollector:
    """Takes the fragments of a page in the order of its content (pypdf's `visitor_text`)."""

    lines: list[Line] = field(default_factory=list)
    _parts: list[str] = field(default_factory=list)
    _start: tuple[float, float, float] | None = None

    def visit(self, text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
        """Take a fragment: `cm` and `tm` are the current and the text matrix."""
        if text.strip():
            x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            scale = abs(tm[3] * cm[3]) or abs(tm[1] * cm[2]) or 1.0
            points = round(max(0.1, size * scale), 1)
            if self._start and self._is_elsewhere(x, y, points):
                self.end_line()
            if self._start is None:
                self._start = (x, y, points)
        for number, part in enumerate(text.split("\n")):
            if number:
                self.end_line()
            self._parts.append(part)

    def _is_elsewhere(self, x: float, y: float, points: float) -> bool:
        """Say whether a fragment is another line's or column's, not this line's next word."""
        assert self._start is not None
        if abs(y - self._start[1]) > SAME_LINE * max(points, self._start[2]):
            return True
        length = len("".join(self._parts))
        reached = self._start[0] + length * self._start[2] * WIDTH_OF_CHARACTER
        return x < self._start[0] - points or x > reached * 1.15 + 4 * points

    def end_line(self) -> None:
        """Close the line that is being collected."""
        text = _SPACE.sub(" ", "".join(self._parts).translate(_TABLE)).strip()
        if text and self._start:
            x, y, size = self._start
            self.lines.append(Line(text, x, y, size))
        self._parts, self._start = [], None
