"""Whether a pair has a rare word of its prompts' examples that its chunk lacks.

Small models put the things of an example into what they write of the chunk ("the main bearings
of a sewing machine"): the pair reads well, and no number or name gives it away.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.rarity import measure_rarity
from generation_functions.pipelines.spelling import DICTIONARIES
from generation_functions.pipelines.turn_words import STEM
from generation_functions.pipelines.wording import content_words
from generation_functions.records import QAPair

LENT = "has a word of the examples"
LEAST_RARE = 0.69  # rarity (`rarity.measure_rarity`) of a word that is no coincidence
_WORD = re.compile(r"[^\W\d_]{3,}")


def find_lent(pair: QAPair, examples: Iterable[str]) -> Problem | None:
    """Return a problem that names a word which the pair has of the examples, and not of its text.

    None in languages without a word list, where no word is known to be rare.
    """
    chunk = pair.chunk
    if chunk.language not in DICTIONARIES:
        return None
    lendable = _read_rare(tuple(examples), chunk.language)
    lendable -= _stems("\n".join((chunk.source, *chunk.headings, chunk.text)))
    for part, text in (("question", pair.question), ("answer", pair.answer)):
        for word in _WORD.findall(text):
            if _stems(word) & lendable:
                told = f"The {part} has “{word}”, which the text does not speak of."
                return Problem(LENT, told, part == "question")
    return None


@lru_cache(maxsize=8)
def _read_rare(examples: tuple[str, ...], language: str) -> frozenset[str]:
    stems = {stem for text in examples for stem in _stems(text)}
    return frozenset(stem for stem in stems if measure_rarity(stem, language) >= LEAST_RARE)


def _stems(text: str) -> set[str]:
    return {word[:STEM] for word in content_words(text)}
