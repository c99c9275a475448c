"""Hyphens at line ends: taken out where a word was broken, kept where they belong to it."""

import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_COMPOUND = re.compile(r"[^\W\d_]+(?:[-‐][^\W\d_]+)+")
_BROKEN = re.compile(r"([^\W\d_]+)[-‐\u00ad]$")
_FIRST = re.compile(r"[^\W\d_]+")
_SOFT = "\u00ad"
HYPHENATED_SHARE = 0.03  # of lines ending in a hyphen: above it, words were broken on purpose
_KEEP_AFTER = frozenset(
    """self well half ill non ex cross all so to by in quasi semi anti pre post vice twenty thirty
    forty fifty sixty seventy eighty ninety""".split()
)


class Hyphens:
    """Decides by the other words of the same document; needs no dictionary."""

    def __init__(self, lines: Sequence[str]) -> None:
        """`lines` are all lines of the document, in their order."""
        self._words: Counter[str] = Counter()
        self._compounds: Counter[str] = Counter()
        broken = []
        for number, line in enumerate(lines):
            inner = line
            if match := _BROKEN.search(line):
                inner = line[: match.start()]
                if number + 1 < len(lines) and (first := _FIRST.match(lines[number + 1])):
                    broken.append((match[1], first[0]))
            words = [word.casefold() for word in _WORD.findall(inner.replace(_SOFT, ""))]
            self._words.update(words[1:] if number else words)
            self._compounds.update(
                word.casefold().replace("‐", "-") for word in _COMPOUND.findall(inner)
            )
        joined = sum((one + two).casefold() in self._words for one, two in broken)
        kept = sum(f"{one}-{two}".casefold() in self._compounds for one, two in broken)
        often = len(broken) >= HYPHENATED_SHARE * max(1, len(lines))
        self._breaks_words = joined > kept or (joined == kept and often)

    def join(self, before: str, after: str) -> tuple[str, int]:
        """How `after` continues `before`: what goes between, what `before` loses at its end."""
        match = _BROKEN.search(before)
        first = _FIRST.match(after)
        if match is None or first is None:
            if before.endswith(_SOFT):
                return "", 1
            return ("" if before.endswith(("-", "‐", "—", "–")) and _glues(before) else " "), 0
        if before.endswith(_SOFT):
            return "", 1
        return ("", 0) if self._is_compound(before, match[1], first[0]) else ("", 1)

    def _is_compound(self, before: str, one: str, two: str) -> bool:
        """Say whether the hyphen belongs to the word."""
        left, right = one.casefold(), two.casefold()
        joined, compound = self._words[left + right], self._compounds[f"{left}-{right}"]
        if joined or compound:
            return compound >= joined
        if two[:1].isupper():
            return True
        both = self._words[left] > 0 and self._words[right] > 0
        if both and re.search(r"[-‐][^\W\d_]+[-‐]$", before):  # on-the-/spot
            return True
        if self._breaks_words:
            return both and (left in _KEEP_AFTER or (len(left) > 3 and len(right) > 3))
        return True


def _glues(before: str) -> bool:
    """A dash with a letter before it stands between words without spaces."""
    return len(before) > 1 and not before[-2].isspace()
