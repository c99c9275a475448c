"""The reasons that an answer gives: none where one is asked for, or one that the text lacks.

Measured on the 574 right pairs of tests/labelled_pairs: neither check refuses one of them.
"""

import re

from generation_functions.pipelines.roots import find_roots

MOST_REPEATED = 0.75  # share of a reason's roots that its question may have

_ASKS = re.compile(r"^\W*why\b", re.IGNORECASE)
# "So that" is left out: people put what follows from it into words of their own.
_REASON = re.compile(
    r"\b(?:because|since|in order to|so as to"
    r"|to (?:prevent|avoid|ensure|protect|help|allow|reduce|increase|improve|stop|keep))\b"
    r"([^,;.:]*)",
    re.IGNORECASE,
)


def find_invented_reason(answer: str, known: str) -> str | None:
    """Return a clause of the answer that gives a reason or an aim in no word of `known`."""
    roots = find_roots(known)
    for reason in _REASON.finditer(answer):
        told = find_roots(reason[1])
        if told and not told & roots:
            return reason[0].strip()
    return None


def lacks_reason(question: str, answer: str) -> bool:
    """Whether the answer to a "why" says little but what the question says."""
    told = find_roots(answer)
    return bool(
        _ASKS.match(question) and len(told & find_roots(question)) > MOST_REPEATED * len(told)
    )
