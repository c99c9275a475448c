"""The short phrases of a sentence that can be an exam's answer, for models that copy well."""

import re

from generation_functions.pipelines.wording import content_words

MOST_PHRASE = 6  # words
FEWEST_LETTERS = 3  # of a phrase that has no figure

_PARTS = re.compile(r"[.!?:;()\[\]\"“”—]|--|,(?!\d)")  # no phrase goes over these


def list_phrases(sentence: str) -> list[str]:
    """Return every run of at most MOST_PHRASE words that begins and ends with a word that carries
    meaning and has no stop, comma or bracket within; in their order, each once.
    """
    found: dict[str, None] = {}
    for part in _PARTS.split(sentence):
        words = part.split()
        tells = [_is_telling(word) for word in words]
        for first in range(len(words)):
            for last in range(first, min(first + MOST_PHRASE, len(words))):
                if tells[first] and tells[last]:
                    found[" ".join(words[first : last + 1]).strip("_*'’‘")] = None
    return [one for one in found if len(one) >= FEWEST_LETTERS or any(map(str.isdigit, one))]


def _is_telling(word: str) -> bool:
    return bool(content_words(word)) or any(map(str.isdigit, word))
