"""An English fact told from its other end in its own words, for models too small to turn it."""

import re

from generation_functions.pipelines.amounts import MONTHS
from generation_functions.pipelines.statements import read_statement
from generation_functions.pipelines.things import begin_within, names_thing
from generation_functions.records import Chunk

FEWEST_LEFT = 3  # words of a fact without its date

_DATE = rf"(?:the )?(?:\d{{1,2}} )?(?:(?:{'|'.join(MONTHS)}) )?(?:AD )?\d{{3,4}}(?: (?:BC|AD))?"
_DATED = re.compile(rf"(?P<fact>[A-Z][^;:“”?!]+?),? (?P<date>(?:in|on) {_DATE})\.", re.IGNORECASE)
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


def _begin_with_date(fact: str, chunk: Chunk) -> str:
    found = _DATED.fullmatch(fact)
    if not found or _CLAUSE.search(found["fact"]) or len(found["fact"].split()) < FEWEST_LEFT:
        return ""
    date = found["date"][:1].upper() + found["date"][1:]
    return f"{date} {begin_within(found['fact'], chunk)}."


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
