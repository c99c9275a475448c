"""What code alone can tell against a fact: that what it rests on does not tell it."""

import re

from generation_functions.pipelines.amounts import find_counts, known_amounts, known_months, months
from generation_functions.pipelines.landmarks import find_foreign
from generation_functions.pipelines.roots import share_known
from generation_functions.pipelines.wording import find_pointers

LEAST_TOLD = 0.4  # share of a fact's roots that what it rests on has

# What names nothing by itself, at the beginning of a fact.
UNNAMED = re.compile(
    r"(?![Ii]t (?:is|was|takes|took|\w+ (?:be|been|take)) [^.]*\b(?:to|that)\b)"
    r"(?:I(?!\.\w)|[Ii]t|[Tt]hey|[Hh]e|[Ss]he|[Ww]e|[Ii]ts|[Tt]h(?:is|at|[eo]se)"
    r"|(?:[Tt]heir|[Hh](?:is|er)|[Oo]ur|[Mm]y)(?! (?:Majest|Highness|Excellenc|Holiness|Honou?r"
    r"|Lordship|Ladyship|Eminence|Grace|Lady)))\b(?! (?:who|which)\b)"
)


def find_fault(text: str, told_by: str, known: str, language: str) -> str:
    """Return why a fact does not pass, "" if it does.

    Its figures and dates, and most of its words, have to be in what it rests on (`told_by`);
    its names also in `known`: who calls by its name what a sentence calls "it" takes the name
    from before it.
    """
    if find_pointers(text):
        return "speaks of the text"
    if UNNAMED.match(text):
        return "does not name what it is about"
    if find_counts(text) - known_amounts(told_by) or months(text) - known_months(told_by):
        return "a figure that is not in what it rests on"
    if find_foreign(text, f"{known}\n{told_by}", language):
        return "a name that is not in what it rests on"
    if share_known(text, told_by) < LEAST_TOLD:
        return "other words than what it rests on"
    return ""
