"""Words that look like slips of the pen: unknown, and one letter away from a common word."""

import re
from collections.abc import Collection
from functools import cache, lru_cache

from spellchecker import SpellChecker

# Those whose words the dictionary has nearly all; German and Dutch compounds are endless.
DICTIONARIES = {
    "english": "en",
    "french": "fr",
    "spanish": "es",
    "italian": "it",
    "portuguese": "pt",
}
SHORTEST = 6  # letters; shorter words are a letter away from too much
COMMON = 3_000  # occurrences of the word that was meant, in the dictionary's corpus

_WORD = re.compile(r"(?<![\w'’*-])[a-zà-öø-ÿœ]+(?![\w'’*-])")
_BEFORE = ("anti", "dis", "fore", "inter", "mis", "non", "out", "over", "pre", "re", "semi", "sub",
           "super", "un", "under")  # fmt: skip
_AFTER = ("s", "es", "ed", "d", "ing", "er", "ers", "est", "ly", "y", "ish", "able", "ness", "less",
          "like", "ful", "fully", "ment", "wards", "wise", "men", "man")  # fmt: skip
# British spellings, which the dictionary has in American only.
_AMERICAN = ((r"our", "or"), (r"tre", "ter"), (r"is(?=e|ing|ation)", "iz"), (r"ys(?=e|ing)", "yz"),
             (r"ll", "l"), (r"[ao]e", "e"), (r"ogue", "og"), (r"ence", "ense"), (r"mme", "m"),
             (r"bre", "ber"), (r"ph", "f"))  # fmt: skip


def find_misspelt(text: str, known: Collection[str], language: str = "english") -> list[str]:
    """Return the words of `text` that are slips of the pen.

    A word is one when it begins with a small letter, is none of the lower-cased words `known`,
    the dictionary has neither it nor what it is derived from, and it has a common word one letter
    away. Empty for languages without a dictionary.
    """
    if language not in DICTIONARIES:
        return []
    words = dict.fromkeys(match.group() for match in _WORD.finditer(text))
    return [
        word
        for word in words
        if len(word) >= SHORTEST and word not in known and _is_slip(word, DICTIONARIES[language])
    ]


@cache
def load_dictionary(code: str) -> SpellChecker:
    """Return the dictionary of a language's code, with the occurrences of its words."""
    return SpellChecker(language=code, distance=1)


@lru_cache(maxsize=50_000)
def _is_slip(word: str, code: str) -> bool:
    words = load_dictionary(code)
    american = [re.sub(british, other, word) for british, other in _AMERICAN]
    if words.known([word, *american]) or any(_is_derived(one, words) for one in {word, *american}):
        return False
    meant = words.known(words.edit_distance_1(word))
    return max((words[one] for one in meant), default=0) >= COMMON


def _is_derived(word: str, words: SpellChecker) -> bool:
    """Whether a word is made of known ones: "unsalted", "churchwardens", "relaying"."""
    stems = [word.removeprefix(one) for one in _BEFORE if word.startswith(one)]
    for stem in (word, *stems):
        ended = [stem.removesuffix(one) for one in _AFTER if stem.endswith(one)]
        bases = [stem, *ended, *(f"{one}e" for one in ended), *(f"{one[:-1]}y" for one in ended)]
        bases += [one[:-1] for one in ended if one[-2:-1] == one[-1:]]
        if words.known([one for one in bases if len(one) > 3 and one != word]):
            return True
    halves = [(word[:cut], word[cut:]) for cut in range(4, len(word) - 3)]
    return any(len(words.known(both)) == 2 for both in halves)
