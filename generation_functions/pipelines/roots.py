"""What two texts have in common beneath the forms of their words."""

from functools import lru_cache

from generation_functions.pipelines.amounts import amounts
from generation_functions.pipelines.wording import content_words

_LINKS = frozenset(
    """since whereas although though within every another either neither whose without whether
    upon whilst""".split()
)


@lru_cache(maxsize=1_000)
def find_roots(text: str) -> frozenset[str]:
    """Return a text's content words, cut short so that forms of a word are one, and numbers.

    British and American spellings are one as well.
    """
    words = {_spell(word)[:6] for word in content_words(text) - _LINKS}
    return frozenset(words | amounts(text))


def _spell(word: str) -> str:
    """Return one spelling for vapour and vapor, sulphur and sulfur, metre and meter."""
    return word.replace("our", "or").replace("ph", "f").replace("tre", "ter")


def share_known(text: str, known: str) -> float:
    """Return the share of a text's roots (`find_roots`) that `known` has; 1.0 without any."""
    roots = find_roots(text)
    return len(roots & find_roots(known)) / len(roots) if roots else 1.0
