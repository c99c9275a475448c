"""Numbers and dates of a text in one form, whether they stand in digits or in words."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from generation_functions.pipelines.wording import numbers

_UNITS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen""".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_CARDINALS = {word: value for value, word in enumerate(_UNITS)} | {
    word: 10 * value for value, word in enumerate(_TENS, start=2)
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        """zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
        thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth""".split()
    )
} | {f"{word[:-1]}ieth": 10 * value for value, word in enumerate(_TENS, start=2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
# Words that tell a number without being one: a text that has them knows the number.
_HINTS = {
    2: "twice twofold double doubled both pair couple half halves second secondly two-thirds",
    3: "thrice threefold triple treble trio third thirds",
    4: "quarter quarters fourfold quadruple fourth",
    10: "decade decades tenfold",
    12: "dozen dozens",
    20: "score",
    100: "century centuries hundreds percent",
    1000: "millennium millennia thousands",
}
_VAGUE = {
    "dozen": 12,
    "dozens": 12,
    "hundreds": 100,
    "thousands": 1000,
    "millions": 10**6,
    "billions": 10**9,
}
MONTHS = """january february march april may june july august september october november
    december""".split()
_WORD = re.compile(r"[A-Za-z]+|\d+(?:,\d{3})+(?:[.·]\d+)?|\d+(?:[.·]\d+)?")
_BETWEEN = re.compile(r"(?:[ -]|,? and )")
_MONTH = re.compile(
    r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)(?:\b|[a-z]*\b)|\b(?:(?<=\d )(?:of )?May"
    r"|(?<=\d(?:st|nd|rd|th) )May|(?<=of )May|(?<=[Ii]n )May|May(?= \d))\b"
)
_NUMERIC_DATE = re.compile(
    r"\b(?:\d{4}-(\d\d)-\d\d|(\d\d?)([./])(\d\d?)\3(?:\d{4}|\d\d))\b"
)  # ISO 8601; day and month in either order
# What an answer may count by itself ("two reasons: ...").
_COUNTED = re.compile(
    r"(?:main |different |other |separate |distinct )?(?:ways?|reasons?|things?|kinds?|types?|sorts"
    r"|parts?|steps?|purposes?|factors?|groups?|causes?|conditions?|effects?|uses|methods?|points?"
    r"|stages?|features?|forms?|signs?|tasks|jobs|means|examples|others?|of|is|was|who|which|that"
    r"|are|can|may|must|should|by|to)\b"
)


@lru_cache(maxsize=1_000)
def amounts(text: str) -> frozenset[str]:
    """Return the numbers that a text claims: "twenty-one", "21" and "21st" are all "21".

    Left out are words that often claim nothing: "one", "first", "second", and small numbers
    that count what the text itself lists ("two reasons").
    """
    claimed = {str(value) for value, _ in _expressions(text)}
    return frozenset(claimed | numbers(text) - _scaled(text))


def find_counts(text: str) -> set[str]:
    """Return the numbers that a text claims as `amounts` does, small and round ones too.

    Left out are "one", "first" and "second", and "two" of what the text itself lists.
    """
    counted = {str(value) for value, _ in _expressions(text, _is_idle)}
    return counted | numbers(text) - _scaled(text)


def find_vague(text: str) -> dict[str, int]:
    """Return the words of a text that tell a number without saying which ("dozens"), each with
    the least that it may be.
    """
    words = re.findall(r"[a-z]+", text.lower())
    return {word: _VAGUE[word] for word in words if word in _VAGUE}


@lru_cache(maxsize=1_000)
def known_amounts(text: str) -> frozenset[str]:
    """Return every number that a text gives a reader to know, the parts of compounds too."""
    found = numbers(text) | {str(value) for value, _ in _expressions(text, _is_never)}
    words = {word.lower() for word in re.findall(r"[A-Za-z-]+", text)}
    words |= {part for word in words for part in word.split("-")}
    for values in (_CARDINALS, _ORDINALS, _SCALES):
        found |= {str(value) for word, value in values.items() if word in words}
    found |= {str(value) for value, hints in _HINTS.items() if words & set(hints.split())}
    return frozenset(found)


def months(text: str) -> set[str]:
    """Return the months that a text names in a date or by name, as their first three letters."""
    return {match.group().lower().removeprefix("of ")[:3] for match in _MONTH.finditer(text)}


@lru_cache(maxsize=1_000)
def known_months(text: str) -> frozenset[str]:
    """Return the months that a text names, also as numbers (1931-05-04, 4.5.1931)."""
    found = months(text) | {
        month[:3] for month in MONTHS if re.search(rf"\b{month}\b", text, re.IGNORECASE)
    }
    for match in _NUMERIC_DATE.finditer(text):
        for number in (match[1], match[2], match[4]):
            if number and 1 <= int(number) <= 12:
                found.add(MONTHS[int(number) - 1][:3])
    return frozenset(found)


def _scaled(text: str) -> set[str]:
    """Return the digits that a scale follows ("3 million"), which are no number of their own."""
    return set(re.findall(rf"\b(\d+(?:\.\d+)?) (?:{'|'.join(_SCALES)})\b", text.replace("·", ".")))


def _says_little(text: str, run: list[re.Match[str]], value: float) -> bool:
    words = [match.group().lower() for match in run]
    if words in (["one"], ["first"], ["second"], ["hundred"], ["thousand"], ["zero"]):
        return True
    return value < 7 and bool(_COUNTED.match(text, run[-1].end() + 1))


def _is_idle(text: str, run: list[re.Match[str]], value: float) -> bool:
    alone = [match.group().lower() for match in run] in (["one"], ["first"], ["second"], ["zero"])
    return alone or (value == 2 and bool(_COUNTED.match(text, run[-1].end() + 1)))


def _is_never(text: str, run: list[re.Match[str]], value: float) -> bool:
    return False


def _expressions(
    text: str, forgives: Callable[[str, list[re.Match[str]], float], bool] = _says_little
) -> Iterator[tuple[int | float, int]]:
    """Yield the value and end of each number that is written in words, or with a scale.

    Left out are those that `forgives` says so of, by the text, the number's words and its value.
    """
    run: list[re.Match[str]] = []
    words = [match for match in _WORD.finditer(text) if match.group().lower() != "and"]
    for match in [*words, None]:
        if run and match and _joins(text, run[-1], match):
            run.append(match)
            continue
        if run:
            value = _value([one.group().lower() for one in run])
            if value is not None and not forgives(text, run, value):
                yield value, run[-1].end()
        run = [match] if match and _is_number(match.group()) else []


def _is_number(word: str) -> bool:
    word = word.lower()
    return word[0].isdigit() or word in _CARDINALS or word in _SCALES or word in _ORDINALS


def _joins(text: str, last: re.Match[str], match: re.Match[str]) -> bool:
    """Whether two number words make one number: "twenty-one", "two hundred and five"."""
    before, word = last.group().lower(), match.group().lower()
    between = text[last.end() : match.start()]
    if not _BETWEEN.fullmatch(between) or before in _ORDINALS:
        return False
    if word in _SCALES:
        return True
    small = _CARDINALS.get(word, _ORDINALS.get(word))
    if small is None:
        return False
    if before in _SCALES:
        return True
    return before in _TENS and 0 < small < 10 and "and" not in between


def _value(words: list[str]) -> int | float | None:
    """Return the value of a number's words; None for digits alone, which `numbers` reads."""
    if len(words) == 1 and words[0][0].isdigit():
        return None
    total: float = 0
    part: float = 0
    for word in words:
        if word == "hundred":
            part = (part or 1) * 100
        elif word in _SCALES:
            total += (part or 1) * _SCALES[word]
            part = 0
        else:
            plain = word.replace(",", "").replace("·", ".")
            part += float(plain) if plain[0].isdigit() else (_CARDINALS | _ORDINALS)[word]
    value = total + part
    return int(value) if value == int(value) else value
