"""What an English sentence needs of those before it, to be understood where it stands alone."""

import re
from collections.abc import Sequence

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipelines.roots import find_roots
from generation_functions.records import Chunk

_LIST_NUMBER = re.compile(r"^(?:\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})\)|\d{1,3}\.)\s+(?=\S)")
# What a sentence begins with that cannot be understood without the one before it. The "it" of
# "it is best to" stands for nothing.
_LEANS = re.compile(
    r"(?:(?:after|as|although|because|before|by|if|in|once|since|when|while|with) )?"
    r"(?:(?:(?:after|at|before|during|for|from|in|on|within) (?:\w+ ){0,3}(?:beginning|case|days?"
    r"|end|first|general|hours?|last|length|minutes?|moments?|months?|night|once|rule|seconds?"
    r"|times?|ways?|weeks?|while|winter|years?)|often|sometimes|usually|frequently|perhaps|later"
    r"|soon|\w+ly),? "
    r"|(?:after|before|by|instead of|on|rather than|when|while|without) \w+ing\b[^,]*, )?"
    r"(?:it(?! is (?:\w+,? ){0,3}(?:that|to)\b)|they|this|that|these|those|such|he|she|his"
    r"|her|its|their)\b"
    r"|(?:or|nor|neither(?!.*\bnor\b)|then|otherwise|so|here|on the (?:one|other) hand)\b",
    re.IGNORECASE,
)
# What a sentence says of something that only the one before it names.
_BEFORE = re.compile(
    r"^(?:\S+ ){0,6}(?:do(?:es|ne|ing)?|did) (?:this|that|so|it)\b"
    r"|^(?:\S+ ){0,5}(?:he|she|his|him|hers?)\b"
    r"|^(?:\S+ ){1,2}(?:it(?! (?:is|was|would be) (?:\w+,? ){0,3}(?:that|to)\b)|them)\b"
    r"|^(?:if|once|unless|when|where) you (?:\S+ ){0,2}(?:do|find|get|have|like|need|see|use|want) "
    r"(?:it|them)\b"
    r"|^(?:\S+ ){1,6}this (?:at|by|from|in|into|on|to|with)\b"
    r"|\b(?:half|most|some|many|two|three|both|all|none|each|one) of (?:them|these|those)\b"
    r"|\b(?:so|thus) formed\b|\bin a similar manner\b"
    r"|^an? similar\b|\balso \w+ (?:it|them)\b|\b(?:did|does|do|will|can) not \w+ (?:it|them)\b"
    r"|^(?:\S+ ){2,4}another (?!\w+ (?:of|than)\b)|\bboth \w+s\.$"
    r"|\bbetween them\b|^the (?:reverse|same|latter|former)\b"
    r"|^(?:by|for|from|in|of|on|to|under|with) (?:other|similar|different)\b"
    r"|\b(?:accomplish|achieve|do|have|serve)(?:es|s)? the same\b"
    r"|\banother (?:type|kind|sort|form|way|method|means|example)\b"
    r"|^there (?!(?:is|are|was|were|has|have|had|can|may|must|will|would"
    r"|exists?|seems?|came|comes)\b)"
    r"|\b(?:however|therefore)\b|\b(?:can|could|had|has) (?:now|then)\b"
    r"|, too\b|\bthere\.$|\bin the same (?:manner|time|way)\b|^(?:partly |only )?because\b"
    r"|\bas an example\b",
    re.IGNORECASE,
)
# What stands nowhere near a sentence, or is somebody who speaks.
_ELSEWHERE = re.compile(
    r"^the (?:following|answer)\b|\bas shown in the\b|\b(?-i:us|me)\b|^(?:until )?now\b"
    r"|\b(?:figure|plate|table) [\dIVX]|\(\w{1,2}\) ",
    re.IGNORECASE,
)
_OF_NAMED = re.compile(  # "Jean Richer found that his clock"
    r"(?:The (?:[a-z-]+ ){1,3})?(?:[A-Z][\w’'-]+ ){2,}(?:\S+ )*?(?:he|she|his|him|hers?)\b"
)
_THIS = re.compile(
    r"\b(?:this|these|those|such(?! (?:[\w’'-]+ ){0,3}as\b)) (?!(?:an?|who|which|that|is|are|was"
    r"|were|will|can|may|must|should|would|could|has|have|had|does|do|did|in|of|to)\b)(\w+)",
    re.IGNORECASE,
)
# Of what, or for what, only the sentence before says.
_ELLIPTIC = re.compile(
    r"\b(?:is|are|will be) (?:also )?(?:sufficient|enough|as good as|equally|just as|better"
    r"|worse)\b"
    r"|^[A-Z][a-z]+ (?:minutes|hours|days|weeks|months|years) (?:are|were) \w+(?: \w+)?(?:,|\.|$)"
    r"|\d (?:grams?|kilograms?|ounces?|pounds?|pints?|quarts?|gallons?|lit(?:er|re)s?|tons?|drops?"
    r"|spoonfuls?)\b(?! of\b)"
)
_WAYS = ("way", "manner")
_FULL_NAME = re.compile(r"[A-Z][a-z’'-]+(?: (?:de|di|van|von|[A-Z]\.))*(?: [A-Z][a-z’'-]+)+")
_OF_PERSON = re.compile(r"(?:he|she|his|her)\b", re.IGNORECASE)
# "The gas will explode": a thing as if it were known which; no "of the lamp" behind it says it.
_KNOWN_THING = re.compile(
    r"\bthe (?:[a-z]+(?:ward|er|ed|ing|al|ous|ic|ive) )?([a-z]+)"
    r"(?= (?:will|can|may|must|should|is|are|was|were|has|have|if|when|and|or|with"
    r"|in|into|on|onto|at|from|by|for|over|through|under|until|before|after|as|so|off|out|up|down"
    r"|became|began|came|cost|do|does|did|fell|gave|grew|held|kept|led|left|lost|made|paid|ran|sent"
    r"|stood|struck|took|contains?|turns?|\w{3,}ed)\b|[,.;:])",
    re.IGNORECASE,
)
# Of which there is but one, or everybody knows which.
_UNIQUE = frozenset(
    "air army earth enemy government ground moon police public sea sky sun weather world".split()
)
_ENDED = re.compile(r"[.!?][”\"’')]*\s*$")  # as no heading is, which needs not be told
_BROKEN_OFF = re.compile(  # where a page or a paragraph ends in the middle of a sentence
    r"\b(?:an?|and|as|at|by|for|from|in|into|is|are|of|on|or|the|their|to|was|were|which|with)$"
)
FARTHEST = 3  # sentences back to the one that names a thing
MOST_NAMED, MOST_BARE = 3, 2  # times of "the gas", "of gas"; what a text has oftener it is about


def without_number(sentence: str) -> str:
    """Return a sentence without the number that it has in a list: "(3) ", "b) "."""
    return _LIST_NUMBER.sub("", sentence)


def leans(sentence: str, language: str) -> bool:
    """Whether an English sentence begins with what stands for something in the one before."""
    return language == "english" and bool(_LEANS.match(without_number(sentence)))


def find_needed(chunk: Chunk, number: int) -> int:
    """Return the number of the sentence from which on an English one has to be read: its own, the
    one before it that it leans on, or the one that names a thing which it has as known."""
    texts = number_sentences(chunk.text, chunk.language)
    if leans(texts[number - 1], chunk.language):
        return number - 1
    if chunk.language != "english":
        return number
    if number > 1 and _BROKEN_OFF.search(texts[number - 2]):
        return number - 1
    sentence = without_number(texts[number - 1])
    if number > 1 and (_ELLIPTIC.search(sentence) or _points_before(sentence)):
        return number - 1
    for match in _KNOWN_THING.finditer(sentence):
        said = find_roots(f"{chunk.source} {sentence[: match.start()]}")
        if not find_roots(match[1]) - said or _is_subject(match[1], chunk):
            continue
        named = re.compile(rf"\b{match[1].removesuffix('s')}(?:e?s)?\b", re.IGNORECASE)
        for earlier in range(number - 1, max(0, number - 1 - FARTHEST), -1):
            if named.search(texts[earlier - 1]) and _ENDED.search(texts[earlier - 1]):
                return earlier
    return number


def _is_subject(thing: str, chunk: Chunk) -> bool:
    """Whether a text has "the water", or "of water", so often that it needs no naming, or there is
    but one."""
    if is_unique(thing):
        return True
    known = re.findall(rf"\bthe {thing}\b", chunk.text, re.IGNORECASE)
    bare = re.findall(
        rf"\b(?:and|as|by|for|from|in|into|of|on|or|to|with) {thing}\b", chunk.text, re.IGNORECASE
    )
    return len(known) > MOST_NAMED or len(bare) > MOST_BARE


def is_unique(thing: str) -> bool:
    """Whether there is but one of what a word names, with "the" before it or without: the sun."""
    return thing.lower().removeprefix("the ") in _UNIQUE


def hold_together(chunk: Chunk, numbers: Sequence[int]) -> tuple[int, ...]:
    """Return the first of the sentences with those before it that it leans on, and with those of
    the others that follow on it and lean on it in turn."""
    first = last = numbers[0]
    while first > 1 and (needed := find_needed(chunk, first)) < first:
        first = needed
    while last + 1 in numbers and find_needed(chunk, last + 1) < last + 1:
        last += 1
    return tuple(range(first, last + 1))


def points_elsewhere(words: str, sentences: Sequence[str]) -> bool:
    """Whether an answer that is made of sentences speaks of what is named before them: "the same
    effect", "this method", somebody's "he" that need not be the one of its first sentence."""
    if _ELSEWHERE.search(words) or _points_before(without_number(sentences[0])):
        return True
    return any(
        _OF_PERSON.match(sentence) and len(_list_persons(sentences[:place])) != 1
        for place, sentence in enumerate(sentences)
        if place
    )


def _list_persons(sentences: Sequence[str]) -> set[str]:
    """Return the names of several words that stand in sentences, as those of persons do."""
    return {name for sentence in sentences for name in _FULL_NAME.findall(sentence)}


def _points_before(sentence: str) -> bool:
    """Whether a sentence speaks of what only those before it name: "this method" or the like, and
    no method before ("this way" takes up a clause before it), or somebody's "he"."""
    if _BEFORE.search(sentence) and not _OF_NAMED.match(sentence):
        return True
    return any(
        not find_roots(match[1])
        or not find_roots(match[1]) <= find_roots(sentence[: match.start()])
        for match in _THIS.finditer(sentence)
        if not (match[1].lower() in _WAYS and ";" in sentence[: match.start()])
    )
