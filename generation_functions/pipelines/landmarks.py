"""What must stay the same however a text is told again: its figures, dates and names."""

import re
from functools import lru_cache

from spellchecker import SpellChecker

from generation_functions.pipelines.amounts import (
    MONTHS,
    amounts,
    find_counts,
    find_vague,
    known_amounts,
    months,
)
from generation_functions.pipelines.proper_names import PROPER_NAMES
from generation_functions.pipelines.spelling import COMMON, DICTIONARIES, load_dictionary
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.wording import content_words, names

# A capital at the beginning of a sentence says nothing: such a word is taken for a name when the
# other text has no form of it and it is no ordinary word.
_OPENING = re.compile(r"(?:^|[.!?…]\s|[\"'“‘(]|\n)\W*([^\W\d_]{3,})")
_HEADING = re.compile(r"^.+:$", re.MULTILINE)
_CAPITAL = re.compile(r"\b[^\W\d_a-zß-öø-ÿ][a-zß-öø-ÿ]{2,}\b")
_WORD = re.compile(r"\d+(?:[.,·:/-]\d+)*|[^\W\d_]+(?:['’-][^\W\d_]+)*")
_FORM = 5  # letters of a stem that two forms of a word share
_ORDINARY = frozenset(
    """accordingly additionally afterwards alternatively basically consequently conversely
    eventually firstly furthermore hmm initially lastly likewise moreover nevertheless nonetheless
    overview secondly similarly subsequently summary thirdly width""".split()
)
# What English words are made with, and what may stand in the place of the ending.
_ENDINGS = (
    ("ability", "able"), ("ibility", "ible"), ("ically", "ic"), ("ally", "al"), ("bly", "ble"),
    ("ily", "y"), ("ly", ""), ("ings", ""), ("ing", ""), ("ing", "e"), ("ied", "y"), ("ed", ""),
    ("ed", "e"), ("ication", "y"), ("ications", "y"), ("ation", "e"), ("ations", "e"),
    ("ation", ""), ("ations", ""), ("ion", ""), ("ion", "e"), ("ions", ""), ("ions", "e"),
    ("ment", ""), ("ments", ""), ("ness", ""), ("ity", ""), ("ity", "e"), ("ities", ""),
    ("ities", "ity"), ("ities", "e"), ("ance", ""), ("ance", "e"), ("ence", ""), ("ence", "e"),
    ("ence", "ent"), ("ional", "ion"), ("s", ""),
)  # fmt: skip
_SCIENCES = ("ology", "onomy", "ography")
_LEAST_BASE = 300  # occurrences of the word that one is made of


def find_landmarks(text: str, with_names: bool = True) -> list[tuple[int, int]]:
    """Return the (start, end) of every word of a text that is a figure, a month or a name."""
    named = names(text) if with_names else set()
    return [match.span() for match in _WORD.finditer(text) if _is_landmark(match.group(), named)]


def find_foreign(text: str, known: str, language: str) -> str | None:
    """Return a number, month or name of `text` that `known` does not have, None without one.

    It is stricter than `strange.find_strange`: a word that opens a sentence, is no ordinary
    one and has no form in `known` is taken for a name, and small and round numbers count. A line
    that ends in a colon is a heading: the capitals of its ordinary words say nothing.
    """
    if language in DICTIONARIES:
        dictionary = load_dictionary(DICTIONARIES[language])
        text = _HEADING.sub(lambda match: _lower_ordinary(match.group(), dictionary), text)
    return (
        find_strange(text, known, language)
        or find_opening(text, known, language)
        or _find_count(text, known)
    )


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
        stem = "".join(content_words(word))[:_FORM]
        if not (word[0].isupper() and stem) or _is_ordinary(word.lower(), dictionary):
            continue
        forms = (*_list_words(known), *re.findall(r"(?<![.!?] )\b[a-z]{3,}", text))
        if not any(form.startswith(stem) for form in forms):
            return word
    return None


@lru_cache(maxsize=64)
def _list_words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in re.findall(r"[^\W\d_]+", text))


def _find_count(text: str, known: str) -> str | None:
    """Return a small or round number that is not known; "dozens" are, where twelve or more are.

    What may be a year tells of no hundreds.
    """
    numbers = known_amounts(known)
    for number in sorted(find_counts(text) - numbers):
        return number
    values = [float(number) for number in numbers]
    largest = max((one for one in values if not 1000 <= one <= 2100), default=0)
    said = find_vague(known)
    return next(
        (word for word, least in find_vague(text).items() if word not in said and largest < least),
        None,
    )


def _lower_ordinary(heading: str, dictionary: SpellChecker) -> str:
    def lower(match: re.Match[str]) -> str:
        word = match.group().lower()
        keeps = word in MONTHS or not _is_ordinary(word, dictionary)
        return match.group() if keeps else word

    return _CAPITAL.sub(lower, heading)


def _is_ordinary(word: str, dictionary: SpellChecker) -> bool:
    """Whether a word in small letters is no name: it is common, or made of a word that is none."""
    if word in PROPER_NAMES:
        return False
    known = word in _ORDINARY or word.endswith(_SCIENCES) or dictionary[word] >= COMMON
    return known or _is_made(word, dictionary)


def _is_made(word: str, dictionary: SpellChecker) -> bool:
    for ending, other in _ENDINGS:
        base = word.removesuffix(ending) + other
        if not word.endswith(ending) or len(base) < 4 or base in PROPER_NAMES:
            continue
        doubled = base[:-1] if base[-1] == base[-2] else base
        if max(dictionary[base], dictionary[doubled]) >= _LEAST_BASE:
            return True
    return False
