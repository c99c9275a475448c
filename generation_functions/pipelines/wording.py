"""What can be told about a text by its words alone: what it points at, what it carries over."""

import re
import unicodedata

_TEXT = r"(?:text|passage|excerpt|extract|chapter|paragraph|document|author|writer|narrator)"
_PART = r"(?:section|article|book|manual|sentences?|statement|table|figure|footnote|description)"
_NAMED = r"(?!'s)(?! (?:of|by|on|called|titled|entitled|named) |,? [\"“'‘_A-Z])"
_POINTERS = re.compile(
    "|".join(
        (
            rf"\b(?:this|the (?:above|given|provided|following|present|same)) (?:{_TEXT}|{_PART})\b",
            rf"\bthe {_TEXT}\b(?:'s\b|{_NAMED})",
            rf"\b(?:in|to|by|from) (?:the|this|these) {_PART}\b{_NAMED}",
            r"\b(?:mentioned|described|discussed|listed|stated|given|shown|said|explained|referred to)"
            r" (?:above|below|earlier|previously|here|before)\b",
            r"\b(?:sentences?|fig\.|figs\.|footnote) \[?\d+",
            r"\[\d+\]",
        )
    ),
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_INNER_WORD = re.compile(r"(?<=[\w,;:)] )[^\W\d_]{2,}")
_EMPTY_WORDS = frozenset(
    """a about after all also am an and any are as at be because been before being between both but
    by can could did do does doing down during each else for from had has have he her here him his
    how i if in into is it its just let made make makes many may me might more most much must my no
    nor not of off on once one only or other our out over own per shall she should so some such tell
    than that the their them then there these they this those through to too under until up upon us
    used use very was we were what when where which while who whom whose why will with would yes you
    your""".split()
)


def find_pointers(text: str) -> list[str]:
    """Return the phrases that point at an unnamed text ("the passage", "mentioned above").

    A text that is named ("the author of Hamlet") is not pointed at.
    """
    return list(dict.fromkeys(match.group() for match in _POINTERS.finditer(text)))


def content_words(text: str) -> set[str]:
    """Return the words that carry meaning, lower-cased and cut to their stems."""
    words = (match.group().lower().replace("’", "'") for match in _WORD.finditer(text))
    return {_stem(word.removesuffix("'s")) for word in words if word not in _EMPTY_WORDS}


def numbers(text: str) -> set[str]:
    """Return the numbers written in digits; 1,852 and 1852 are the same."""
    found = (match.group().rstrip(".,") for match in _NUMBER.finditer(text))
    return {re.sub(r",(?=\d{3}\b)", "", number) for number in found}


def names(text: str) -> set[str]:
    """Return the capitalised words that do not stand at the beginning of a sentence."""
    words = (match.group() for match in _INNER_WORD.finditer(text))
    return {word.lower() for word in words if word[0].isupper()} - _EMPTY_WORDS


def coverage(wanted: set[str], text: str) -> float:
    """Return the share of the stems `wanted` that `text` has (1.0 when nothing is wanted)."""
    return len(wanted & content_words(text)) / len(wanted) if wanted else 1.0


def strange_script(text: str, source: str) -> bool:
    """Whether `text` has letters of a script that `source` lacks; Latin and Greek never count.

    Models that were trained on many languages drop a stray sign of another script
    where only a short token still fits.
    """
    return bool(
        _scripts(text) - _scripts(source) - {"LATIN", "GREEK", "MICRO", "FEMININE", "MASCULINE"}
    )


def _scripts(text: str) -> set[str]:
    letters = {char for char in text if char.isalpha()}
    return {unicodedata.name(char, "UNNAMED").split()[0].split("-")[0] for char in letters}


def _stem(word: str) -> str:
    for ending in (
        "ations",
        "ation",
        "ingly",
        "ings",
        "edly",
        "ies",
        "ing",
        "ed",
        "es",
        "ly",
        "s",
        "e",
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
