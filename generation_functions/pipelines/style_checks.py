"""What of a chunk is prose to be imitated, and whether plain words still tell what it tells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from generation_functions.documents.sentences import split_sentences
from generation_functions.errors import Rejected
from generation_functions.pipeline_sections import PipelineSection
from generation_functions.pipelines.landmarks import find_foreign, has_landmark
from generation_functions.pipelines.roots import share_known
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.wording import find_pointers, strange_script
from generation_functions.records import Chunk
from generation_functions.steps.copying import share_copied

RUN = 5  # words in a row by which wording is compared
LEAST_SHARED = 0.3  # share of the plain text's roots that the passage has
_SHORT = 12  # words; a shorter paragraph without a stop is a heading or a caption
_LISTED = re.compile(r"[#|>*+-]|\d{1,3}[.)] ")
_NOTE = re.compile(r"[ \t]*\[(?:\d{1,3}|\*|[A-Za-z])\]")  # the number of a footnote
_STOPPED = re.compile(r"[.!?…。！？।۔][\"'”’»)\]]*\Z")
_TAKES_UP = re.compile(
    r"\W*(?:But|And|So|Or|Nor|Yet|For|Then|Thus|Hence|Therefore|However|Moreover|Besides|Still"
    r"|Nevertheless|Consequently|Accordingly|Such|This|These|That|Those|It|He|She|They|His|Her"
    r"|Their|Its|Here|The (?:former|latter|same))\b"
)


class StyleLimits(PipelineSection):
    """How far plain words may stray from a passage, and how near its wording they may stay.

    Shares are from 0 to 1.
    """

    least_words: int = Field(default=40, ge=1)  # of prose in a chunk
    least_facts_kept: float = Field(default=0.9, ge=0, le=1)  # of sentences with figures or names
    most_copied: float = Field(default=0.25, ge=0, le=1)  # of the plain text's runs of words
    least_length_ratio: float = Field(default=0.5, ge=0)  # of characters, to those of the passage
    most_length_ratio: float = Field(default=1.6, ge=0)


@dataclass(frozen=True, slots=True)
class Passage:
    """The prose of a chunk. `begins_abruptly`, `ends_abruptly`: a reader misses what was there."""

    text: str
    chunk: Chunk
    limits: StyleLimits
    begins_abruptly: bool = False
    ends_abruptly: bool = False

    @property
    def uuid(self) -> str:
        return self.chunk.uuid


def take_passage(chunk: Chunk, limits: StyleLimits) -> Passage:
    """Return the prose of a chunk in whole sentences.

    Headings, lists, tables and the numbers of footnotes are left out.

    Raises Rejected where too little is left.
    """
    text = _NOTE.sub("", chunk.text).strip()
    found = (" ".join(one.split()) for one in re.split(r"\n\s*\n", text))
    paragraphs = [one for one in found if _is_prose(one)]
    first = last = False
    if paragraphs:
        paragraphs[0], first = _cut_first(paragraphs[0], chunk.language)
        paragraphs[-1], last = _cut_last(paragraphs[-1], chunk.language)
    text = "\n\n".join(one for one in paragraphs if one)
    if len(text.split()) < limits.least_words:
        raise Rejected("too little prose")
    takes_up = chunk.language == "english" and bool(_TAKES_UP.match(text))
    return Passage(text, chunk, limits, first or takes_up, last)


def find_fault(passage: Passage, plain: str) -> str | None:
    """Return how a plain text fails: it has the old words, or not the old facts. Or None."""
    limits, text = passage.limits, passage.text
    ratio = len(plain) / len(text)
    if not limits.least_length_ratio <= ratio <= limits.most_length_ratio:
        return "much shorter than the passage" if ratio < 1 else "much longer than the passage"
    if strange_script(plain, text) or share_known(plain, text) < LEAST_SHARED:
        return "other words than the passage"
    if find_foreign(plain, f"{text}\n{passage.chunk.source}", passage.chunk.language):
        return "a figure or name that the passage lacks"
    if share_of_facts(passage, plain) < limits.least_facts_kept:
        return "figures or names are lost"
    if set(find_pointers(plain)) - set(find_pointers(text)):
        return "speaks of the text"
    if share_copied(plain, text, RUN) > limits.most_copied:
        return "the wording of the passage"
    return None


def share_of_facts(passage: Passage, plain: str) -> float:
    """Return the share of the passage's sentences with figures or names whose all `plain` has."""
    language = passage.chunk.language
    spans = split_sentences(passage.text, language)
    telling = [one for start, end in spans if has_landmark(one := passage.text[start:end])]
    kept = [one for one in telling if find_strange(one, plain, language) is None]
    return len(kept) / len(telling) if telling else 1.0


def _is_prose(paragraph: str) -> bool:
    if _LISTED.match(paragraph):
        return False
    return bool(_STOPPED.search(paragraph)) or len(paragraph.split()) >= _SHORT


def _cut_first(paragraph: str, language: str) -> tuple[str, bool]:
    """Return a paragraph without the rest of a sentence that it begins with, and whether it did."""
    if not paragraph[:1].islower():
        return paragraph, False
    return _join(paragraph, split_sentences(paragraph, language)[1:]), True


def _cut_last(paragraph: str, language: str) -> tuple[str, bool]:
    """Return a paragraph without the sentence that breaks off at its end, and whether one does."""
    if not paragraph or _STOPPED.search(paragraph):
        return paragraph, False
    return _join(paragraph, split_sentences(paragraph, language)[:-1]), True


def _join(paragraph: str, spans: Sequence[tuple[int, int]]) -> str:
    return paragraph[spans[0][0] : spans[-1][1]].strip() if spans else ""
