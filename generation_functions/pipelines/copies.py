"""Answers in the text's own words, for models that are too small to tell it in theirs.

A copy is true by its making. What a text orders ("Hold up the mail.") is no fact, though: it is
told as the advice of its source, between quotation marks. Where code cannot tell which of the two
a sentence is, the model chooses; the words it does not.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from generation_functions.documents.sentences import number_sentences
from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.malformed import tells_order
from generation_functions.pipelines.readings import show_sentence
from generation_functions.pipelines.sentence_kinds import is_order, is_statement
from generation_functions.pipelines.sentence_needs import (
    find_needed,
    points_elsewhere,
    without_number,
)
from generation_functions.pipelines.wording import find_unclear
from generation_functions.records import Chunk, QAPair
from generation_functions.steps.step import write_literal

FEWEST_WORDS, MOST_WORDS = 8, 45  # of a sentence that is an answer by itself
FEWEST_COPIED, MOST_COPIED = 3, 80  # words of sentences that are one answer together
LEAST_ADVICE = 0.2  # share of what plainly is one or the other

_LEAD = re.compile(
    r"(?:Finally|Thus|Besides|Moreover|Furthermore|However|Therefore|Hence|Consequently|Also"
    r"|Further|Nevertheless|Of course|In addition|In other words|On the other hand|And|But), "
)
_ENDS = re.compile(r"[.!?](?<!\(\d\.)[”\"’')]*$")  # as no heading does, nor "Oil (1.)"
_EMPHASIS = re.compile(r"(?<!\w)_(?=\S)|(?<=\S)_(?!\w)")


def without_lead(sentence: str, language: str) -> str:
    """Return a sentence without the word that leads over to it from the one before ("Thus, ")."""
    lead = _LEAD.match(sentence) if language == "english" else None
    if not lead:
        return sentence
    rest = sentence[lead.end() :]
    return rest[:1].upper() + rest[1:]


def narrow_to_copies(chunk: Chunk) -> dict[str, str]:
    """Return the rules `verbatim` and `advised`: a sentence's number with the sentence as answer,
    as it stands and as its source's advice. Without such a sentence both are a bare number."""
    texts = number_sentences(chunk.text, chunk.language)
    whole = [
        number
        for number, text in enumerate(texts, start=1)
        if text.rstrip()[-1:] in ".!?"
        and FEWEST_WORDS <= len(text.split()) <= MOST_WORDS
        and find_needed(chunk, number) == number
        and is_clear(chunk, [number])
    ]
    plain = [f"{number}\nAnswer: {_copy(chunk, [number])}" for number in whole]
    advised = [f"{number}\nAnswer: {_advise(chunk, [number])}" for number in whole]
    return {
        "verbatim": " | ".join(map(write_literal, plain)) or "number",
        "advised": " | ".join(map(write_literal, advised)) or "number",
    }


def write_copies(ways: Sequence[str]) -> str:
    """Return, as the right-hand side of a rule, the ways in which an answer can be told."""
    return f"({' | '.join(map(write_literal, ways))})"


def list_copies(chunk: Chunk, numbers: Sequence[int]) -> list[str]:
    """Return how these sentences can be an answer: as they stand, or as advice; of English
    sentences that plainly are one or the other only this."""
    texts = [_copy(chunk, [number]) for number in numbers]
    plain, advice = _copy(chunk, numbers), _advise(chunk, numbers)
    if chunk.language == "english" and any(map(is_order, texts)):
        return [advice]
    if chunk.language == "english" and all(map(is_statement, texts)):
        return [plain]
    return [plain, advice]


def copy_in_order(chunk: Chunk) -> list[tuple[tuple[int, ...], str]]:
    """Return the numbers of all sentences in their order, those together that need each other, with
    the words in which they are told; "" for what does not stand alone.

    What may be advice or not is told as advice where LEAST_ADVICE of the others plainly are.
    """
    copies = [(numbers, _list_told(chunk, numbers)) for numbers in _hold_all(chunk)]
    plain = [tells_order(ways[0]) for _, ways in copies if len(ways) == 1]
    advises = sum(plain) > LEAST_ADVICE * len(plain)
    return [(numbers, ways[-1 if advises else 0] if ways else "") for numbers, ways in copies]


def _hold_all(chunk: Chunk) -> Iterator[tuple[int, ...]]:
    """Yield the numbers of all sentences in their order, those together that need each other."""
    count = len(number_sentences(chunk.text, chunk.language))
    first = 1
    while first <= count:
        last = first
        while (
            last < count
            and first <= find_needed(chunk, last + 1) <= last
            and is_clear(chunk, range(first, last + 2))
        ):
            last += 1
        yield tuple(range(first, last + 1))
        first = last + 1


def _list_told(chunk: Chunk, numbers: tuple[int, ...]) -> list[str]:
    """Return how sentences can be told; not at all if they do not stand alone."""
    texts = number_sentences(chunk.text, chunk.language)
    alone = find_needed(chunk, numbers[0]) == numbers[0] and is_clear(chunk, numbers)
    ended = all(_ENDS.search(texts[number - 1]) for number in numbers)
    ended = ended and "?" not in texts[numbers[-1] - 1][-3:]
    return list_copies(chunk, numbers) if alone and ended else []


def is_clear(chunk: Chunk, numbers: Sequence[int]) -> bool:
    """Whether sentences can be understood by themselves, as far as code can tell, and are no
    longer than an answer may be."""
    words = _copy(chunk, numbers)
    if (
        not FEWEST_COPIED <= len(words.split()) <= MOST_COPIED
        or "[" in words
        or find_unclear("", words)
    ):
        return False
    if chunk.language != "english":
        return True
    texts = number_sentences(chunk.text, chunk.language)
    return not points_elsewhere(words, [texts[number - 1] for number in numbers])


def is_copied(pair: QAPair) -> bool:
    """Whether an answer has the very words of its sentences, so that it agrees with the text."""
    return pair.answer in (_copy(pair.chunk, pair.sentences), _advise(pair.chunk, pair.sentences))


def _copy(chunk: Chunk, numbers: Iterable[int]) -> str:
    texts = number_sentences(chunk.text, chunk.language)
    told = (without_number(show_sentence(texts[number - 1])) for number in numbers)
    words = _EMPHASIS.sub("", " ".join(" ".join(told).split()))
    return without_lead(words, chunk.language)


def _advise(chunk: Chunk, numbers: Iterable[int]) -> str:
    source = parse_name(chunk.source)
    adviser = (source.author or source.title).strip()
    if not adviser:
        return _copy(chunk, numbers)
    words = _copy(chunk, numbers).replace("“", "‘").replace("”", "’")
    several = source.author is not None and " and " in adviser
    advises = "advise" if several else "advises"
    return f"{adviser[:1].upper()}{adviser[1:]} {advises}: “{words}”"
