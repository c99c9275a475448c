"""Questions of each way with answers in the text's own words, for models too small to tell it.

Each rule has all that can be asked and answered so; the model chooses among it. English alone: in
another language a grammar keeps the form that it has for any text.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from generation_functions.choosing import rank
from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.comparing import list_compared
from generation_functions.pipelines.copies import copy_in_order
from generation_functions.pipelines.form_copies import Part, divide_facts
from generation_functions.pipelines.malformed import tells_order
from generation_functions.pipelines.naming import FAMILY_NAMES
from generation_functions.pipelines.readings import Reading, list_numbers
from generation_functions.pipelines.sentence_needs import is_unique
from generation_functions.pipelines.statements import (
    find_contrary,
    read_statement,
)
from generation_functions.pipelines.things import (
    find_head,
    list_things,
    names_thing,
    put_within,
    without_article,
)
from generation_functions.pipelines.wording import content_words
from generation_functions.records import Chunk, Exchange
from generation_functions.steps.step import NOTHING, write_literal

MOST_NUMBERS = 4  # sentences that a line names, as in the grammars
MOST_TOGETHER = 3  # facts of an answer to an open question
MOST_WORDS = 140  # of such an answer
FEWEST_TOLD = 4  # words that tell of a thing whose name is asked for

# One thing of a kind that may have a name of its own.
_SINGLE = re.compile(
    r"(?:the|an?) (?!.*\b(?:of|and|full|first|last|next|other|same)\b)(?:[a-z]\S* )+[a-z-]+"
    r"(?<!s)(?<!tion)(?<!ity)(?<!ness)(?<!ment)(?<!ance)(?<!ence)(?<!ism)(?<!ure)$"
)
# What nobody gives the name of a family.
_NEVER_NAMED = frozenset(
    """body citizen driver dough excuse eye hand head idea job laborer labourer man mind owner
    person spawn tongue user voice way woman word worker""".split()
)
_POINTS = re.compile(
    r"\b(?:its?|they|them|their|he|him|his|she|her|therefore|also|consequently|then|thus)\b"
)
_OF_SUBJECT = re.compile(r"\w+ed that ")  # "the idea should be encouraged that"
_SEVERAL = re.compile(r"(?: and |[^su]s(?: of |$))")
# Who is asked for, and not what.
_PERSON = re.compile(
    r"(?:ers?|ors?|ists?|men|man|people|personnel|staff|gangs?|crews?|women|woman|children|girls?"
    r"|boys?|colonels?|guards?|audiences?|-saboteurs?)$"
)
# Who hears of "the film" alone does not know which.
_WHICH = re.compile(r"the [\w’'-]+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Fact:
    """What sentences tell in their own words, behind the numbers that they have in a reading."""

    numbers: str
    text: str

    @property
    def line(self) -> str:
        return f"{self.numbers}: {self.text}"


@dataclass(frozen=True, slots=True)
class _Material:
    """What can be asked of a chunk: its facts by their words, those that have a thing in common,
    and the turns before."""

    reading: Reading
    chunk: Chunk
    facts: Mapping[str, _Fact]
    parts: Sequence[Part]
    turns: Sequence[Exchange]
    key: str


def keep_words(
    way: str, reading: Reading, turns: Sequence[Exchange], key: str
) -> Mapping[str, str]:
    """Return the rule `kept` of a way: all that it can ask in a text's own words, or NOTHING.

    `key` decides about names that are made up, and the order of what is asked.
    """
    keeper = _KEEPERS.get(way)
    if keeper is None or reading.chunk.language != "english":
        return {}
    return {"kept": " | ".join(keeper(_read(reading, turns, key))) or write_literal(NOTHING)}


def _read(reading: Reading, turns: Sequence[Exchange], key: str) -> _Material:
    """Return what the first source tells."""
    chunk = reading.sources[0]
    facts = _list_facts(reading, 0)
    title = parse_name(chunk.source).title
    parts = divide_facts(tuple(facts), chunk, key)
    parts = [part for part in parts if part.head != title and _is_clear(part.head)]
    return _Material(reading, chunk, facts, parts, turns, key)


def _list_facts(reading: Reading, place: int) -> dict[str, _Fact]:
    """Return the facts of one source by their words."""
    numbers = list_numbers(reading, place)
    facts: dict[str, _Fact] = {}
    for places, told in copy_in_order(reading.sources[place]):
        if told and places[-1] <= len(numbers) and len(places) <= MOST_NUMBERS:
            named = ", ".join(str(numbers[one - 1]) for one in places)
            facts.setdefault(told, _Fact(named, told))
    return facts


def _is_clear(head: str) -> bool:
    """Whether a head names a thing to somebody who hears no more of it."""
    return not _WHICH.match(head) or is_unique(head)


def _keep_openended(given: _Material) -> Iterator[str]:
    """Yield what asks for all that facts tell of a thing, or for what two tell of two things."""
    for part in given.parts:
        told = [given.facts[text] for text in part.facts][:MOST_TOGETHER]
        if len(told) > 1 and _is_short(told):
            yield _tell_all(told, f"broad {write_literal(f'{part.head}?')}")
    for one, other in pairwise(given.parts):
        told = [given.facts[part.facts[0]] for part in (one, other)]
        if _is_short(told):
            both = write_literal(f"{one.head}, and about {other.head}?")
            yield _tell_all(told, f"broad {both}")


def _is_short(told: Sequence[_Fact]) -> bool:
    return len(" ".join(fact.text for fact in told).split()) <= MOST_WORDS


def _tell_all(told: Sequence[_Fact], asked: str) -> str:
    lines = write_literal("\n".join(fact.line for fact in told))
    return f"{lines} {_answer(asked, ' '.join(fact.text for fact in told))}"


def _keep_followup(given: _Material) -> Iterator[str]:
    """Yield what asks for a fact; after it, for another one about the same thing, or else for one
    about another thing."""
    said = " ".join(turn.answer for turn in given.turns)
    others = []
    for part in given.parts:
        told = [text for text in part.facts if text in said]
        left = [text for text in part.facts if text not in said]
        if not left:
            continue
        line, thing = write_literal(given.facts[left[0]].line), write_literal(f"{part.head}?")
        if told:
            further = "further-many" if _SEVERAL.search(part.head) else "further"
            yield f'{line} "\\nMeant: " more {thing} {_answer(further, left[0])}'
        elif given.turns:
            begun = write_literal(f"\nMeant: {_find_opening(given.turns[0].question)}")
            others.append(f"{line} {begun} {thing} {_answer(f'turning {thing}', left[0])}")
        elif len(given.parts) > 1 or len(left) > 1:
            yield f"{line} {_answer(f'broad {thing}', left[0])}"
    yield from others


def _find_opening(question: str) -> str:
    """Return the words of a broad question before what it is about."""
    opening, about, _ = question.partition(" about ")
    return opening + about


def _keep_negative(given: _Material) -> Iterator[str]:
    """Yield what asks why something is so that is not: the contrary of a fact, or of advice."""
    for fact in given.facts.values():
        if contrary := find_contrary(fact.text, partial(put_within, chunk=given.chunk)):
            begun = f"{fact.line}\nWrong: {contrary.wrong}"
            asked = f"\nQuestion: {contrary.question}\nAnswer: "
            yield f"{write_literal(begun + asked)} denial {write_literal(fact.text)}"


def _keep_vague(given: _Material) -> Iterator[str]:
    """Yield what asks for the name of that of which something is told."""
    for fact in given.facts.values():
        told = read_statement(fact.text)
        if not told or not names_thing(told.subject):
            continue
        shared = content_words(told.subject) & content_words(told.rest)
        if shared or len(told.rest.split()) < FEWEST_TOLD or _POINTS.search(told.rest):
            continue
        if told.rest[0].isupper() or _OF_SUBJECT.search(told.rest):
            continue
        thing = put_within(told.subject, given.chunk)
        several = told.verb in ("are", "were")
        if thing[:1].isupper() or _PERSON.search(thing):
            continue
        if several and not told.rest.startswith("the "):
            continue
        begun = write_literal(f"{fact.line}\nName: {without_article(thing)}\nMeant: ")
        many = "nameless-many" if several else "nameless"
        asked = f"{many} {write_literal(f' {told.verb} {told.rest}?')}"
        yield f"{begun} broad {write_literal(f'{thing}?')} {_answer(asked, fact.text)}"


def _keep_hallucination(given: _Material) -> Iterator[str]:
    """Yield what asks about a thing with a name that nothing has, and tells what there is: a thing
    that a fact is about, else one that it names."""
    found = [(fact, head) for fact in given.facts.values() for head in _list_heads(fact, given)]
    for fact, head in found or _list_named(given):
        begun = write_literal(f"{fact.line}\nThing: the ")
        known = write_literal(f".\nKnown: {fact.text}")
        name = rank(FAMILY_NAMES, given.key, head)[0]
        thing = write_literal(f"{name} {head.split()[-1]}")
        asked = f'{begun} {thing} "\\nQuestion: " begin {thing} ending'
        yield f'{asked} "\\nUnknown: " unheard {thing} {known}'


def _list_heads(fact: _Fact, given: _Material) -> list[str]:
    head = put_within(find_head(fact.text, given.chunk.source), given.chunk)
    return [head] if _SINGLE.match(head) else []


def _list_named(given: _Material) -> Iterator[tuple[_Fact, str]]:
    for fact in given.facts.values():
        named = (put_within(one, given.chunk) for one in list_things(fact.text, given.chunk.source))
        for head in filter(_SINGLE.match, named):
            if head.split()[-1] not in _NEVER_NAMED:
                yield fact, head


def _keep_comparison(given: _Material) -> Iterator[str]:
    """Yield what asks how two things compare of which facts tell, one of the chunk's own at least:
    "Slate is heavier than thatch."."""
    others: dict[str, _Fact] = {}
    for place in range(1, len(given.reading.sources)):
        others |= _list_facts(given.reading, place)
    facts = {**given.facts, **others}
    for compared in list_compared(tuple(facts), given.chunk):
        told = [facts[text] for text in compared.facts]
        if compared.facts[0] not in given.facts or not _is_short(told):
            continue
        if tells_order(compared.facts[0]) and compared.facts[-1] in others:
            continue  # words that they share there need not be about the same
        lines = "\n".join(fact.line for fact in told)
        things = f"One: {compared.one}\nOther: {compared.other}\nQuality: {compared.quality}"
        asked = write_literal(compared.question)
        begun = write_literal(f"{lines}\n{things}")
        yield f"{begun} {_answer(asked, ' '.join(compared.facts))}"


_KEEPERS: Mapping[str, Callable[[_Material], Iterator[str]]] = {
    "openended": _keep_openended,
    "followup": _keep_followup,
    "negative": _keep_negative,
    "vague": _keep_vague,
    "hallucination": _keep_hallucination,
    "comparison": _keep_comparison,
}


def _answer(asked: str, answer: str) -> str:
    told = write_literal(f"\nAnswer: {answer}")
    return f'"\\nQuestion: " {asked} {told}'
