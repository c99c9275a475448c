"""The reasons that an answer gives: none where one is asked for, or one that the text lacks.

Measured on the 574 right pairs of tests/labelled_pairs: neither check refuses one of them.
"""

import re

from generation_functions.pipelines.roots import find_roots

MOST_REPEATED = 0.75  # share of a reason's roots that its question may have
MOST_ASKED = 0.8  # share of the question's roots that are in an answer without a word of reason
LEAST_NEAR = 0.6  # share of an aim's roots that the quote has

_ASKS = re.compile(r"^\W*why\b", re.IGNORECASE)
# "So that" is left out: people put what follows from it into words of their own.
_REASON = re.compile(
    r"\b(?:because|since|in order to|so as to"
    r"|to (?:prevent|avoid|ensure|protect|help|allow|reduce|increase|improve|stop|keep))\b"
    r"([^,;.:]*)",
    re.IGNORECASE,
)
# Nobody who keeps or stops something need have it from one sentence; these are made up most.
_AIM = re.compile(
    r"in order to|so as to|to (?:prevent|avoid|ensure|protect|allow|reduce|increase|improve)",
    re.IGNORECASE,
)

_FOLLOWS = re.compile(
    r"\b(?:because|since|therefore|thus|hence|so that|due to|owing to)\b", re.IGNORECASE
)
# An answer that has none of these gives a reason only by telling something else.
_MAY_EXPLAIN = re.compile(
    r"\b(?:because|since|so|therefore|thus|hence|otherwise|lest|due|owing|result\w*|reasons?"
    r"|cause[sd]?|to (?!the\b|a\b|an\b|be\b)\w+|lets?|prevent\w*|mak(?:e|es|ing)"
    r"|by \w+ing)\b|[;:]|, (?:as|for)\b",
    re.IGNORECASE,
)


def asks_for_reason(question: str) -> bool:
    """Whether a question is a "why"."""
    return bool(_ASKS.match(question))


def gives_reason(answer: str) -> bool:
    """Whether an answer has words that lead to a reason or an aim."""
    return bool(_FOLLOWS.search(answer) or _REASON.search(answer))


def find_invented_reason(answer: str, known: str, quote: str) -> str | None:
    """Return a clause of the answer that gives a reason or an aim in no word of `known`.

    Or an aim of which the quote has little: small models end an order with an aim that they make
    of what stands around it.
    """
    roots, beside = find_roots(known), find_roots(quote)
    for reason in _REASON.finditer(answer):
        told = find_roots(reason[1])
        strange = len(told & beside) < LEAST_NEAR * len(told) and _AIM.match(reason[0])
        if told and (strange or not told & roots):
            return reason[0].strip()
    return None


def lacks_reason(question: str, answer: str) -> bool:
    """Whether the answer to a "why" says what the question says, and little else or no reason."""
    if not asks_for_reason(question):
        return False
    asked, told = find_roots(question), find_roots(answer)
    common = asked & told
    if not common:
        return False
    if len(common) > MOST_REPEATED * len(told):
        return not (_FOLLOWS.search(answer) and told - asked)
    return len(common) >= MOST_ASKED * len(asked) and not _MAY_EXPLAIN.search(answer)
