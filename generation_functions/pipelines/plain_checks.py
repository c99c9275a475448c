"""Whether plain words still tell what a sentence tells, and have left its wording behind.

All by code: figures, units, bounds ("more than 80"), names, denials, "some" and "many", the words.
It does not see who did what to whom; a share of the words that is kept leaves little room for that.
"""

import re

from pydantic import Field

from generation_functions.pipeline_sections import PipelineSection
from generation_functions.pipelines.landmarks import find_foreign
from generation_functions.pipelines.measures import (
    BOUNDS,
    is_bound_changed,
    is_level_changed,
    list_units,
)
from generation_functions.pipelines.roots import find_roots, share_known
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.wording import find_pointers, strange_script
from generation_functions.steps.copying import share_copied

RUN = 5  # words in a row by which wording is compared
LEAST_SHARED = 0.3  # share of the plain words' roots that the passage has
MOST_BORROWED = 3  # words that only other sentences of the passage have, such as what "it" is
LEAST_CLAUSE = 3  # words of a clause of which one at least must be told
SLACK = 20  # characters that plain words may have more than the limit, for short sentences

_SYMBOL = re.compile(r"(?<![^\W_])_([^\W\d_]{1,2})_(?![^\W_])")  # in italics, as formulas have
_ASIDE = re.compile(r",? (?:however|indeed|moreover|of course|therefore),")  # "does not, however,"
_BETWEEN_CLAUSES = re.compile(r"[,;:()]|--+|—")
_DENIAL = re.compile(
    r"\b(?:not?(?! but| only)|never|neither|nor|none|nothing|nobody|nowhere|without"
    r"|cannot(?! but)|hardly|scarcely|seldom|rarely|barely)\b|n['’]t\b",
    re.IGNORECASE,
)
# What may stand in the place of a denial, or have one in its place.
_NEAR_DENIAL = re.compile(
    r"\b(?:un(?!der|til|it|ion|iver|less)\w{4,}|\w+less|im(?:mobile|movable|perfect|permeable"
    r"|possible|probable|pure)|ir(?:regular|relevant|reversible)|in(?:active|animate|appreciable"
    r"|capable|combustible|complete|considerable|convenient|definite|dependent|different|direct"
    r"|exact|significant|soluble|sufficient|visible)|dis(?:agree|appear|connect|continu|like|regard"
    r"|similar)\w*)(?:ly)?\b"
    r"|\b(?:few|little|less|least|only|but|except|rather|instead|lacks?|lacked|lacking|fails?|failed"
    r"|free (?:from|of)|unless|until|stops?|stopped|refused?|missed|too|avoid\w*)\b",
    re.IGNORECASE,
)


class PlainLimits(PipelineSection):
    """How far plain words may stray from a sentence, and how near its wording they may stay.

    Shares are from 0 to 1.
    """

    least_kept: float = Field(default=0.6, ge=0, le=1)  # of the sentence's words, in any form
    most_copied: float = Field(default=0.25, ge=0, le=1)  # of the plain words' runs of RUN words
    least_length_ratio: float = Field(default=0.4, ge=0)  # of characters, to those of the sentence
    most_length_ratio: float = Field(default=2.0, ge=0)


def find_fault(
    sentence: str, plain: str, known: str, language: str, limits: PlainLimits
) -> str | None:
    """Return how plain words fail a sentence: they have its wording, or not its facts. Or None.

    `known` is all that they may take figures and names from: the passage, and its source.
    """
    if len(plain) < limits.least_length_ratio * len(sentence):
        return "much shorter than the sentence"
    if len(plain) > limits.most_length_ratio * len(sentence) + SLACK:
        return "much longer than the sentence"
    if strange_script(plain, known) or share_known(plain, known) < LEAST_SHARED:
        return "other words than the passage"
    if find_foreign(plain, known, language):
        return "a figure or name that the passage lacks"
    if find_strange(sentence, plain, language):
        return "a figure or name is lost"
    if list_units(plain) - list_units(known):
        return "a unit that the passage lacks"
    sentence, plain = _ASIDE.sub("", sentence), _ASIDE.sub("", plain)
    if set(_SYMBOL.findall(sentence)) - set(re.findall(r"[^\W_]+", plain)):
        return "a symbol is lost"
    if is_bound_changed(sentence, plain):
        return "a bound is changed"
    if is_level_changed(sentence, plain):
        return "some has become many, or often always"
    if _is_denial_changed(sentence, plain):
        return "a denial is lost or made up"
    if set(find_pointers(plain)) - set(find_pointers(known)):
        return "speaks of the text"
    if share_copied(plain, sentence, RUN) > limits.most_copied:
        return "the wording of the passage"
    if share_known(sentence, plain) < limits.least_kept:
        return "words are lost"
    if _is_clause_lost(sentence, plain):
        return "a clause is lost"
    if len((find_roots(plain) & find_roots(known)) - find_roots(sentence)) > MOST_BORROWED:
        return "tells other sentences too"
    return None


def _is_clause_lost(sentence: str, plain: str) -> bool:
    """Whether of a clause nothing at all is told."""
    told = find_roots(plain)
    clauses = map(find_roots, _BETWEEN_CLAUSES.split(sentence))
    return any(len(one) >= LEAST_CLAUSE and one.isdisjoint(told) for one in clauses)


def _is_denial_changed(sentence: str, plain: str) -> bool:
    """Whether one of them denies something, and the other has no word that could stand for it."""
    sentence, plain = BOUNDS.sub("", sentence), BOUNDS.sub("", plain)  # "not more than"
    denied = bool(_DENIAL.search(sentence))
    if denied == bool(_DENIAL.search(plain)):
        return False
    return not _NEAR_DENIAL.search(plain if denied else sentence)
