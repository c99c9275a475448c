"""A piece told again in its facts' own words, for models that are too small to tell it in theirs.

Code says what each part is about; such a model chooses how to lead to it, and a title.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generation_functions.choosing import rank
from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.things import find_head, put_within, without_article
from generation_functions.pipelines.wording import content_words
from generation_functions.records import Chunk
from generation_functions.steps.step import write_literal

LONGEST_PART = 4  # facts

Writer = Callable[[str], str]


def write_parts(chunk: Chunk, facts: Sequence[str], key: str, fact: Writer, head: Writer) -> str:
    """Return, as the right-hand side of a rule, all facts in parts, in an order that `key` decides.

    At the head of a part stands what its facts are about, or what the source is called. `fact` and
    `head` return how a form writes them. The grammar that has the rule says with `body`, `next` and
    `part` what stands between a head and its first fact, between two facts, and before a further
    head.
    """
    told = []
    for part in divide_facts(facts, chunk, key):
        lines = " next ".join(write_literal(fact(one)) for one in part.facts)
        told.append(f"{write_literal(head(part.head))} body {lines}")
    return " part ".join(told)


def write_title(chunk: Chunk, facts: Sequence[str], head: Writer) -> str:
    """Return, as the right-hand side of a rule, what a piece may be called: what several of its
    facts are about, or its source."""
    several = [part.head for part in divide_facts(facts, chunk, "") if len(part.facts) > 1]
    titles = dict.fromkeys((parse_name(chunk.source).title, *several))
    return " | ".join(write_literal(head(title)) for title in titles)


@dataclass(frozen=True, slots=True)
class Part:
    """Facts, and what they are about."""

    head: str
    facts: tuple[str, ...]


def divide_facts(facts: Sequence[str], chunk: Chunk, key: str) -> list[Part]:
    """Return facts in parts of up to LONGEST_PART neighbours that speak of what the first is about,
    in an order of the key. What is about nothing that code can tell stands under the source."""
    title = parse_name(chunk.source).title
    parts: list[Part] = []
    headless: list[str] = []
    headed = {_find_core(title)}
    for fact in facts:
        last = parts[-1] if parts else Part("", ())
        head = put_within(find_head(fact, chunk.source), chunk)
        spoken_of = content_words(last.head) <= content_words(fact)
        if parts and spoken_of and len(last.facts) < LONGEST_PART:
            parts[-1] = Part(last.head, (*last.facts, fact))
        elif head and _find_core(head) not in headed:
            headed.add(_find_core(head))
            parts.append(Part(head, (fact,)))
        else:
            headless.append(fact)
    if headless:
        parts.append(Part(title, tuple(headless)))
    places = {str(number): part for number, part in enumerate(parts)}
    return [places[one] for one in rank(places, key, "parts")]


def _find_core(thing: str) -> str:
    """Return what of a thing's name is not the same thing again: "The Pump", "a pump"."""
    return without_article(thing).lower()
