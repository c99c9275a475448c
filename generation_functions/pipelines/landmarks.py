"""What must stay the same however a text is told again: its figures, dates and names."""

import re
from functools import lru_cache

from generation_functions.pipelines.amounts import amounts, known_amounts, months
from generation_functions.pipelines.spelling import COMMON, DICTIONARIES, load_dictionary
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.wording import content_words, names

# A capital at the beginning of a sentence says nothing: such a word is taken for a name when the
# other text has no form of it and it is not common.
_OPENING = re.compile(r"(?:^|[.!?…]\s|[\"'“‘(]|\n)\W*([^\W\d_]{3,})")
_WORD = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+(?:['’-][^\W\d_]+)*")
_FORM = 5  # letters of a stem that two forms of a word share
_OPENERS = frozenset(
    """accordingly additionally afterwards alternatively basically consequently conversely
    ensuring eventually firstly furthermore hmm importantly initially interestingly lastly likewise
    moreover nevertheless nonetheless notably overview secondly similarly subsequently summary
    thirdly""".split()
)


def find_landmarks(text: str, with_names: bool = True) -> list[tuple[int, int]]:
    """Return the (start, end) of every word of a text that is a figure, a month or a name."""
    named = names(text) if with_names else set()
    return [match.span() for match in _WORD.finditer(text) if _is_landmark(match.group(), named)]


def find_foreign(text: str, known: str, language: str) -> str | None:
    """Return a number, month or name of `text` that `known` does not have, None without one.

    Besides what `strange.find_strange` finds, a rare word that opens a sentence and that
    `known` has in no form is taken for a name.
    """
    return find_strange(text, known, language) or find_opening(text, known, language)


def has_landmark(text: str) -> bool:
    """Whether a text has a figure, a month or a name."""
    return bool(amounts(text) or months(text) or names(text))


def _is_landmark(word: str, named: set[str]) -> bool:
    if word[0].isdigit():
        return True
    figure = amounts(word) or (known_amounts(word) and word.lower() not in ("a", "an"))
    parts = {part.lower() for part in re.split(r"['’-]", word)}
    return bool(figure or months(f"in {word} 1") or (word[0].isupper() and parts & named))


def find_opening(text: str, known: str, language: str) -> str | None:
    """Return a rare word that opens a sentence and that `known` has in no form: a name, perhaps."""
    if language not in DICTIONARIES:
        return None
    dictionary = load_dictionary(DICTIONARIES[language])
    for match in _OPENING.finditer(text):
        word = match[1]
        lowered = word.lower()
        stem = "".join(content_words(word))[:_FORM]
        rare = dictionary[lowered] < COMMON and lowered not in _OPENERS
        if not (word[0].isupper() and rare and stem):
            continue
        forms = (*_list_words(known), *re.findall(r"(?<![.!?] )\b[a-z]{3,}", text))
        if not any(form.startswith(stem) for form in forms):
            return word
    return None


@lru_cache(maxsize=64)
def _list_words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in re.findall(r"[^\W\d_]+", text))
