"""Whether a text that is shown holds an answer; a failed retrieval must not.

A text holds it when it has the words of the quote, a figure or month of quote or answer, or
the answer's own words.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, groupby

from generation_functions.documents.sentences import number_sentences, split_sentences
from generation_functions.masked import Grounded, Shown
from generation_functions.pipelines.amounts import amounts, known_amounts, known_months, months
from generation_functions.pipelines.roots import find_roots

MOST_SHARED = 0.6  # of an answer's own words; from here on a text may tell it in other words
FEWEST_RUN = 5  # words of a quote's sentence that are looked for
LONGEST_RUN = 12  # words of a quote, wherever they begin, that no other text has by chance
FEWEST_LEFT = 12  # words of what is left of a text without its answers

_WORD = re.compile(r"\w+")
_STOP = re.compile(r"(?<=[.!?])[”\"’')\]]*\s+(?:[\[(]?\w{1,2}[.)\]]\s+)?(?=[\W_]*[A-Z])")


def holds_answer(text: str, asked: Iterable[Grounded], language: str = "english") -> bool:
    """Whether a text holds the answer to one of the questions, or what one of them rests on."""
    return any(_holds(text, one, language) for one in asked)


def has_quote(text: str, quote: str, language: str = "english") -> bool:
    """Whether a text has a sentence of a quote, however its words are set, or LONGEST_RUN words of
    it in a row; not its shortest sentences."""
    words = f" {_plain(text)} "
    told = (*_list_sentences(quote, language), *_list_runs(quote))
    return any(f" {one} " in words for one in told)


def has_whole_quote(text: str, quote: str, language: str = "english") -> bool:
    """Whether a text has every sentence of a quote, but for its shortest."""
    words = f" {_plain(text)} "
    return all(f" {one} " in words for one in _list_sentences(quote, language))


def find_figures(asked: Grounded) -> frozenset[str]:
    """Return the figures and months that an answer, or what it rests on, tells."""
    told = " ".join((asked.answer, *(one.quote for one in asked.evidence)))
    return frozenset(amounts(told) | months(told))


def leave_out_answers(text: str, asked: Sequence[Grounded], language: str = "english") -> str:
    """Return the longest run of a text's sentences that holds none of the answers.

    It is cut out of the text as it stands; "" where none has FEWEST_LEFT words.
    """
    spans = split_sentences(text, language)
    runs = (
        list(run)
        for told, run in groupby(
            spans, lambda one: holds_answer(text[slice(*one)], asked, language)
        )
        if not told
    )
    left = sorted((text[run[0][0] : run[-1][1]] for run in runs), key=len, reverse=True)
    return next(
        (
            one
            for one in left
            if len(one.split()) >= FEWEST_LEFT and not holds_answer(one, asked, language)
        ),
        "",
    )


def gives_away(text: str, asked: Grounded) -> bool:
    """Whether a sentence about a question tells of its answer more than the question does."""
    figures = find_figures(asked) - known_amounts(asked.question) - known_months(asked.question)
    return bool(figures & (known_amounts(text) | known_months(text))) or _tells_words(text, asked)


def is_proved(shown: Sequence[Shown], asked: Sequence[Grounded], language: str = "english") -> bool:
    """Whether none of the texts, nor all of them together, have a quote or its figures."""
    together = "\n\n".join(one.text for one in shown)
    return not any(
        has_quote(together, evidence.quote, language) for one in asked for evidence in one.evidence
    ) and not any(_tells_figures(one.text, ask) for one in shown for ask in asked)


def _holds(text: str, asked: Grounded, language: str) -> bool:
    if any(has_quote(text, one.quote, language) for one in asked.evidence):
        return True
    return _tells_figures(text, asked) or _tells_words(text, asked)


def _tells_figures(text: str, asked: Grounded) -> bool:
    return bool(find_figures(asked) & (known_amounts(text) | known_months(text)))


def _tells_words(text: str, asked: Grounded) -> bool:
    """Whether a text has most of the words that the answer adds to its question."""
    own = find_roots(asked.answer) - find_roots(asked.question)
    return bool(own) and len(own & find_roots(text)) >= MOST_SHARED * len(own)


@lru_cache(maxsize=1_000)
def _list_sentences(quote: str, language: str) -> tuple[str, ...]:
    """Return the sentences of a quote that are long enough to be told from others, or all of it.

    It is cut at every stop: where its sentences end can be told of all of a text, not of a quote.
    """
    cut = (_STOP.split(one) for one in number_sentences(quote, language))
    sentences = map(_plain, chain.from_iterable(cut))
    long = tuple(one for one in sentences if one.count(" ") >= FEWEST_RUN - 1)
    return long or (_plain(quote),)


@lru_cache(maxsize=1_000)
def _list_runs(quote: str) -> tuple[str, ...]:
    words = _plain(quote).split()
    places = range(len(words) - LONGEST_RUN + 1)
    return tuple(" ".join(words[place : place + LONGEST_RUN]) for place in places)


@lru_cache(maxsize=1_000)
def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
