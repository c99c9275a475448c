"""What can be told about a text by its words alone: what it points at, what it carries over."""

import re
import unicodedata
from functools import lru_cache

from generation_functions.documents.languages import UNSPACED

_TEXT = r"(?:text|excerpt|chapter|paragraph|author|writer|narrator)"
_PART = r"(?:passage|section|book|manual|article|sentences?)"
_OTHER = r"(?:document|extract|statement|table|figure|footnote|description|source|context)"
_NAMED = (
    r"(?! (?:of|by|on|called|titled|entitled|named|through|from|to|between) |,? (?-i:[\"“_A-Z]))"
)
_POINTERS = (
    rf"(?:this|these|the (?:above|given|provided|following)) (?:{_TEXT}|{_PART}|{_OTHER})",
    rf"the {_TEXT}s?\b{_NAMED}",
    rf"the (?:first|second|third|last|next|previous|two|three) (?:\w+ )?(?:{_TEXT}|{_PART})s?",
    rf"(?:in|of|to|by|from) the {_PART}\b{_NAMED}",
    r"(?:this|the present) (?:paper|pamphlet|essay|treatise|volume|lecture|handbook)",
    r"(?:so|thus) far (?:discussed|described|mentioned|considered|named|listed)",
    r"(?:discussed|described|mentioned|considered|named|listed) (?:so|thus) far",
    rf"according to the {_OTHER}\b{_NAMED}",
    r"(?:mentioned|described|discussed|listed|stated|given|shown|said|explained|referred to)"
    r" (?:above|below|earlier(?! than)|previously|before(?=\W*$|[,.;:?!)]))",
    r"(?:sentences?|figs?\.|footnotes?) \[?\d+",
    r"\[\d+\]",
    r"th(?:is|ese) latter\b(?: \w+)?",
    r"(?:chap(?:ter|\.)|notes?|sect(?:ion|\.)|vol\.|pp?\.) (?:[IVXLC]+|\d+[a-z]?)\b"
    r"(?!(?:\(\w+\))* (?:of|in|to) (?:the )?(?:(?-i:[A-Z])|act\b|law\b|code\b|treaty\b))",
)
# What names nothing by itself: a person who is asked "why did they do this?" asks back.
# "Such buildings", but not "such as", "in such a way".
_DEMONSTRATIVE = re.compile(
    r"\b(?:this|these|those|such(?! (?:as|an?|that)\b))(?: (\w+))?", re.IGNORECASE
)
_PRONOUN = re.compile(
    r"\b(?:he|she|they|him|them|his|their|its|the (?:former|latter))\b", re.IGNORECASE
)
# What a question asks that is about the text itself; no rewording can save it.
_ABOUT_TEXT = re.compile(
    r"\b(?:main|central|key|overall) (?:idea|point|topic|theme|message|argument)s?\b(?! behind)"
    r"|\b(?:first|second|third|fourth|fifth|last|next|previous)"
    r" (?:text|excerpt|chapter|paragraph|passage|section|sentence)s?\b",
    re.IGNORECASE,
)
# How a sentence takes up the one before it, which an answer does not have.
_TAKES_UP = re.compile(
    r"(?:thus|besides(?: which)?|(?:so,? )?for (?:example|instance)|therefore|hence|however"
    r"|moreover|furthermore|similarly|likewise|on the other hand|in fact|but|and|those)\b",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(r"\b(?:I|[Ww]e|[Mm]y|[Oo]ur)\b(?![.'’])")
# "I" is the first of several after these, and after a name ("World War I", "type I").
_NUMBERED = re.compile(
    r"(?:types?|parts?|class(?:es)?|phases?|grades?|groups?|stages?|levels?|categor(?:y|ies)|kinds?"
    r"|acts?|orders?|factors?)",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\s$")
_OPENS = frozenset(
    """again although besides even finally first hence here however indeed later moreover never
    next often perhaps since sometimes therefore though thus today unless usually whenever yet
    yesterday""".split()
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_NUMBER = re.compile(r"\d+(?:[.,·]\d+)*")
_COMPILED = [re.compile(rf"(?<!\w){pattern}", re.IGNORECASE) for pattern in _POINTERS]
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
    found = [match for pattern in _COMPILED for match in pattern.finditer(text)]
    return list(dict.fromkeys(match.group() for match in sorted(found, key=re.Match.start)))


def find_unclear(question: str, answer: str) -> list[str]:
    """Return the phrases of a pair that mean nothing to somebody who sees the pair alone.

    These are its pointers at a text, a writer who says "I", how the answer takes up an
    earlier sentence ("Thus"), and in the question words that stand for something ("this
    mistake", "they") before anything is named that they could stand for.
    """
    phrases = find_pointers(question) + find_pointers(answer)
    phrases += _find_first_person(question) + _find_first_person(answer)
    takes_up = _TAKES_UP.match(answer)
    if takes_up:
        phrases.append(takes_up.group())
    for match in _DEMONSTRATIVE.finditer(question):
        before = content_words(question[: match.start()])
        if not (content_words(match[1] or "") & before or (not match[1] and before)):
            phrases.append(match.group())
    for match in _PRONOUN.finditer(question):
        if not content_words(question[: match.start()]):
            phrases.append(match.group())
    found: dict[str, str] = {}
    for phrase in phrases:
        found.setdefault(phrase.lower(), phrase)
    return list(found.values())


def _find_first_person(text: str) -> list[str]:
    return [
        match.group()
        for match in _FIRST_PERSON.finditer(text)
        if match.group() != "I" or not _is_numbered(text[: match.start()])
    ]


def _is_numbered(before: str) -> bool:
    """Whether an "I" behind these words is a number: no word that merely opens a sentence."""
    found = _WORD_BEFORE.search(before)
    if found is None:
        return False
    word = found[1]
    opens = word.lower() in _EMPTY_WORDS | _OPENS
    return bool(_NUMBERED.fullmatch(word)) or (word[0].isupper() and not opens)


def asks_about_text(question: str) -> bool:
    """Whether a question is about the text instead of what the text tells."""
    return bool(_ABOUT_TEXT.search(question))


def content_words(text: str) -> set[str]:
    """Return the words that carry meaning, lower-cased and cut to their stems.

    Of scripts that set no words apart, each two characters that stand together are one.
    """
    found: set[str] = set()
    for match in _WORD.finditer(text):
        word = match.group().lower().replace("’", "'")
        if UNSPACED.search(word):
            found.update(word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif word not in _EMPTY_WORDS:
            found.add(_stem(word.removesuffix("'s")))
    return found


def numbers(text: str) -> set[str]:
    """Return the numbers written in digits; 1,852 and 1852, 0·5 and 0.5 are the same."""
    found = (match.group() for match in _NUMBER.finditer(text))
    return {re.sub(r",(?=\d{3}\b)", "", number).replace("·", ".") for number in found}


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


@lru_cache(maxsize=1_000)
def _scripts(text: str) -> frozenset[str]:
    letters = {char for char in set(text) if char.isalpha()}
    return frozenset(unicodedata.name(char, "UNNAMED").split()[0].split("-")[0] for char in letters)


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
