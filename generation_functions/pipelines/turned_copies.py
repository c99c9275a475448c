"""English facts told from their other end, and in the order of their dates, in their own words: for
models too small to turn them, or to tell what follows from them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from generation_functions.pipelines.amounts import MONTHS
from generation_functions.pipelines.statements import read_statement
from generation_functions.pipelines.things import begin_within, names_thing
from generation_functions.records import Chunk

MOST_ORDERED = 6  # as many lines as the grammar of what follows has
FEWEST_LEFT = 3  # words of a fact without its date

_DATE = rf"(?:\d{{1,2}} )?(?:(?:{'|'.join(MONTHS)}) )?(?:AD )?(?:\d{{3,4}}|\d{{1,4}} (?:BC|AD))"
_DATED = re.compile(rf"(?P<fact>[A-Z][^;:“”?!]+?),? (?P<date>(?:in|on) {_DATE})\.", re.IGNORECASE)
_YEAR = re.compile(r"(?P<year>\d{1,4})(?: (?P<era>BC|AD))?$")
# "The dam was built by Ada Lunn in 1871.": a participle that is also the past of its verb.
_DID = r"\w+ed|built|found|held|led|made|sold|taught|won"
_DOER = r"(?:the )?[A-Z][\w’'-]+(?: (?:and|of|[A-Z][\w’'.-]*))*"
_DONE_BY = re.compile(
    rf"(?P<thing>(?:The|An?) [^,;:“”]+?) (?:was|were) (?P<did>{_DID}) by (?P<who>{_DOER})"
    r"(?P<rest>(?: [^,;:“”]+)?)\."
)
_CLAUSE = re.compile(
    r",|\b(?:as|because|but|from|if|since|than|that|until|when|where|which|while|who)\b"
    r"|\band (?:is|are|was|were|has|had|came|went|\w+ed)\b|\bin \d{4}|^(?:In|On|After|Before) "
)
MOST_NAMED = 4  # words of a predicate that may be a subject, without "the"


def turn_round(fact: str, chunk: Chunk) -> str:
    """Return a fact of one sentence with its date, its doer or its predicate first; "" where code
    cannot tell how."""
    if "“" in fact or ". " in fact.removesuffix("."):
        return ""
    return _name_doer(fact, chunk) or _exchange(fact, chunk) or _begin_with_date(fact, chunk)


def order_by_dates(facts: Sequence[str], chunk: Chunk) -> list[tuple[tuple[int, int], str]]:
    """Return what two facts of different years tell together, one "before" the other, with their
    numbers, from 1; each with the next one later, and at most MOST_ORDERED of them."""
    dated = [
        (year, number, event)
        for number, fact in enumerate(facts, start=1)
        if (event := _split_date(fact)) and (year := _find_year(event.date)) is not None
    ]
    found = []
    for (year, number, event), (later, other, then) in pairwise(sorted(dated)):
        if year < later:
            told = f"{event.told} before {begin_within(then.told, chunk)}."
            found.append(((min(number, other), max(number, other)), told))
    return found[:MOST_ORDERED]


@dataclass(frozen=True, order=True, slots=True)
class _Event:
    """What a fact tells without its date, and "in 1871"."""

    told: str
    date: str


def _split_date(fact: str) -> _Event | None:
    found = _DATED.fullmatch(fact)
    if not found or _CLAUSE.search(found["fact"]) or len(found["fact"].split()) < FEWEST_LEFT:
        return None
    return _Event(found["fact"], found["date"])


def _find_year(date: str) -> int | None:
    found = _YEAR.search(date)
    if not found:
        return None
    return -int(found["year"]) if found["era"] == "BC" else int(found["year"])


def _begin_with_date(fact: str, chunk: Chunk) -> str:
    event = _split_date(fact)
    if not event:
        return ""
    return f"{event.date[:1].upper()}{event.date[1:]} {begin_within(event.told, chunk)}."


def _name_doer(fact: str, chunk: Chunk) -> str:
    """ "The dam was built by Ada Lunn." tells that Ada Lunn built the dam."""
    found = _DONE_BY.fullmatch(fact)
    if not found or _CLAUSE.search(found["thing"]):
        return ""
    who = found["who"][:1].upper() + found["who"][1:]
    return f"{who} {found['did']} {begin_within(found['thing'], chunk)}{found['rest']}."


def _exchange(fact: str, chunk: Chunk) -> str:
    """ "The keeper of the mill is Ada Lunn." tells that Ada Lunn is the keeper of the mill."""
    told = read_statement(fact)
    if not told or told.verb not in ("is", "are", "was", "were"):
        return ""
    if _CLAUSE.search(told.rest) or _CLAUSE.search(told.subject):
        return ""
    is_short = len(told.rest.split()) <= MOST_NAMED and names_thing(told.rest)
    is_one = told.subject.startswith("The ") and " of " in told.subject
    named = told.rest[:1].isupper() or (is_one and is_short)
    if not told.rest.startswith("the ") and not named:
        return ""
    other = told.rest[:1].upper() + told.rest[1:]
    return f"{other} {told.verb} {begin_within(told.subject, chunk)}."
