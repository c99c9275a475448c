"""What facts in a text's own words compare, or let be compared: two things, and in what."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby

from generation_functions.pipelines.malformed import tells_order
from generation_functions.pipelines.roots import find_roots
from generation_functions.pipelines.statements import read_statement
from generation_functions.pipelines.things import (
    find_head,
    names_thing,
    put_within,
    without_article,
)
from generation_functions.pipelines.wording import content_words
from generation_functions.records import Chunk

AT_ONCE = 7  # words behind a verb among which what it is told of stands
LEAST_SHARED = 1  # roots that two pieces of advice have both that can be compared

_OTHER = r"(?P<other>(?!(?:it|they|one|many|ever|that|the same)\b)(?:[\w’'-]+ ){0,3}[\w’'-]+)"
_MORE = re.compile(
    rf"(?:much |far |even |a little )?(?P<quality>(?:more|less) [a-z-]+"
    rf"|(?!(?:other|rather|later|earlier)\b)[a-z]+er) than {_OTHER}"
)
_AS_MUCH = re.compile(rf"(?:nearly |almost |quite )?as (?P<quality>[a-z-]+) as {_OTHER}")
_SENTENCE = re.compile(r"(?P<first>.+?[.!?])(?: [A-Z“].*)?$")
# Orders whose object is the means, and not what they are for: "Put sand into ...".
_PUTS = re.compile(
    r"“(?:Add|Distribute|Drop|Exchange|Give|Insert|Jam|Leave|Make|Place|Pour|Punch|Put|Scatter|Sprinkle"
    r"|Strew|Switch|Throw|Use) "
)
# The verb of which a thing is subject.
_VERB = re.compile(r"(?:is|are|was|were|has|have|had|(?P<modal>can|will)|[a-z]+(?:[^s\W]s|ed)) ")
_PLAIN = re.compile(r"[^\W\d_]+(?:[ ’'-][^\W\d_]+)*")
# The article of what follows, where no other word that leads to it stands between.
_THE = re.compile(
    r"\b(?:(?P<the>the)(?: (?!(?:by|for|from|in|of|on|to|with)\b)[\w’'-]+){0,2}|(?P<article>an?))$"
)
# "365.25 days long": how much of what a thing is.
_MEASURED = re.compile(r"(?:(?:about|nearly|only|over|some) )?[\d.,]+ (?P<unit>[a-z]+ [a-z]+)\b")


@dataclass(frozen=True, slots=True)
class Compared:
    """Two things and in what they are compared, a question for it, and the facts that answer it."""

    one: str
    other: str
    quality: str
    question: str
    facts: tuple[str, ...]


def list_compared(facts: Sequence[str], chunk: Chunk) -> Iterator[Compared]:
    """Yield what facts compare ("Slate is heavier than thatch."), and what two of them tell alike
    of two things ("Brass is an alloy of copper and zinc.", "Bronze is an alloy of ...")."""
    for fact in facts:
        yield from _read_compared(fact, chunk)
    for one, other in combinations(facts, 2):
        if tells_order(one) and tells_order(other):
            yield from _compare_advice(one, other, chunk)
        else:
            yield from _compare_statements(one, other, chunk)


def _read_compared(fact: str, chunk: Chunk) -> Iterator[Compared]:
    told = read_statement(fact)
    compared = told and (_MORE.fullmatch(told.rest) or _AS_MUCH.fullmatch(told.rest))
    if not told or not compared or not names_thing(compared["other"]):
        return
    one, quality, other = put_within(told.subject, chunk), compared["quality"], compared["other"]
    if compared.re is _MORE:
        asked = f"Which {told.verb} {quality}, {one} or {other}?"
    else:
        asked = f"How {quality} {told.verb} {one}, compared with {other}?"
    yield Compared(without_article(one), without_article(other), quality, asked, (fact,))


def _compare_statements(one: str, other: str, chunk: Chunk) -> Iterator[Compared]:
    """Yield what two statements tell of the same thing with the same verb, or how much they say
    that something is."""
    first, second = _read_told(one, chunk), _read_told(other, chunk)
    if not first or not second or first.verb != second.verb:
        return
    if _are_same(first.subject, second.subject):
        return
    subjects = (without_article(first.subject), without_article(second.subject))
    measures = [_MEASURED.match(told.rest) for told in (first, second)]
    if measures[0] and measures[1] and measures[0]["unit"] == measures[1]["unit"]:
        unit = measures[0]["unit"]
        asked = f"How many {unit} {first.verb} {first.subject}, and how many {second.subject}?"
        yield Compared(*subjects, unit, asked, (one, other))
        return
    shared = _find_shared(first.rest, second.rest)
    if shared and find_roots(shared).isdisjoint(find_roots(" ".join(subjects))):
        asked = f"When it comes to {shared}, how do {first.subject} and {second.subject} differ?"
        yield Compared(*subjects, shared, asked, (one, other))


def _find_shared(one: str, other: str) -> str:
    """Return the thing of most words that both texts name at once, as the first has it, or ""."""
    roots = find_roots(" ".join(other.split()[:AT_ONCE]))
    found, before = "", ""
    for shared, run in groupby(one.split()[:AT_ONCE], lambda word: bool(find_roots(word) & roots)):
        words = " ".join(run)
        thing = words.rstrip(".,")
        if shared and _PLAIN.fullmatch(thing) and names_thing(thing):
            article = _THE.search(before)
            named = f"{article['the'] or article['article']} {thing}" if article else thing
            found = max(named, found, key=lambda one: len(one.split()))
        before = words
    return found


def _compare_advice(one: str, other: str, chunk: Chunk) -> Iterator[Compared]:
    """Yield what two pieces of advice say of two things, if they have something in common."""
    heads = [put_within(find_head(fact, chunk.source), chunk) for fact in (one, other)]
    if not all(heads) or _are_same(*heads):
        return
    shared = find_roots(one) & find_roots(other) - find_roots(f"{chunk.source} advises")
    if len(shared) < LEAST_SHARED or any(map(_PUTS.search, (one, other))):
        return
    if _names(one, heads[1]) or _names(other, heads[0]):
        return
    yield Compared(
        without_article(heads[0]),
        without_article(heads[1]),
        "what is advised",
        f"How does the advice about {heads[0]} differ from that about {heads[1]}?",
        (one, other),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """The subject of a fact's first sentence, as it stands within one, its verb, and the rest."""

    subject: str
    verb: str
    rest: str


def _read_told(fact: str, chunk: Chunk) -> _Told | None:
    sentence = _SENTENCE.match(fact)
    subject = find_head(fact, chunk.source)
    if not sentence or not subject or not fact.startswith(f"{subject} "):
        return None
    rest = sentence["first"][len(subject) + 1 :]
    verb = _VERB.match(rest)
    if not verb:
        return None
    told = rest[verb.end() :]
    if verb["modal"]:
        told = told.partition(" ")[2]
    return _Told(put_within(subject, chunk), verb[0].rstrip(), told)


def _names(text: str, thing: str) -> bool:
    return find_roots(thing) <= find_roots(text)


def _are_same(one: str, other: str) -> bool:
    """Whether one of two things may be the other with a word more, or none of them has a word."""
    words, others = content_words(one), content_words(other)
    return not words or not others or words <= others or others <= words
