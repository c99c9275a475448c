"""The facts of a piece: listed sentence by sentence, inferred from each other, turned round.

A model names what each fact rests on; code then looks for the fact's figures, dates, names and
words there. A fact that fails is dropped with its reason, and the others stay.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generation_functions.choosing import rank
from generation_functions.documents.sentences import number_sentences
from generation_functions.errors import Unparsable
from generation_functions.pipelines.copies import copy_in_order
from generation_functions.pipelines.fact_checks import LEAST_TOLD, UNNAMED, find_fault
from generation_functions.pipelines.gaps import ask_again
from generation_functions.pipelines.landmarks import find_foreign, has_landmark
from generation_functions.pipelines.question_steps import (
    check_script,
    narrow_to_sentences,
    read_sentences,
    show_chunk,
    show_numbers,
)
from generation_functions.pipelines.roots import find_roots, share_known
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.turned_copies import order_by_dates, turn_round
from generation_functions.records import Chunk, Fact, FactSheet, make_uuid
from generation_functions.steps.step import Step, write_literal

LEAST_TURNED = 0.7  # share of a fact's roots that it keeps when it is turned round
PART = 25  # tokens of a piece that count as one part of a reply (steps/step.py)
MOST_TURNED = 8  # facts of a piece that are turned round
NOTHING = "nothing"  # what a model writes where there is no fact

_LINE = re.compile(r"\[([\d, ]+)\] (.+)")
# Said of all or of none, a sentence is not true from its other end.
_QUANTIFIED = re.compile(
    r"\b(?:all|any|every|each|some|many|most|few|several|only|no|not|never|nothing|nobody|none"
    r"|neither|nor|always|often|sometimes|usually|can|(?-i:may)|might|could|should|must|if|unless"
    r"|cannot|more|less|than)\b|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FactRequest:
    """A piece whose facts are to be listed: anew, where no reply in `round` - 1 rounds had any."""

    chunk: Chunk
    round: int = 0

    @property
    def uuid(self) -> str:
        return ask_again(self.chunk.uuid, self.round)


@dataclass(frozen=True, slots=True)
class DroppedFact:
    """What a model wrote as a fact, and why it is none."""

    uuid: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class FoundFacts:
    """The facts of a reply, and those that did not pass."""

    facts: tuple[Fact, ...]
    dropped: tuple[DroppedFact, ...] = ()


def make_sheet(chunk: Chunk, parts: tuple[str, ...], facts: tuple[Fact, ...]) -> FactSheet:
    """Return a piece with its facts."""
    return FactSheet(make_uuid(chunk.uuid, *(fact.text for fact in facts)), chunk, parts, facts)


def number_facts(facts: Sequence[Fact]) -> str:
    """Return facts as prompts show them: a numbered one a line."""
    return "\n".join(f"[{number}] {fact.text}" for number, fact in enumerate(facts, start=1))


def choose_turned(sheet: FactSheet) -> list[int]:
    """Return the numbers of the facts to turn round, at most MOST_TURNED.

    Only those that tell of one thing with a figure, a date or a name: what is said of all, of
    some or of none is not true from its other end.
    """
    numbers = {
        str(number): number
        for number, fact in enumerate(sheet.facts, start=1)
        if has_landmark(fact.text) and not _QUANTIFIED.search(fact.text)
    }
    return sorted(numbers[one] for one in rank(numbers, sheet.uuid)[:MOST_TURNED])


def _read_lines(reply: str) -> Iterator[tuple[str, str]]:
    """Yield the numbers and the text of each line that tells something, each text once."""
    told: set[str] = set()
    for line in reply.splitlines():
        found = _LINE.fullmatch(line.strip())
        text = found[2].strip() if found else ""
        if found and text.lower().strip(". ") != NOTHING and text.lower() not in told:
            told.add(text.lower())
            yield found[1], text


def _parse_facts(request: FactRequest, reply: str) -> FoundFacts:
    chunk = request.chunk
    check_script(reply, chunk)
    texts = number_sentences(chunk.text, chunk.language)
    facts, dropped = [], []
    for cited, text in _read_lines(reply):
        sentences = read_sentences(chunk, cited)
        if not sentences:
            continue
        quote = " ".join(texts[number - 1].strip() for number in sentences)
        before = texts[: sentences[-1] - 1]
        known = "\n".join((chunk.source, *chunk.headings, *before))
        fault = find_fault(text, quote, known, chunk.language)
        uuid = make_uuid(chunk.uuid, "fact", text)
        if fault:
            dropped.append(DroppedFact(uuid, text, fault))
        else:
            facts.append(Fact(uuid, text, sentences, quote))
    if not facts:
        raise Unparsable("no fact in the reply that the text tells")
    return FoundFacts(tuple(facts), tuple(dropped))


def _list_fields(request: FactRequest) -> dict[str, Any]:
    chunk = request.chunk
    count = len(number_sentences(chunk.text, chunk.language)) if request.round else 0
    left_out = show_numbers(range(1, count + 1))
    return {"source": chunk.source, "chunk": show_chunk(chunk), "left_out": left_out}


def _list_rules(request: FactRequest) -> Mapping[str, str]:
    """Go through the sentences in their order: of each one fact or more, or "Nothing."; in
    `copied` each that stands alone is a fact in its own words, and no other is one."""
    chunk = request.chunk
    rules = narrow_to_sentences(chunk)
    count = len(number_sentences(chunk.text, chunk.language))
    lines = (
        f'"[{number}" told ("\\n[{number}" told){{0,2}}' for number in range(1, max(count, 1) + 1)
    )
    copied = (
        write_literal(f"[{show_numbers(numbers)}] {told or 'Nothing.'}")
        for numbers, told in copy_in_order(chunk)
    )
    return {**rules, "list": ' "\\n" '.join(lines), "copied": ' "\\n" '.join(copied) or "list"}


def _parse_inferred(sheet: FactSheet, reply: str) -> FoundFacts:
    check_script(reply, sheet.chunk)
    facts, dropped = [], []
    for cited, text in _read_lines(reply):
        numbers = _read_numbers(sheet, cited)
        uuid = make_uuid(sheet.chunk.uuid, "inferred", text)
        fault = _find_inferred_fault(sheet, numbers, text)
        if fault:
            dropped.append(DroppedFact(uuid, text, fault))
            continue
        ground = [sheet.facts[number - 1] for number in numbers]
        sentences = tuple(sorted({one for fact in ground for one in fact.sentences}))
        quote = " ".join(fact.text for fact in ground)
        facts.append(Fact(uuid, text, sentences, quote, numbers))
    return FoundFacts(tuple(facts), tuple(dropped))


def _read_numbers(sheet: FactSheet, cited: str) -> tuple[int, ...]:
    named = {int(number) for number in re.findall(r"\d+", cited)}
    return tuple(sorted(number for number in named if 1 <= number <= len(sheet.facts)))


def _find_inferred_fault(sheet: FactSheet, numbers: tuple[int, ...], text: str) -> str:
    ground = [sheet.facts[number - 1].text for number in numbers]
    told = find_roots(text)
    if sum(bool(told & find_roots(one)) for one in ground) < 2:
        return "rests on fewer than two facts"
    if any(told <= find_roots(fact.text) for fact in sheet.facts):
        return "says what one fact says"
    return find_fault(text, "\n".join(ground), "", sheet.chunk.language)


def _parse_turned(sheet: FactSheet, reply: str) -> FoundFacts:
    check_script(reply, sheet.chunk)
    facts, dropped = [], []
    for cited, text in _read_lines(reply):
        numbers = _read_numbers(sheet, cited)
        if not numbers:
            continue
        fact = sheet.facts[numbers[0] - 1]
        fault = _find_turned_fault(fact.text, text, sheet.chunk.language)
        uuid = make_uuid(fact.uuid, "turned", text)
        if fault:
            dropped.append(DroppedFact(uuid, text, fault))
        else:
            facts.append(replace(fact, uuid=uuid, text=text, facts=numbers[:1]))
    return FoundFacts(tuple(facts), tuple(dropped))


def _find_turned_fault(fact: str, turned: str, language: str) -> str:
    if UNNAMED.match(turned):
        return "does not name what it is about"
    if find_foreign(turned, fact, language) or find_strange(fact, turned, language):
        return "other figures or names than its fact"
    if share_known(fact, turned) < LEAST_TURNED or share_known(turned, fact) < LEAST_TOLD:
        return "other words than its fact"
    if _first_root(fact) == _first_root(turned):
        return "begins as its fact does"
    return ""


def _first_root(text: str) -> str:
    return next((min(roots) for word in text.split() if (roots := find_roots(word))), "")


def _turned_rules(sheet: FactSheet) -> Mapping[str, str]:
    """A line for each fact that is to be turned; in `turned` told by code, or "Nothing."."""
    chosen = choose_turned(sheet)
    lines = (f'"[{number}] " statement' for number in chosen)
    turned = (
        write_literal(f"[{one}] {turn_round(sheet.facts[one - 1].text, sheet.chunk) or 'Nothing.'}")
        for one in chosen
    )
    return {
        "lines": ' "\\n" '.join(lines) or '"[1] " statement',
        "turned": (' "\\n" '.join(turned) if sheet.chunk.language == "english" else "") or "lines",
    }


def _inferred_rules(sheet: FactSheet) -> Mapping[str, str]:
    """The facts' numbers; in `ordered` what code can tell of two of them together."""
    facts = [fact.text for fact in sheet.facts]
    told = order_by_dates(facts, sheet.chunk) if sheet.chunk.language == "english" else []
    lines = "\n".join(f"[{show_numbers(numbers)}] {text}" for numbers, text in told)
    return {
        "number": " | ".join(f'"{number}"' for number in range(1, len(facts) + 1)),
        "ordered": write_literal(lines or "Nothing."),
    }


def _turned_fields(sheet: FactSheet) -> dict[str, Any]:
    chosen = choose_turned(sheet)
    return {"facts": "\n".join(f"[{one}] {sheet.facts[one - 1].text}" for one in chosen)}


LIST_FACTS: Step[FactRequest, FoundFacts] = Step(
    "list_facts",
    _list_fields,
    _parse_facts,
    _list_rules,
    parts=lambda request: request.chunk.tokens // PART,
    replaces=("list", "number"),
    offers=("copied",),
)
INFER_FACTS: Step[FactSheet, FoundFacts] = Step(
    "infer_facts",
    lambda sheet: {"source": sheet.chunk.source, "facts": number_facts(sheet.facts)},
    _parse_inferred,
    _inferred_rules,
    replaces=("number",),
    offers=("ordered",),
)
TURN_FACTS: Step[FactSheet, FoundFacts] = Step(
    "turn_facts",
    _turned_fields,
    _parse_turned,
    _turned_rules,
    replaces=("lines",),
    offers=("turned",),
)
