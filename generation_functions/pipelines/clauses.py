"""Which of several things a clause of a text is about, and whose figures it gives."""

import re
from collections.abc import Iterable, Iterator, Sequence

from generation_functions.pipelines.exchange_checks import mentions
from generation_functions.pipelines.turn_words import digits

_CLAUSE = re.compile(
    r"[;:]|,(?!\d)|(?=\.(?:\s+[A-Z]|$))|\b(?:and|while|whereas|but|against|than)\b"
)


def find_swapped(answer: str, lines: Iterable[str], things: Sequence[str]) -> str:
    """Return a clause of an answer whose only figure the lines give to another thing; "" without.

    A figure that no clause of the lines gives to one of the things is passed over.
    """
    told: dict[str, set[str]] = {}
    for line in lines:
        for thing, figures, _ in _list_clauses(line, things, carried=False):
            for figure in figures:
                told.setdefault(figure, set()).add(thing)
    for thing, figures, clause in _list_clauses(answer, things, carried=True):
        if len(figures) == 1 and any(thing not in told.get(one, {thing}) for one in figures):
            return clause
    return ""


def _list_clauses(
    text: str, things: Sequence[str], carried: bool
) -> Iterator[tuple[str, frozenset[str], str]]:
    """Yield each clause that is about one of the things, with it and with the clause's figures.

    With `carried`, one that names none is about what the clause before it in its sentence is about.
    """
    about: list[str] = []
    named_by = digits(" ".join(things))
    for clause in _CLAUSE.split(text):
        named = [thing for thing in things if mentions(clause, thing)]
        about = named or (about if carried and not clause.startswith(".") else [])
        if len(about) == 1:
            yield about[0], digits(clause) - named_by, clause.strip(" .")
