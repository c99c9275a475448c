"""What a text has that another does not: a number, a month, a name."""

import re
from collections.abc import Set
from functools import lru_cache

from generation_functions.pipelines.amounts import amounts, known_amounts, known_months, months
from generation_functions.pipelines.wording import names

ENDING = 4  # letters by which a form of a name is longer or shorter


def find_strange(text: str, known: str, language: str) -> str | None:
    """Return a number, month or name of `text` that `known` does not have.

    In German every noun has a capital, so that no name can be told from it.
    """
    for number in sorted(amounts(text) - known_amounts(known)):
        return number
    for month in sorted(months(text) - known_months(known)):
        return month.capitalize()
    if language == "german":
        return None
    named = names(text)
    initials, lowered = _read_words(known) if named else ("", frozenset[str]())
    for name in sorted(named):
        if name[:3] in known_months(text):
            continue
        if not (name in lowered or _resembles(name, lowered) or name.upper() in initials):
            return name.capitalize()
    return None


@lru_cache(maxsize=64)
def _read_words(text: str) -> tuple[str, frozenset[str]]:
    """Return the capitals that words of a text begin with, and all its words."""
    words = re.findall(r"[^\W\d_]+", text)
    initials = "".join(word[0] for word in words if word[0].isupper())
    return initials, frozenset(word.lower() for word in words)


def _resembles(name: str, words: Set[str]) -> bool:
    """Whether one of the words is a form of the name ("Paraguayan", "Paraguay")."""
    alike = (word for word in words if name[:4] == word[:4])
    return len(name) > 4 and any(abs(len(name) - len(word)) <= ENDING for word in alike)
