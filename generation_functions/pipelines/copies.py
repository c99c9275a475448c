"""Answers in the text's own words, for models that are too small to tell it in theirs.

A copy is true by its making. What a text orders ("Hold up the mail.") is no fact, though: it is
told as the advice of its source, between quotation marks. Which of the two it is, the model
chooses; the words it does not.
"""

import re
from collections.abc import Iterable, Sequence

from generation_functions.documents.sentences import number_sentences
from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.readings import show_sentence
from generation_functions.records import Chunk
from generation_functions.steps.step import write_literal

FEWEST_WORDS, MOST_WORDS = 8, 45  # of a sentence that is an answer by itself
MOST_COPIED = 80  # words of sentences that are one answer together

_LIST_NUMBER = re.compile(r"^\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})\)\s+(?=\S)")
_LEAD = re.compile(
    r"(?:Finally|Thus|Besides|Moreover|Furthermore|However|Therefore|Hence|Consequently|Also"
    r"|Nevertheless|In addition|In other words|On the other hand|And|But), "
)
# What a sentence begins with that cannot be understood without the one before it.
_LEANS = re.compile(
    r"(?:It|They|This|That|These|Those|Such|He|She|His|Her|Its|Their|Then|Otherwise|So|Here)\b"
)


def without_number(sentence: str) -> str:
    """Return a sentence without the number that it has in a list: "(3) ", "b) "."""
    return _LIST_NUMBER.sub("", sentence)


def without_lead(sentence: str, language: str) -> str:
    """Return a sentence without the word that leads over to it from the one before ("Thus, ")."""
    lead = _LEAD.match(sentence) if language == "english" else None
    if not lead:
        return sentence
    rest = sentence[lead.end() :]
    return rest[:1].upper() + rest[1:]


def leans(sentence: str) -> bool:
    """Whether a sentence begins with a word that stands for something in the one before."""
    return bool(_LEANS.match(without_number(sentence)))


def narrow_to_copies(chunk: Chunk) -> dict[str, str]:
    """Return the rules `verbatim` and `advised`: a sentence's number with the sentence as answer,
    as it stands and as its source's advice. Without such a sentence both are a bare number."""
    texts = number_sentences(chunk.text, chunk.language)
    whole = [
        number
        for number, text in enumerate(texts, start=1)
        if text.rstrip()[-1:] in ".!?"
        and FEWEST_WORDS <= len(text.split()) <= MOST_WORDS
        and not leans(text)
    ]
    plain = [f"{number}\nAnswer: {_copy(chunk, [number])}" for number in whole]
    advised = [f"{number}\nAnswer: {_advise(chunk, [number])}" for number in whole]
    return {
        "verbatim": " | ".join(map(write_literal, plain)) or "number",
        "advised": " | ".join(map(write_literal, advised)) or "number",
    }


def write_copies(chunk: Chunk, numbers: Sequence[int]) -> str:
    """Return, as the right-hand side of a rule, both ways to say these sentences as an answer."""
    ways = (_copy(chunk, numbers), _advise(chunk, numbers))
    return f"({' | '.join(map(write_literal, ways))})"


def reach_back(chunk: Chunk, numbers: Sequence[int]) -> tuple[int, ...]:
    """Return the sentences with the one before them, where the first leans on it."""
    texts = number_sentences(chunk.text, chunk.language)
    first = numbers[0]
    while first > 1 and chunk.language == "english" and leans(texts[first - 1]):
        first -= 1
    return (*range(first, numbers[0]), *numbers)


def _copy(chunk: Chunk, numbers: Iterable[int]) -> str:
    texts = number_sentences(chunk.text, chunk.language)
    told = (without_number(show_sentence(texts[number - 1])) for number in numbers)
    return without_lead(" ".join(" ".join(told).split()), chunk.language)


def _advise(chunk: Chunk, numbers: Iterable[int]) -> str:
    source = parse_name(chunk.source)
    adviser = source.author or source.title
    words = _copy(chunk, numbers).replace("“", "‘").replace("”", "’")
    return f"{adviser[:1].upper()}{adviser[1:]} advises: “{words}”"
