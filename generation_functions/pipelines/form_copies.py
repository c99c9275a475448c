"""A piece told again in its facts' own words, for models that are too small to tell it in theirs.

What such a model adds is the frame: what each part is about.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generation_functions.choosing import rank
from generation_functions.documents.titles import parse_name
from generation_functions.pipelines.things import list_things, put_within, without_article
from generation_functions.pipelines.wording import content_words
from generation_functions.records import Chunk
from generation_functions.steps.step import write_literal

LONGEST_PART = 4  # facts

Writer = Callable[[str], str]


def write_parts(chunk: Chunk, facts: Sequence[str], key: str, fact: Writer, head: Writer) -> str:
    """Return, as the right-hand side of a rule, all facts in parts, in an order that `key` decides.

    At the head of a part stands what its facts name, or what the source is called. `fact` and
    `head` return how a form writes them. The grammar that has the rule says with `body`, `next` and
    `part` what stands between a head and its first fact, between two facts, and before a further
    head.
    """
    told = []
    for part in divide_facts(facts, chunk, key):
        heads = " | ".join(write_literal(head(one)) for one in part.heads)
        lines = " next ".join(write_literal(fact(one)) for one in part.facts)
        told.append(f"({heads}) body {lines}")
    return " part ".join(told)


def write_title(chunk: Chunk, facts: Sequence[str], head: Writer) -> str:
    """Return, as the right-hand side of a rule, what a piece may be called: what it names most
    often, or its source."""
    cores = [without_article(thing) for one in facts for thing in _list_heads([one], chunk)]
    often = [core for core in dict.fromkeys(cores) if cores.count(core) > 1]
    titles = [parse_name(chunk.source).title, *often]
    return " | ".join(write_literal(head(title)) for title in titles)


@dataclass(frozen=True, slots=True)
class Part:
    """Facts, and what may stand at their head."""

    heads: tuple[str, ...]
    facts: tuple[str, ...]


def divide_facts(facts: Sequence[str], chunk: Chunk, key: str) -> list[Part]:
    """Return facts in parts of up to LONGEST_PART neighbours that have something in common, in an
    order of the key; those that name nothing, or what heads other ones, stand under the source."""
    title = parse_name(chunk.source).title
    parts: list[Part] = []
    headless: list[str] = []
    headed = {_find_core(title)}
    for fact in facts:
        last = parts[-1] if parts else Part((), ())
        said = content_words(fact)
        common = tuple(one for one in last.heads if content_words(one) <= said)
        own = tuple(one for one in _list_heads([fact], chunk) if _find_core(one) not in headed)
        headed |= set(map(_find_core, own))
        if common and len(last.facts) < LONGEST_PART:
            parts[-1] = Part(common, (*last.facts, fact))
        elif own:
            parts.append(Part(own, (fact,)))
        else:
            headless.append(fact)
    if headless:
        parts.append(Part((title,), tuple(headless)))
    places = {str(number): part for number, part in enumerate(parts)}
    return [places[one] for one in rank(places, key, "parts")]


def _list_heads(facts: Sequence[str], chunk: Chunk) -> list[str]:
    """Return what facts name, as it stands within a sentence, each with its first article."""
    found: dict[str, str] = {}
    for fact in facts:
        for thing in list_things(fact, chunk.source):
            thing = put_within(thing, chunk)
            found.setdefault(without_article(thing), thing)
    return list(found.values())


def _find_core(thing: str) -> str:
    """Return what of a thing's name is not the same thing again: "The Pump", "a pump"."""
    return without_article(thing).lower()
