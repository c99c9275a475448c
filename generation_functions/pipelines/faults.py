"""Making right pairs wrong by code, one known fault each.

Each maker returns what the pair becomes, or None where the fault cannot be made so that it
is surely wrong and still reads as a sentence. They take and give back plain text; which of
several ways is taken follows from `random`.
"""

import re
from collections.abc import Callable
from random import Random

from generation_functions.pipelines.wording import content_words, coverage, numbers
from generation_functions.records import QAPair

Maker = Callable[[QAPair, Random], str | None]

_NUMBER = re.compile(
    r"(?<![\w.,:/-])\d{1,3}(?:,\d{3})+(?![\w,:/-])|(?<![\w.,:/-])\d+(?:\.\d+)?(?![\w:/-])"
)
_COUNTS = "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty".split()
_COUNT = re.compile(rf"\b(?:{'|'.join(_COUNTS)})\b(?!-)")
_BOUND = re.compile(
    r"\b(?:below|under|above|over|least|most|than|within|up to)\s+(?:the |first |about )*$", re.I
)
_CLAUSE_END = re.compile(r"[,;:.!?—]")
_VERB = re.compile(
    r"\b(?:is|are|was|were|can|could|will|would|should|must|ha(?:s|ve|d)(?= been\b))\b"
    r"(?! (?:not|no|only|also|often|sometimes|usually|partly|it|he|she|they|there)\b)"
)
_SUBORDINATE = re.compile(
    r"\b(?:that|which|who|whom|whose|what|when|where|why|how|if|unless|because|since|while|as|than"
    r"|whether|though|although|after|before|until|once|so|every|each|all|both|either|any|some|one|many|most|few|several|others?|another)\b",
    re.I,
)
_DENIED = re.compile(
    r"\b(?:(?:is|are|was|were|can|could|will|would|should|must) |can)(not )(?!only\b)"
)
_HANGS_ON_NOT = re.compile(r"\b(?:until|unless|but|any\w*|yet|either|longer|ever|at all)\b", re.I)
_DENIAL = re.compile(
    r"\b(?:not?|never|none|nothing|nobody|neither|nor|hardly|cannot|without)\b|n['’]t\b", re.I
)
_QUESTION_WORD = re.compile(
    r"(?:what|which|who|whom|whose|when|where|why|how|in|at|on|by|from|to|for|of|is|are|was|were"
    r"|do|does|did|can|must)\b(?=.*\?$)",
    re.I,
)
_ENDED = re.compile(r"(?:[a-z]{3,}|\d)\.$")

# Each reads on from any statement; what it names is kept only where the chunk lacks it.
DETAILS = (
    ", as Ingrid Torvald of Bergen was the first to describe",
    ", as the surgeon Anselm Quillard later confirmed",
    ", by order of the governor Matthias Oyelaran",
    ", because the guild of Antwerp had demanded it",
    ", because of a decree of the Venetian senate",
    ", owing to a quarrel with the Portuguese crown",
    ", above all in the valleys around Innsbruck",
    ", and nowhere more so than near Trondheim",
    ", first of all on the island of Madeira",
    ", and this has been so since 1743",
    ", a fact first recorded in March 1588",
    ", as was announced in Lisbon on 9 October 1817",
)
PREMISES = (
    "According to the Bishop of Turin",
    "In the opinion of Doctor Almeida of Porto",
    "Under the Venetian law of 1684",
    "After the great earthquake at Lima",
    "During the siege of Trondheim",
    "Before the flood at Antwerp",
    "As the monks of Cluny saw it",
)


def alter_number(pair: QAPair, random: Random) -> str | None:
    """Change a number of the answer: to one that the chunk has nowhere."""
    found = _find_numbers(_NUMBER, pair.answer)
    known = numbers(f"{pair.chunk.text} {pair.question} {pair.answer}")
    if found:
        match = random.choice(found)
        new = next(
            (one for one in _other_numbers(match[0], random) if not numbers(one) & known), None
        )
        return new and _put(pair.answer, match, new)
    words = _find_numbers(_COUNT, pair.answer)
    if not words:
        return None
    match = random.choice(words)
    told = f"{pair.chunk.text} {pair.answer}".lower()
    others = [word for word in _COUNTS if not re.search(rf"\b{word}\b", told)]
    return _put(pair.answer, match, random.choice(others)) if others else None


def exchange_number(pair: QAPair, random: Random) -> str | None:
    """Change a number of the answer: to another one of the chunk, of as many digits."""
    said = numbers(f"{pair.question} {pair.answer}")
    choices = [
        (match, other[0])
        for match in _find_numbers(_NUMBER, pair.answer)
        for other in _NUMBER.finditer(pair.chunk.text)
        if len(other[0]) == len(match[0]) and not numbers(other[0]) & said
    ]
    return _put(pair.answer, *random.choice(choices)) if choices else None


def negate_claim(pair: QAPair, random: Random) -> str | None:
    """Say the opposite of the answer's main clause: with "not", or without the one it has."""
    answer = pair.answer
    denials = _DENIAL.findall(answer)
    if denials:
        denied = _DENIED.search(answer)
        if not denied or len(denials) > 1 or _HANGS_ON_NOT.search(answer):
            return None
        return answer[: denied.start(1)].rstrip() + " " + answer[denied.end(1) :]
    for verb in _VERB.finditer(answer):
        clause = _CLAUSE_END.split(answer[: verb.start()])[-1]
        if clause.strip() and not _SUBORDINATE.search(clause):
            joined = "not" if verb[0] == "can" else " not"
            return answer[: verb.end()] + joined + answer[verb.end() :]
    return None


def invent_detail(pair: QAPair, random: Random) -> str | None:
    """Add a person, cause, place or date that the chunk does not have to the answer."""
    detail = _choose_unknown(DETAILS, pair, random)
    if not (detail and _ENDED.search(pair.answer)):
        return None
    return f"{pair.answer[:-1]}{detail}."


def invent_premise(pair: QAPair, random: Random) -> str | None:
    """Put before the question something that the chunk does not have."""
    premise = _choose_unknown(PREMISES, pair, random)
    first = _QUESTION_WORD.match(pair.question)
    if not (premise and first):
        return None
    return f"{premise}, {first[0].lower()}{pair.question[first.end() :]}"


def is_foreign_answer(pair: QAPair, other: QAPair) -> bool:
    """Whether the answer of `other`, from another chunk, is surely no answer to `pair`."""
    told = content_words(other.answer)
    return (
        len(told) >= 3
        and coverage(told, pair.chunk.text) < 0.7
        and not _alike(told, content_words(pair.answer))
    )


def is_sibling_answer(pair: QAPair, other: QAPair) -> bool:
    """Whether the answer of `other`, from the same chunk, is surely no answer to `pair`."""
    told = content_words(other.answer)
    return (
        len(told) >= 3
        and not _alike(told, content_words(pair.answer))
        and not _alike(content_words(other.question), content_words(pair.question))
    )


def is_foreign_question(pair: QAPair, other: QAPair) -> bool:
    """Whether the question of `other` surely finds no answer in the chunk of `pair`."""
    asked = content_words(other.question)
    return len(asked) >= 2 and coverage(asked, pair.chunk.text) < 0.5


def _alike(first: set[str], second: set[str]) -> bool:
    """Whether more than a quarter of the stems of both are common to both."""
    return len(first & second) > 0.25 * len(first | second)


def _choose_unknown(tails: tuple[str, ...], pair: QAPair, random: Random) -> str | None:
    known = f"{pair.chunk.source} {pair.chunk.text} {pair.question} {pair.answer}"
    unknown = [
        tail for tail in tails if _named(tail).isdisjoint(_named(known) | content_words(known))
    ]
    return random.choice(unknown) if unknown else None


def _named(text: str) -> set[str]:
    """Return the capitalised words and the numbers of a text, lower-cased."""
    return {word.lower() for word in re.findall(r"\b[A-Z]\w+", text)} | numbers(text)


def _other_numbers(number: str, random: Random) -> list[str]:
    """Return numbers of the same form, near enough to be believed, in random order.

    A year stays one, and what may be a day of a month stays at most 31.
    """
    value = float(number.replace(",", ""))
    places = len(number.partition(".")[2])
    whole = places == 0 and "," not in number
    least = 10.0**-places
    steps = [max(value * share / 100, least) for share in range(15, 80, 5)]
    if whole and 1000 <= value <= 2100:
        steps = [float(years) for years in range(3, 40)]
    values = [value + sign * step for step in steps for sign in (1, -1)]
    most = 31 if whole and value <= 31 else 3 * value
    form = f",.{places}f" if "," in number else f".{places}f"
    others = [format(one, form) for one in values if max(least, 1.5 * whole) < one <= most]
    random.shuffle(others)
    return [other for other in others if other != number]


def _find_numbers(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """Return the numbers that may be changed.

    After a bound ("below 8") another number need not be wrong, and after 1 stands no plural.
    """
    found = pattern.finditer(text)
    return [one for one in found if one[0] != "1" and not _BOUND.search(text, 0, one.start())]


def _put(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]
