"""When a conversation takes place: an era is drawn, and what is written has to keep to it."""

import re
from collections.abc import Sequence

from generation_functions.choosing import rank
from generation_functions.records import ConversationInfo

_YEAR = re.compile(r"(?<![\d.,])(1[0-9]\d\d|20\d\d)(s)?(?![\d%]|[.,]\d)")
# What stands before a year, and what stands behind a number that is none ("1500 hens").
_DATES = re.compile(
    r"(?:^|[(\[,_]\s?|\d{4}s?\s?[-–/]\s?|\d{4} (?:and|to|or) |\b(?:in|since|by|of|from|until|till"
    r"|before|after|around|circa|during|between|early|late|published|born|died|years?|it (?:is|was)"
    r"|year (?:is|was)|spring|summer|autumn|winter"
    r"|(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?)\s)$",
    re.IGNORECASE,
)
_UNITS = re.compile(r"\s(?:rpm|people|men|women|children|feet|miles|per|[kcm]?[mg])\b")
_PLURAL = re.compile(r"\s(?!(?:was|is|has|this|its|as)\b)[a-z]+s\b")
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
        (int(match[1]), int(match[1]) + (9 if match[2] else 0))
        for match in _YEAR.finditer(text)
        if match[2] or _is_dated(text, match)
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


def _is_dated(text: str, number: re.Match[str]) -> bool:
    """Whether a number stands as a year does; of round ones, not before a plural."""
    before = text[max(0, number.start() - 30) : number.start()]
    if _UNITS.match(text, number.end()):
        return False
    counts = number[1].endswith("00") and _PLURAL.match(text, number.end())
    return bool(_DATES.search(before)) and not counts


def _ends(era: str) -> int:
    return max((last for _, last in find_spans(era)), default=_PRESENT[1])
