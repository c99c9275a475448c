"""Whether a reply gives an exam's answer exactly: its figures, its names, its words.

Told by code alone, so that it is the same for every model and costs nothing. It is strict: a right
answer in quite other words does not count. That is what the judge is for.
"""

import re

from generation_functions.pipelines.amounts import amounts, known_amounts
from generation_functions.pipelines.exam_steps import ExamQuestion
from generation_functions.pipelines.landmarks import find_foreign
from generation_functions.pipelines.roots import find_roots

LEAST_SHARED = 0.6  # of the answer's own roots that a reply has

_LETTERS = re.compile(r"[^\W\d_]+")
_NOT = re.compile(r"\b(?:not|no|never|neither|nor|none|without)\b|n['’]t\b", re.IGNORECASE)


def is_exact(question: ExamQuestion, reply: str) -> bool:
    """Whether a reply has every figure, month and name of the right answer, and most of its words.

    It must have no figure or name that neither question nor source has, nor a second figure where
    one is asked for: who names several years does not know which. Nor may it deny the answer.
    """
    answer, language = question.answer, question.chunk.language
    if not reply or bool(_NOT.search(reply)) != bool(_NOT.search(answer)):
        return False
    if find_foreign(_place_inside(answer), reply, language):
        return False
    known = "\n".join((answer, question.question, question.quote, question.chunk.source))
    if find_foreign(reply, known, language) or _has_other_figures(question, reply):
        return False
    own = _find_own(answer) - _find_own(question.question) or _find_own(answer)
    return len(own & _find_own(reply)) >= LEAST_SHARED * len(own)


def _place_inside(answer: str) -> str:
    """Return a sentence with the answer inside, so that a capital tells a name ("It is Flax")."""
    first, _, rest = answer.partition(" ")
    return f"It is {first.lower() if known_amounts(first) else first} {rest}"


def _has_other_figures(question: ExamQuestion, reply: str) -> bool:
    asked = known_amounts(question.answer) | known_amounts(question.question)
    return bool(amounts(question.answer) and amounts(reply) - asked)


def _find_own(text: str) -> frozenset[str]:
    """Return the figures of a text and the roots of its other words; "three" is 3."""
    plain = " ".join(word for word in _LETTERS.findall(text) if not known_amounts(word))
    return find_roots(plain) | amounts(text) or find_roots(text)
