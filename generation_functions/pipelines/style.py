"""From an author's text to pairs that teach a model to write as he did.

What is wanted is a model that is given plain words and returns the author's. So a row is a plain
text with the author's own, and since the author's is there already, the plain one is what has to
be written: each sentence of a passage is told again in plain words, which must keep its facts and
lose its wording. The worked example of docs/your_own_pipeline.md.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic import Field

from generation_functions.choosing import rank
from generation_functions.documents.titles import parse_name
from generation_functions.errors import Dropped, Unparsable
from generation_functions.pipelines.facts import PART
from generation_functions.pipelines.landmarks import find_foreign
from generation_functions.pipelines.pipeline import Pipeline
from generation_functions.pipelines.sample_items import CHUNK, NUMBERED, Samples, make_chunk
from generation_functions.pipelines.style_checks import (
    Passage,
    StyleLimits,
    find_faults,
    find_longest,
    join_sentences,
    take_passage,
)
from generation_functions.pipelines.wording import find_pointers, strange_script
from generation_functions.records import Chunk, Turn, make_uuid
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step

_EDGES = re.compile(r"Opening: (.+)\nClosing: (.+)")
_LINE = re.compile(r"^\[\d+\] (.+)$", re.MULTILINE)
_NONE = "none"


class Style(StyleLimits):
    """The section `style`. In `instructions`, {author} is `author`, or whom the source names."""

    author: str = ""
    instructions: tuple[str, ...] = Field(
        default=(
            "Write this in the style of {author}.",
            "Tell this as {author} would have told it.",
            "Put the following into the words of {author}.",
        ),
        min_length=1,
    )
    write_edges: bool = False  # a sentence before, or after, a passage that is cut out abruptly


@dataclass(frozen=True, slots=True)
class StyledText:
    """The author's text, what it says in plain words, and what a user asks for."""

    uuid: str
    instruction: str
    plain: str
    text: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Told:
    """A passage, or a part of it, and what it says in plain words."""

    text: str
    plain: str


@dataclass(frozen=True, slots=True)
class Edges:
    """The sentences that are put before and after a passage; "" where none is."""

    opening: str
    closing: str


async def write(run: Run, chunks: Iterator[Chunk]) -> list[StyledText]:
    """Return a pair for each chunk that has enough prose and could be told plainly."""
    settings = PIPELINE.settings(run.config)
    return await run.map(partial(make_pair, run, settings), chunks, PIPELINE.name)


async def make_pair(run: Run, settings: Style, chunk: Chunk) -> StyledText:
    """Take the chunk's prose, round it off if that is wanted, and have it told plainly."""
    passage = take_passage(chunk, settings)
    if settings.write_edges and (passage.begins_abruptly or passage.ends_abruptly):
        with suppress(Dropped):  # it stays as abrupt as it is
            passage = round_off(passage, await run.ask(WRITE_EDGES, passage))
    told = await run.ask(WRITE_PLAIN, passage)
    chosen = rank(settings.instructions, run.config.system.seed, chunk.uuid)[0]
    named = settings.author or _read_author(chunk, run.config.system.use_filenames)
    instruction = chosen.replace("{author}", named)
    uuid = make_uuid(chunk.uuid, instruction, told.plain, told.text)
    return run.keep(PIPELINE.name, StyledText(uuid, instruction, told.plain, told.text, chunk))


def round_off(passage: Passage, edges: Edges) -> Passage:
    """Return the passage with its opening and closing sentence."""
    parts = (edges.opening, passage.text, edges.closing)
    return replace(passage, text=" ".join(part for part in parts if part))


def write_turns(made: StyledText) -> tuple[Turn, ...]:
    """Return the row: the instruction with the plain text, and the author's own."""
    return (Turn("human", f"{made.instruction}\n\n{made.plain}"), Turn("gpt", made.text))


def _read_author(chunk: Chunk, use_filenames: bool) -> str:
    author = parse_name(chunk.source).author if use_filenames else None
    return author or "this author"


def _show_sentences(passage: Passage) -> str:
    """Return the passage as the prompt shows it: a numbered sentence a line."""
    shown = [f"[{place}] {one.text}" for place, one in enumerate(passage.sentences, start=1)]
    return "\n".join(shown)


def _plain_rules(passage: Passage) -> Mapping[str, str]:
    """A line for each sentence."""
    count = len(passage.sentences)
    return {"lines": ' "\\n" '.join(f'"[{place}] " told' for place in range(1, count + 1))}


def _parse_plain(passage: Passage, reply: str) -> Told:
    """Return the longest part of the passage that is told without a fault."""
    told, sentences = _LINE.findall(reply), passage.sentences
    if len(told) != len(sentences):
        raise Unparsable("not a line for each sentence")
    faults = find_faults(passage, told)
    kept = find_longest(sentences, faults)
    part = sentences[kept.start : kept.stop]
    text = join_sentences(part, [one.text for one in part])
    if len(text.split()) < passage.limits.least_words:
        raise Unparsable(next(filter(None, faults), "too little prose"))
    return Told(text, join_sentences(part, told[kept.start : kept.stop]))


def _list_missing(passage: Passage) -> list[str]:
    missing = {"opening": passage.begins_abruptly, "closing": passage.ends_abruptly}
    return [name for name, is_missing in missing.items() if is_missing]


def _edge_fields(passage: Passage) -> dict[str, Any]:
    return {"text": passage.text, "missing": " and ".join(_list_missing(passage))}


def _edge_rules(passage: Passage) -> Mapping[str, str]:
    """A sentence where one is missing, and none where none is."""
    missing = _list_missing(passage)
    return {
        name: "sentence" if name in missing else f'"{_NONE}"' for name in ("opening", "closing")
    }


def _parse_edges(passage: Passage, reply: str) -> Edges:
    found = _EDGES.fullmatch(reply)
    if found is None:
        raise Unparsable("no opening and closing")
    opening, closing = ("" if one == _NONE else one.strip() for one in found.groups())
    said, known = f"{opening} {closing}", f"{passage.text}\n{passage.chunk.source}"
    if any(one and one in passage.text for one in (opening, closing)):
        raise Unparsable("a sentence of the passage")
    if find_foreign(said, known, passage.chunk.language) or strange_script(said, known):
        raise Unparsable("a figure or name that the passage lacks")
    if set(find_pointers(said)) - set(find_pointers(passage.text)):
        raise Unparsable("speaks of the text")
    return Edges(opening, closing)


WRITE_PLAIN: Step[Passage, Told] = Step(
    "write_plain",
    lambda passage: {"text": _show_sentences(passage)},
    _parse_plain,
    _plain_rules,
    role="large",
    own_words=True,
    parts=lambda passage: passage.chunk.tokens // PART,
    replaces=("lines",),
)
WRITE_EDGES: Step[Passage, Edges] = Step(
    "write_edges",
    _edge_fields,
    _parse_edges,
    _edge_rules,
    role="large",
    own_words=True,
    replaces=("closing", "opening"),
    labels=("Closing", "Opening"),
)


def read_passage(fields: Mapping[str, Any]) -> Passage:
    """Return the passage that an example shows."""
    missing = str(fields.get("missing", ""))
    chunk = make_chunk(" ".join(NUMBERED.sub("", str(fields["text"])).splitlines()))
    return Passage(
        chunk.text, chunk, Style(least_words=1), "opening" in missing, "closing" in missing
    )


_PASSAGES = tuple(
    Passage(CHUNK.text, CHUNK, Style(), opens, closes)
    for opens, closes in ((True, True), (False, True), (True, False))
)
PIPELINE: Pipeline[Style, StyledText] = Pipeline(
    "style",
    Style,
    (WRITE_EDGES, WRITE_PLAIN),
    StyledText,
    write,
    write_turns,
    {step.name: Samples(_PASSAGES, read_passage) for step in (WRITE_EDGES, WRITE_PLAIN)},
)
