"""What two versions of a text have in common: words kept, lost, added and moved; numbers.

A damaged text and its repair differ in spaces, hyphens and letters that look alike. Such
words count as kept; what else differs is counted as lost, added or moved.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

NEAR_PAGE_EDGE = 60  # characters from a page's first: there a page number may stand
ALIKE = 0.85  # of two words' letters, once those that look alike are one: a repair

# Digits between letters are letters that were misread.
_WORD = re.compile(r"(?:\b0(?=[^\W\d_]))?[^\W\d_]+(?:['’015][^\W\d_]+)*(?:0\b)?")
_NUMBER = re.compile(r"\b(?:l?\d[lIO\d]*\d|\d)(?:[.,]\d+)*\b|\d+")
_LOOKS = str.maketrans("lIO", "110")
_LETTERS_OF_WORDS = re.compile(r"(?<=[a-z])[015](?=[a-z])|\b0(?=[a-z]{2})|(?<=[a-z]{2})0\b")
# Letters that look like others, then pairs that look like one, in this order.
_SINGLE = str.maketrans({"0": "o", "1": "l", "5": "s", "i": "l", "j": "l", "b": "h"})
_PAIRS = (("ll", "h"), ("rn", "m"), ("vv", "w"), ("cl", "d"), ("rl", "n"), ("c", "e"))


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it stands (`text`) and as it is meant ("l9O5": 1905).

    One that `may_go` is a page's number, or a letter that was taken for a digit.
    """

    text: str
    value: str
    start: int
    may_go: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many words of the first text are lost, of the second added, and how many moved."""

    lost: int
    added: int
    moved: int
    first: int
    second: int

    @property
    def kept_share(self) -> float:
        """Of the first text's words (1.0 when it has none)."""
        return 1 - self.lost / self.first if self.first else 1.0

    @property
    def added_share(self) -> float:
        """Of the second text's words."""
        return self.added / self.second if self.second else 0.0

    @property
    def moved_share(self) -> float:
        """Of the first text's words."""
        return self.moved / self.first if self.first else 0.0


def find_numbers(text: str, edges: Iterable[int] = ()) -> list[Number]:
    """Return the numbers in their order; pages begin at the characters `edges`."""
    starts = list(edges)
    letters = {match.start() for match in _LETTERS_OF_WORDS.finditer(text)}
    found = []
    for match in _NUMBER.finditer(text):
        value = match[0].translate(_LOOKS)
        near = any(
            start - NEAR_PAGE_EDGE <= match.start() < start + NEAR_PAGE_EDGE for start in starts
        )
        page_number = near and value.isdigit() and len(value) <= 4
        may_go = page_number or match.start() in letters
        found.append(Number(match[0], value, match.start(), may_go))
    return found


def numbers_survive(before: Sequence[Number], after: Sequence[Number]) -> bool:
    """Whether every number that may not go is still there, and no other has come."""
    all_before = Counter(number.value for number in before)
    needed = Counter(number.value for number in before if not number.may_go)
    given = Counter(number.value for number in after)
    return needed <= given <= all_before


def compare_words(before: str, after: str) -> Comparison:
    """Compare two texts word by word, without regard to case and punctuation."""
    one, two = _words(before), _words(after)
    lost: Counter[str] = Counter()
    added: Counter[str] = Counter()
    for kind, a, b, c, d in _align(one, two):
        if kind != "equal":
            gone, come = _cut_repair(one[a:b], two[c:d])
            lost.update(gone)
            added.update(come)
    moved = (lost & added).total()
    return Comparison(lost.total() - moved, added.total() - moved, moved, len(one), len(two))


def move_offsets(before: str, after: str, offsets: Sequence[int]) -> tuple[int, ...]:
    """Return where in `after` the words stand that follow `offsets` in `before`.

    An offset before a word that is gone moves on to the next word that is there.
    """
    if before == after:
        return tuple(offsets)
    old = [match.start() for match in _WORD.finditer(before)]
    new = [match.start() for match in _WORD.finditer(after)]
    places = [len(after)] * (len(old) + 1)
    for _, a, b, c, d in _align(_words(before), _words(after)):
        for number in range(a, b):
            target = min(c + number - a, d)
            if target < len(new):
                places[number] = new[target]
    return tuple(places[bisect_left(old, offset)] if offset else 0 for offset in offsets)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(text)]


def _align(one: Sequence[str], two: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    return list(SequenceMatcher(None, one, two, autojunk=False).get_opcodes())


def _cut_repair(one: Sequence[str], two: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return what is lost and added where some words, at an end of `one`, became `two`."""
    for cut in range(len(one) if two else 0):
        if _is_repair(one[cut:], two):
            return one[:cut], ()
        if _is_repair(one[: len(one) - cut], two):
            return one[len(one) - cut :], ()
    return one, two


def _is_repair(one: Sequence[str], two: Sequence[str]) -> bool:
    """Whether these words are others only in spaces and in letters that look alike."""
    first, second = _outline("".join(one)), _outline("".join(two))
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= ALIKE


def _outline(word: str) -> str:
    word = word.translate(_SINGLE)
    for letters, letter in _PAIRS:
        word = word.replace(letters, letter)
    return word
