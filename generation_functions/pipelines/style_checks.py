"""What of a chunk is prose to be imitated, and which of its sentences were told plainly."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from generation_functions.documents.sentences import number_sentences, split_sentences
from generation_functions.errors import Rejected
from generation_functions.pipelines.plain_checks import PlainLimits, find_fault
from generation_functions.records import Chunk

_SHORT = 12  # words; a shorter paragraph without a stop is a heading or a caption
_LISTED = re.compile(r"[#|>*+-]|\d{1,3}[.)] ")
_NOTE = re.compile(r"[ \t]*\[(?:\d{1,3}|\*|[A-Za-z])\]")  # the number of a footnote
_STOPPED = re.compile(r"[.!?…。！？।۔][\"'”’»)\]]*\Z")
# Begins with a figure, or a letter that is no small one.
_WHOLE = re.compile(r"[\W_]*(?:\d|(?![a-zß-öø-ÿ])[^\W_])")
_TAKES_UP = re.compile(
    r"\W*(?:But|And|So|Or|Nor|Yet|For|Then|Thus|Hence|Therefore|However|Moreover|Besides|Still"
    r"|Nevertheless|Consequently|Accordingly|Such|This|These|That|Those|It|He|She|They|His|Her"
    r"|Their|Its|Here|The (?:former|latter|same))\b"
)


class StyleLimits(PlainLimits):
    """What plain words must keep and may keep of a passage, and how long one has to be."""

    least_words: int = Field(default=40, ge=1)  # of prose in a chunk, and of what was told plainly


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; `opens` a paragraph."""

    text: str
    opens: bool


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

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        paragraphs = self.text.split("\n\n")
        found = (number_sentences(one, self.chunk.language) for one in paragraphs)
        return tuple(Sentence(text, not at) for one in found for at, text in enumerate(one))


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


def find_faults(passage: Passage, told: Sequence[str]) -> list[str | None]:
    """Return for each sentence of a passage how the plain words for it fail, or None.

    The rest of one that a formula or an abbreviation has broken up cannot be told.
    """
    known, language = f"{passage.text}\n{passage.chunk.source}", passage.chunk.language
    return [
        find_fault(sentence.text, plain, known, language, passage.limits)
        if _WHOLE.match(sentence.text)
        else "not a whole sentence"
        for sentence, plain in zip(passage.sentences, told, strict=True)
    ]


def find_longest(sentences: Sequence[Sentence], faults: Sequence[str | None]) -> range:
    """Return the places of the neighbouring sentences without a fault that have most words."""
    runs, start = [], 0
    for end in range(len(faults) + 1):
        if end == len(faults) or faults[end]:
            runs.append(range(start, end))
            start = end + 1
    return max(runs, key=lambda run: sum(len(sentences[one].text.split()) for one in run))


def join_sentences(sentences: Sequence[Sentence], texts: Sequence[str]) -> str:
    """Return texts, each of one of the sentences, in the paragraphs that these stand in."""
    gaps = ("\n\n" if one.opens else " " for one in sentences)
    return "".join(f"{gap}{text}" for gap, text in zip(gaps, texts, strict=True)).strip()


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
