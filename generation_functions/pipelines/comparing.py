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
# What two pieces of advice have both and need not be about the same.
_LITTLE = find_roots("done have job make mile miles need place time times use way year years")
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
    advised = (_read_advice(fact, chunk) for fact in facts if tells_order(fact))
    told = (_read_told(fact, chunk) for fact in facts if not tells_order(fact))
    for one, other in combinations(filter(None, advised), 2):
        yield from _compare_advice(one, other, chunk)
    for one, other in combinations(filter(None, told), 2):
        yield from _compare_statements(one, other)


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


@dataclass(frozen=True, slots=True)
class _Told:
    """What a fact is about, as it stands within a sentence, its verb, and what it tells of it; of
    advice all but its first word."""

    fact: str
    subject: str
    verb: str
    rest: str

    @property
    def thing(self) -> str:
        return without_article(self.subject)


def _read_told(fact: str, chunk: Chunk) -> _Told | None:
    """Return what the first sentence of a fact tells, if it begins with what it is about."""
    sentence = _SENTENCE.match(fact)
    subject = find_head(fact, chunk.source)
    if not sentence or not subject or not fact.startswith(f"{subject} ") or " and " in subject:
        return None
    rest = sentence["first"][len(subject) + 1 :]
    verb = _VERB.match(rest)
    if not verb:
        return None
    told = rest[verb.end() :]
    if verb["modal"]:
        told = told.partition(" ")[2]
    return _Told(fact, put_within(subject, chunk), verb[0].rstrip(), told)


def _read_advice(fact: str, chunk: Chunk) -> _Told | None:
    """Return what advice is about, unless that is but the means for something."""
    head = find_head(fact, chunk.source)
    if not head or _PUTS.search(fact):
        return None
    order = fact.partition("“")[2]
    return _Told(fact, put_within(head, chunk), "advises", order.partition(" ")[2])


def _compare_statements(one: _Told, other: _Told) -> Iterator[Compared]:
    """Yield what two statements tell of the same thing with the same verb, or how much they say
    that something is."""
    if one.verb != other.verb or _are_same(one.thing, other.thing):
        return
    facts = (one.fact, other.fact)
    measures = [_MEASURED.match(told.rest) for told in (one, other)]
    if measures[0] and measures[1] and measures[0]["unit"] == measures[1]["unit"]:
        unit = measures[0]["unit"]
        asked = f"How many {unit} {one.verb} {one.subject}, and how many {other.subject}?"
        yield Compared(one.thing, other.thing, unit, asked, facts)
        return
    shared = _find_shared(one.rest, other.rest)
    if shared and find_roots(shared).isdisjoint(find_roots(f"{one.thing} {other.thing}")):
        asked = f"How do {one.subject} and {other.subject} differ when it comes to {shared}?"
        yield Compared(one.thing, other.thing, shared, asked, facts)


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
            found = max(named, found, key=lambda told: len(told.split()))
        before = words
    return found


def _compare_advice(one: _Told, other: _Told, chunk: Chunk) -> Iterator[Compared]:
    """Yield what two pieces of advice say of two things, if they have something in common and
    neither names the thing of the other."""
    shared = find_roots(one.rest) & find_roots(other.rest)
    if not shared - find_roots(f"{chunk.source} advises") - _LITTLE:
        return
    if _are_same(one.thing, other.thing) or _names(one, other) or _names(other, one):
        return
    asked = f"How does the advice about {one.subject} differ from that about {other.subject}?"
    yield Compared(one.thing, other.thing, "what is advised", asked, (one.fact, other.fact))


def _names(one: _Told, other: _Told) -> bool:
    return find_roots(other.thing) <= find_roots(one.fact)


def _are_same(one: str, other: str) -> bool:
    """Whether one of two things may be the other with a word more, or none of them has a word."""
    words, others = content_words(one), content_words(other)
    return not words or not others or words <= others or others <= words
