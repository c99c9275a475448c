"""How rare a word is in its language: what everybody says tells little of a subject."""

import math
from collections import Counter
from collections.abc import Mapping
from functools import cache

from generation_functions.pipelines.spelling import DICTIONARIES, load_dictionary
from generation_functions.pipelines.turn_words import STEM
from generation_functions.pipelines.wording import content_words

# Powers of ten: a word is as common as words get at one in COMMON, and rare from one in RARE.
COMMON = 2.5
RARE = 6.0
LEAST = 0.2  # the rarity of the commonest words


def measure_rarity(stem: str, language: str) -> float:
    """Return from LEAST to 1.0 how rare a stem is (`turn_words.tell_apart`), by the logarithm of
    its share of the words in the spelling dictionary's corpus; 1.0 in languages without one.
    """
    if language not in DICTIONARIES:
        return 1.0
    rarity = (-_shares(DICTIONARIES[language]).get(stem, -RARE) - COMMON) / (RARE - COMMON)
    return min(1.0, max(LEAST, rarity))


@cache
def _shares(code: str) -> Mapping[str, float]:
    """Return the logarithm to base 10 of each stem's share, of words that are not rare."""
    counts: Mapping[str, int] = load_dictionary(code).word_frequency.dictionary
    whole = sum(counts.values())
    having = Counter[str]()
    for word, count in counts.items():
        if count > whole / 10**RARE:
            for stem in content_words(word):
                having[stem[:STEM]] += count
    return {stem: math.log10(count / whole) for stem, count in having.items()}
