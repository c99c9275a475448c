"""The sentences that an answer rests on, where the model that wrote it named others.

Small models name a sentence and tell the one beside it too. The answer is right, and only its
quote is to be mended: code finds the sentences that tell what it tells.
"""

from collections.abc import Set
from dataclasses import replace

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipelines.pair_checks import check_facts, check_quote, find_problem
from generation_functions.pipelines.roots import find_roots
from generation_functions.records import QAPair

MOST_CITED = 4
LEAST_ADDED = 0.1  # share of an answer's roots that a further sentence has to add


def quote_sentences(pair: QAPair, numbers: tuple[int, ...]) -> QAPair:
    """Return the pair with these sentences of its chunk as its quote; its uuid stays."""
    texts = number_sentences(pair.chunk.text, pair.chunk.language)
    quote = " ".join(texts[number - 1] for number in numbers)
    return replace(pair, sentences=numbers, quote=quote)


def cite(pair: QAPair) -> QAPair:
    """Return the pair with the sentences that tell its answer, if the named ones do not.

    They stand near each other. The pair stays as it is where none tell the answer either.
    """
    if not _lacks_quote(pair):
        return pair
    texts = number_sentences(pair.chunk.text, pair.chunk.language)
    told = find_roots(pair.answer)
    cited = quote_sentences(pair, _choose([told & find_roots(text) for text in texts], len(told)))
    return pair if _lacks_quote(cited) else cited


def _lacks_quote(pair: QAPair) -> bool:
    return bool(find_problem(pair, checks=(check_facts, check_quote)))


def _choose(found: list[Set[str]], told: int) -> tuple[int, ...]:
    """Return the number of the sentence that has most of what is told, and of those beside it that
    add to it; `found` has the roots that each sentence has."""
    first = last = max(range(len(found)), key=lambda place: len(found[place]))
    known = set(found[first])
    while last - first + 1 < MOST_CITED:
        beside = [place for place in (first - 1, last + 1) if 0 <= place < len(found)]
        best = max(beside, key=lambda place: len(found[place] - known), default=None)
        if best is None or len(found[best] - known) < max(1, LEAST_ADDED * told):
            break
        known |= found[best]
        first, last = min(first, best), max(last, best)
    return tuple(range(first + 1, last + 2))
