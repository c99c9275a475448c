"""The things that English sentences name, to stand over what is told of them."""

import re
from collections.abc import Sequence

from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.amounts import MONTHS
from generation_functions.pipelines.question_words import is_verb
from generation_functions.pipelines.spelling import load_dictionary
from generation_functions.pipelines.wording import content_words
from generation_functions.records import Chunk

_ARTICLE = re.compile(r"^(?:the|an?) ", re.IGNORECASE)
_SENTENCE_ENDS = re.compile(r"(?<=[.;:!?])[”\"’)]* +[“\"‘(]*|“")
_PREPOSITION = "against|at|between|by|for|from|in|into|of|on|over|through|under|with|within|without"
_VERBS = (
    "is|are|was|were|be|has|have|had|can|cannot|could|may|might|must|shall|should|will|would|do"
    "|does|did"
)
_STOP = (
    f"{_PREPOSITION}|to|upon|during|throughout|which|that|who|where|when|while|as|if|so|than|because"
    f"|{_VERBS}"
)
_AUXILIARY = re.compile(_VERBS, re.IGNORECASE)
_NO_WORD = f"{_STOP}|and|or|but|the|an?|his|her|its|their|your|our"
_PLAIN = rf"(?!(?:{_NO_WORD})\b)[^\W\d_]+(?:[-’'][^\W\d_]+)*"
_THING = re.compile(
    rf"(?:^|\b(?P<lead>{_PREPOSITION}) |(?=\b(?:the|an?) ))(?P<article>(?:the|an?) )?"
    rf"(?P<words>{_PLAIN}(?: {_PLAIN}){{0,2}})(?=[.,;:!?”]|$| (?P<then>{_STOP})\b)",
    re.IGNORECASE,
)
_NO_THING = re.compile(r"\w{3,}(?:able|al|ed|est|ful|ible|ic|ing|ive|less|ous)$")
_GENERAL = frozenset(
    """act acts amount anybody anyone anything attempt attempts case conditions course effort
    efforts end example extent fact far form kind least long minutes most nobody number order
    others part people person persons place point possible possibility purpose reason rest same
    side similar situation sort such thing things time times type use way ways whole work""".split()
) | set(MONTHS)


def list_things(text: str, source: str) -> list[str]:
    """Return what English sentences name behind an article or a preposition, or begin with: up to
    three words that carry meaning, with their article.

    Nothing of the name of the author of their source is among it, and nothing that might be a
    verb, an adjective or too general to head what is told of it ("a point").
    """
    author = content_words(parse_name(source).author or "")
    found = []
    for sentence in _SENTENCE_ENDS.split(text):
        for match in _THING.finditer(sentence):
            words = match["words"].split()
            if len(words) > 1 and _may_act(words[-1], match["then"]):
                continue
            if content_words(match["words"]) & author or not names_thing(words):
                continue
            led = match["lead"] or match["article"]
            if not led and not _AUXILIARY.fullmatch(match["then"] or ""):
                continue
            if led or not is_verb(words[0].lower()):
                found.append(f"{match['article'] or ''}{match['words']}")
    return list(dict.fromkeys(found))


def _may_act(word: str, then: str | None) -> bool:
    """Whether a word before another one may be what a thing does ("the enemy asks for"): not if a
    verb comes then ("the oil pump will")."""
    if then is None or _AUXILIARY.fullmatch(then):
        return False
    return is_verb(word.lower()) or is_verb(word.lower().removesuffix("s"))


def names_thing(words: Sequence[str]) -> bool:
    """Whether words can name a thing: they carry meaning, and do not end as adjectives do."""
    ending = words[-1].lower()
    return (
        all(content_words(word) for word in words)
        and not _NO_THING.match(ending)
        and not {word.lower() for word in words} & _GENERAL
    )


def put_within(thing: str, chunk: Chunk) -> str:
    """Return a thing as it stands within a sentence, where it is no name as far as code can tell:
    an article, what the text has with a small letter too, or a word of the dictionary that is a
    plural or stands before small letters."""
    within = thing[:1].lower() + thing[1:]
    first, _, rest = within.partition(" ")
    common = (rest.islower() or first.endswith("s")) and load_dictionary("en").known([first])
    if common or _ARTICLE.match(thing) or re.search(rf"\b{re.escape(within)}\b", chunk.text):
        return within
    return thing


def without_article(thing: str) -> str:
    """Return a thing without its article."""
    return _ARTICLE.sub("", thing, count=1)
