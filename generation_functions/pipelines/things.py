"""The things that English sentences name, to stand over what is told of them."""

import re

from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.amounts import MONTHS, find_counts
from generation_functions.pipelines.question_words import is_verb
from generation_functions.pipelines.spelling import load_dictionary
from generation_functions.pipelines.statements import read_statement
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
    f"{_PREPOSITION}|to|upon|during|throughout|until|after|before|near|about|around|behind|across"
    f"|which|that|who|where|when|while|as|if|so|than|because|{_VERBS}"
)
_AUXILIARY = re.compile(_VERBS, re.IGNORECASE)
_NO_WORD = f"{_STOP}|and|or|but|the|an?|his|her|its|their|your|our"
_PLAIN = rf"(?!(?:{_NO_WORD})\b)[^\W\d_]+(?:[-’'][^\W\d_]+)*"
_THING = re.compile(
    rf"(?:^|\b(?P<lead>{_PREPOSITION}) |(?=\b(?:the|an?) ))(?P<article>(?:the|an?) )?"
    rf"(?P<words>{_PLAIN}(?: {_PLAIN}){{0,2}}"
    rf"(?:(?: and| of(?: the| an?)?) {_PLAIN}(?: {_PLAIN})?)?)"
    rf"(?=[.,;:!?”]|$| (?!of\b)(?P<then>{_STOP})\b)",
    re.IGNORECASE,
)
_PARTICIPLE = re.compile(r"\w{3,}ed$")
_LINKS = frozenset("a an and in of on the".split())
_NAME = re.compile(
    r"([A-Z][\w-]+) (?:[A-Z][\w-]+ )*[A-Z][\w-]+(?=,? [a-z(])"
)  # "John Harrison made"
_ORDERED = re.compile(
    rf"(?P<verb>(?!Let )[A-Z][a-z]+) (?:(?:back|down|off|out|up) )?(?:(?:all|any|your) )?"
    rf"(?P<article>(?:the|an?) )?(?P<words>{_PLAIN}(?: {_PLAIN}){{0,3}}"
    rf"(?:(?: and| or| of(?: the| an?)?) {_PLAIN}(?: {_PLAIN}){{0,2}})?)"
    rf"(?=[.,;:!?”]|$| (?!of\b)(?:{_STOP})\b)"
)
_FOR = re.compile(
    rf"(?:In|On|For|With) (?P<article>(?:the|an?) )?(?P<words>{_PLAIN}(?: {_PLAIN}){{0,3}}"
    rf"(?:(?: and| of(?: the| an?)?) {_PLAIN}(?: {_PLAIN})?)?), (?=[a-z]+ )"
)
_DOING = re.compile(r"(?:In|On|When|While) (?P<doing>[a-z]+ing [^,.;:“”]{3,50}), (?=[a-z]+ )")
_ADVICE = re.compile(r"\badvises?: “")
_OPENERS = frozenset(
    "After All As At Before By For From If In On Once Since The To When While".split()
)
_BARE_PERSON = re.compile(r"[A-Z][a-z]+-[a-z]+(?:er|or|man)")  # of several a text tells so of one
_NEVER_NAMES = _OPENERS | frozenset("A An Every Each His Her Its Their".split())
_PAST = frozenset(
    """became began came fell gave grew held kept led left lost made ran reached sent
    stood struck strove took went""".split()
)
_NO_THING = re.compile(
    r"\w{3,}(?:able|al|ed|est|ful|ible|ic|ing|ive|less|ous)$|again|ago|also|alone|apart|away|likewise|together|too|\w{3,}wards?$"
    r"|above|abroad|below|elsewhere|frozen|inside|nearby|outside|ever|hard|here|never|often|once|paid|rather|seldom|soon|still|there|today|twice|yet|(?!(?:anomal|assemb|bel|butterf|fami|jel|li|monopo|rep|sup)(?:ly|ply)$)\w{3,}ly$"
    r"|(?:born|built|cut|done|drawn|driven|found|given|gone|grown|held|kept|known|left|lost|made|put"
    r"|seen|sent|set|shown|taken|thrown|written)$"
)
_GENERAL = frozenset(
    """act acts always amount anybody anyone anything attempt attempts case centuries
    century conditions course day days decade decades degree degrees dozen effort
    efforts end example extent fact far form half hour hours hundred kind least less
    long matter metre metres mile miles minute minutes month months more most night nobody
    number order others part people person persons place point possibility possible
    purpose reason rest same second seconds side similar situation sort such thing
    things time times type use way ways week weeks whole work year years
    data evidence every fact facts few lump matter none numerous opinion research
    researches result results several success truth""".split()
) | set(MONTHS)


def list_things(text: str, source: str) -> list[str]:
    """Return what English sentences name behind an article or a preposition, or begin with: a few
    words that carry meaning, with their article.

    Nothing of the name of the author of their source is among it, and nothing that might be a
    verb, an adjective or too general to head what is told of it ("a point").
    """
    author = content_words(parse_name(source).author or "")
    found: dict[str, None] = {}
    for sentence in _SENTENCE_ENDS.split(text):
        place = 0
        while match := _THING.search(sentence, place):
            thing = f"{match['article'] or ''}{match['words']}"
            taken = _is_named(match) and not content_words(thing) & author
            place = match.end() if taken else match.start() + 1
            if taken:
                found[thing] = None
    return list(found)


def find_head(fact: str, source: str) -> str:
    """Return what a fact is about: the thing or name that it begins with, or what it advises to
    do something with; "" where code cannot tell."""
    if advice := _ADVICE.search(fact):
        return _find_advised(fact, advice.end())
    name = _NAME.match(fact)
    if name and name[1] not in _OPENERS:
        return name[0]
    statement = read_statement(fact)
    if statement and _BARE_PERSON.fullmatch(statement.subject):
        return ""
    if statement and names_thing(statement.subject):
        return statement.subject
    things = list_things(fact, source)
    return things[0] if things and fact.startswith(things[0]) else ""


def _find_advised(fact: str, place: int) -> str:
    """Return what an order that begins at a place of a fact is for ("In water turbines, insert
    ..."), or with what it wants something done."""
    if doing := _DOING.match(fact, place):
        return doing["doing"]
    found = _FOR.match(fact, place) or _ORDERED.match(fact, place)
    if not found or not names_thing(found["words"]):
        return ""
    if "verb" in found.groupdict() and not is_verb(found["verb"].lower()):
        return ""
    return f"{found['article'] or ''}{found['words']}"


def _is_named(match: re.Match[str]) -> bool:
    """Whether words stand where a thing is named, and can name one."""
    words, then = match["words"].split(), match["then"] or ""
    led = match["lead"] or match["article"]
    if not led and (is_verb(words[0].lower()) or not _AUXILIARY.fullmatch(then)):
        return False
    if (len(words) > 1 and _may_act(words[-1], then)) or then == "than":
        return False
    if len(words) == 1 and not match["article"] and match.string.startswith(",", match.end()):
        return False  # "in small, regular steps"
    return names_thing(match["words"])


def _may_act(word: str, then: str) -> bool:
    """Whether a word before another one may be what a thing does ("the enemy asks for"): not if a
    verb comes then ("the oil pump will")."""
    if not then or _AUXILIARY.fullmatch(then):
        return False
    return is_verb(word.lower()) or is_verb(word.lower().removesuffix("s"))


def names_thing(words: str) -> bool:
    """Whether words can name a thing: they carry meaning, and do not end as adjectives do."""
    telling = [word for word in words.lower().split() if word not in _LINKS]
    return (
        bool(telling)
        and all(map(content_words, telling))
        and not _NO_THING.match(telling[-1])
        and _GENERAL.isdisjoint(telling)
        and not find_counts(telling[0])
        and not any(word in _PAST or _PARTICIPLE.match(word) for word in telling[1:])
    )


def put_within(thing: str, chunk: Chunk) -> str:
    """Return a thing as it stands within a sentence, where it is no name as far as code can tell:
    an article, what the text has with a small letter too, or a word of the dictionary that is a
    plural or stands before small letters."""
    within = thing[:1].lower() + thing[1:]
    first, _, rest = within.partition(" ")
    plural = first.endswith("s") and not rest[:1].isupper()
    common = (rest.islower() or plural or first.endswith("ing")) and load_dictionary("en").known(
        [first]
    )
    if common or _ARTICLE.match(thing) or re.search(rf"\b{re.escape(within)}\b", chunk.text):
        return within
    return thing


def begin_within(sentence: str, chunk: Chunk) -> str:
    """Return a sentence as it stands behind other words: its first word by `put_within`."""
    first, _, rest = sentence.partition(" ")
    begun = first.lower() if first in _NEVER_NAMES else put_within(first, chunk)
    return f"{begun} {rest}"


def without_article(thing: str) -> str:
    """Return a thing without its article."""
    return _ARTICLE.sub("", thing, count=1)
