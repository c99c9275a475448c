"""What code alone can tell against a question with what was recalled for its answer, in any way."""

import re
from dataclasses import replace
from functools import lru_cache

from generation_functions.pipelines.amounts import amounts, known_amounts
from generation_functions.pipelines.landmarks import find_foreign, find_opening
from generation_functions.pipelines.pair_checks import (
    ALL_CHECKS,
    PairCheck,
    Problem,
    check_quote,
    find_problem,
)
from generation_functions.pipelines.readings import Reading
from generation_functions.pipelines.turn_words import STEM, digits
from generation_functions.pipelines.wording import (
    asks_about_text,
    content_words,
    find_pointers,
    find_unclear,
)
from generation_functions.records import Exchange, QAPair, Recalled, make_uuid

FEWEST_NAMED = 4  # content words of a question whose "it" may stand for nothing

_CODE = re.compile(r"\b(?=\w*\d)(?=\w*[^\W\d_])\w+")
# "One" is a number before a noun.
_IT = re.compile(
    r"\b(?:it|its|that|one(?=\W*$|[,;?]"
    r"| (?:is|was|in|on|at|of|for|that|which|who|do(?:es)?|ha[sd])\b))\b",
    re.IGNORECASE,
)
_NAMED_BEHIND = re.compile(
    r"\b(?:its|their|his|her)\b(?= \w+(?: \w+)? (?:do(?:es)?|did|is|are|was|were|has|have|can|must"
    r"|may|should|will) (?:an?|the|(?-i:[A-Z])) ?\w)",
    re.IGNORECASE,
)
_HOW = content_words("far fast hard high long low often old soon well")  # after "how", no names


def find_common_fault(
    exchange: Exchange, reading: Reading, use_filenames: bool = True
) -> Problem | None:
    """Return what is wrong with what was recalled, or with where question and answer point."""
    pointers = find_pointers(f"{exchange.question} {exchange.meant}")
    if pointers or asks_about_text(exchange.question):
        about = f"speaks of “{pointers[0]}”" if pointers else "is about the text"
        told = f"The question {about}, and not of its subject alone."
        return Problem("asks about the text", told, in_question=True)
    pointers = find_pointers("\n".join((exchange.answer, *(one.told for one in exchange.recalled))))
    if pointers:
        told = f"What is told speaks of “{pointers[0]}”, which a reader does not have."
        return Problem("tells of the text", told)
    for one in exchange.recalled:
        if not is_told(one, reading, use_filenames):
            told = f"“{one.told}” is not what the sentences say that were named for it."
            return Problem("recalls what its sentences do not tell", told)
    return None


def is_told(one: Recalled, reading: Reading, use_filenames: bool = True) -> bool:
    """Whether a line says what its sentences tell; names may come from elsewhere in the sources.

    A line calls things by their names where its sentences say "it".
    """
    chunk = reading.chunk
    source = reading.sources[one.source].source if use_filenames else ""
    known = "\n".join((source, *chunk.headings, chunk.text))
    if find_foreign(one.told, known, chunk.language):
        return False
    if amounts(one.told) - known_amounts(f"{source} {one.quote}"):
        return False
    claim = QAPair(chunk.uuid, "", one.told, one.sentences, one.quote, chunk)
    return check_quote(claim) is None


def find_pair_fault(
    exchange: Exchange,
    reading: Reading,
    use_filenames: bool = True,
    checks: tuple[PairCheck, ...] = ALL_CHECKS,
    granted: str = "",
) -> Problem | None:
    """Return what is wrong with the question and its answer as with any other pair.

    The answer rests on what was recalled too, which has names where the sentences say "it".
    """
    pair = make_plain(exchange, reading)
    told = " ".join(one.told for one in exchange.recalled)
    pair = replace(pair, quote=f"{pair.quote} {told}")
    problem = find_problem(pair, use_filenames, checks, granted)
    if problem is None:
        source, chunk = reading.chunk.source if use_filenames else "", reading.chunk
        known = "\n".join((source, *chunk.headings, granted, pair.question, chunk.text))
        strange = find_opening(pair.answer, known, chunk.language)
        if strange:
            told = f"The answer has “{strange}”, which the text does not have."
            problem = Problem("answer has a fact that the text lacks", told)
    return problem


def make_plain(exchange: Exchange, reading: Reading) -> QAPair:
    """Return the question, as it is meant, and its answer as a pair that rests on all quotes."""
    numbers = sorted({number for one in exchange.recalled for number in one.sentences})
    question = exchange.meant or exchange.question
    return QAPair(
        uuid=make_uuid(reading.chunk.uuid, question, exchange.answer),
        question=question,
        answer=exchange.answer,
        sentences=tuple(numbers),
        quote=" ".join(reading.sentences[number - 1] for number in numbers),
        chunk=reading.chunk,
    )


def leave_admission(exchange: Exchange) -> Exchange:
    """Return an exchange whose answer is only what it knows."""
    return replace(exchange, answer=exchange.answer.removeprefix(exchange.admitted).strip())


def stands_alone(question: str) -> bool:
    """Whether a question names what it is about before it says "it" or "they".

    "How much of its width does a blanket lose?" names it just behind.
    """
    question = _NAMED_BEHIND.sub("the", question)
    if find_unclear(question, ""):
        return False
    stands_for = _IT.search(question)
    named = content_words(question[: stands_for.start()]) - _HOW if stands_for else set()
    return not stands_for or bool(named) or len(content_words(question)) >= FEWEST_NAMED


@lru_cache(maxsize=1_000)
def stems(text: str) -> frozenset[str]:
    """Return the beginnings of a text's content words, so that forms of a word are one.

    What has letters and digits ("M27", "Bf109") is a word too.
    """
    codes = (match.group().lower() for match in _CODE.finditer(text))
    return frozenset({word[:STEM] for word in content_words(_CODE.sub(" ", text))} | {*codes})


def mentions(text: str, name: str) -> bool:
    """Whether a text has all words and figures of a name; a name without any is nowhere."""
    wanted = name_parts(name)
    return bool(wanted) and wanted <= name_parts(text)


def name_parts(text: str) -> frozenset[str]:
    """Return what tells a name: stems and figures."""
    return stems(text) | digits(text)
