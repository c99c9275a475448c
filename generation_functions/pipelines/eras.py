"""When a conversation takes place: an era is drawn, and what is written has to keep to it."""

import re
from collections.abc import Sequence

from generation_functions.choosing import rank
from generation_functions.records import ConversationInfo

_YEAR = re.compile(r"(?<![\d.,])(1[0-9]\d\d|20\d\d)(s)?(?![\d%]|[.,]\d)")
_CENTURY = re.compile(r"\b(1\d|20|21)(?:st|nd|rd|th)[ -]century", re.IGNORECASE)
_CENTURIES = {
    "sixteenth": 16,
    "seventeenth": 17,
    "eighteenth": 18,
    "nineteenth": 19,
    "twentieth": 20,
    "twenty-first": 21,
}
_CENTURY_WORD = re.compile(rf"\b({'|'.join(_CENTURIES)})[ -]century", re.IGNORECASE)
_PRESENT = (2000, 2099)  # what an era without a year (the present day) may say
_LIFE = 90  # years that a person of the era may look back on


def find_spans(text: str) -> list[tuple[int, int]]:
    """Return the first and last year of each year, decade and century that a text names."""
    years = [
        (int(match[1]), int(match[1]) + (9 if match[2] else 0)) for match in _YEAR.finditer(text)
    ]
    numbered = [int(match[1]) for match in _CENTURY.finditer(text)]
    worded = [_CENTURIES[match[1].lower()] for match in _CENTURY_WORD.finditer(text)]
    return years + [(100 * (one - 1), 100 * one - 1) for one in numbered + worded]


def choose_era(eras: Sequence[str], info: ConversationInfo, seed: int) -> str:
    """Return an era for the conversation, "" where there is none to choose from.

    An era that is over before the latest year that source or chunk name is not drawn: nobody
    could talk of the subject then. Where that leaves none, the latest of the eras is taken.
    """
    known = [last for _, last in find_spans(f"{info.chunk.source}\n{info.chunk.text}")]
    latest = max(known, default=0)
    possible = [era for era in eras if _ends(era) >= latest]
    if eras and not possible:
        return max(eras, key=_ends)
    return rank(possible, seed, info.uuid, "era")[0] if possible else ""


def leaves_era(text: str, era: str, lives: bool = False) -> bool:
    """Whether a text names a year outside of the era; with `lives`, the years before it fit too."""
    if not era:
        return False
    spans = find_spans(era)
    first, last = (spans[0][0], spans[-1][1]) if spans else _PRESENT
    if spans and spans[0][0] == spans[-1][1]:  # "around 2040"
        first, last = first - 5, last + 5
    first -= _LIFE if lives else 0
    return any(begins > last or ends < first for begins, ends in find_spans(text))


def _ends(era: str) -> int:
    return max((last for _, last in find_spans(era)), default=_PRESENT[1])
