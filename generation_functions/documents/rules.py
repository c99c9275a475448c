"""Cheap reasons to drop a chunk before a model sees it. In doubt a chunk is kept."""

import re

from generation_functions.documents.sentences import number_sentences
from generation_functions.records import Chunk

FEWEST_LETTERS = 12
FEWEST_ENTRIES = 6
LONGEST_ENTRY = 200  # characters
SHARE_OF_ENTRIES = 0.6
SHARE_OF_PROSE = 0.4
SHARE_OF_LETTERS = 0.4
WORDS_IN_PROSE = 8
CHARACTERS_TO_A_LICENCE_PHRASE = 900

_DOT_LEADER = re.compile(r"\S\s*(?:\.[ .]{2,}|…+|\t+| {3,})\s*(?:\d{1,4}|[ivxlc]{1,6})\.?$")
_PART = re.compile(
    r"(?:#+ |[-*] |\|)?\s*"
    r"(?:chapter|part|book|section|appendix|[ivxlc]{1,6}\.|\d{1,2}(?:\.\d+)*\.?)[ \t]+\S",
    re.I,
)
_CONTENTS = re.compile(r"^[#*_ \t]*(?:table of )?contents[.:*_ \t]*$", re.I | re.M)
_INDEX_ENTRY = re.compile(
    r"[^\W\d].*?[, ]\s*\d{1,4}(?:\s*[-–]\s*\d{1,4})?(?:\s*[,;]\s*\d{1,4}(?:\s*[-–]\s*\d{1,4})?)*"
    r"(?:\s*(?:ff?|n)\.?)?\s*[;.,]?$"
)
_INDEX_SEVERAL_PAGES = re.compile(r"\d{1,4}\s*[,–-]\s*\d{1,4}\s*[;.,]?$")
_LICENCE = re.compile(
    r"permission is hereby granted"
    r"|without warrant(?:y|ies) of any kind"
    r"|as[- ]is[\"”']?,? (?:basis|without|with no)"
    r"|warrant(?:y|ies) of merchantability|merchantability or fitness|fitness for a particular"
    r"|in no event (?:shall|will)"
    r"|redistributions? (?:of|in) (?:source|binary)"
    r"|project gutenberg(?:[-™]|\W*tm)* (?:license|electronic work|literary archive|trademark)"
    r"|terms of (?:this agreement|this license|the gnu)"
    r"|creative commons (?:attribution|legal code|corporation)"
    r"|free software foundation"
    r"|all rights reserved"
    r"|licensed under the"
    r"|(?:no part of this (?:book|publication)|may be reproduced,? (?:stored|in any form))"
    r"|indirect, (?:special|incidental|consequential)",
    re.I,
)


def reject_by_rule(chunk: Chunk) -> str | None:
    """Return the reason to drop `chunk`, or None to keep it."""
    text = chunk.text
    solid = [character for character in text if not character.isspace()]
    letters = sum(character.isalpha() for character in solid)
    if letters < FEWEST_LETTERS:
        return "almost no text"
    if _is_licence(text):
        return "licence text"
    if _share_of_prose(text) >= SHARE_OF_PROSE:
        return None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if _is_contents(text, lines):
        return "table of contents"
    if _is_index(lines):
        return "index"
    if letters < SHARE_OF_LETTERS * len(solid):
        return "mostly symbols and digits"
    return None


def _share_of_prose(text: str) -> float:
    """Return the share of words that stand in whole sentences of some length."""
    sentences = [sentence.split() for sentence in number_sentences(text)]
    words = sum(map(len, sentences))
    prose = sum(
        len(sentence)
        for sentence in sentences
        if len(sentence) >= WORDS_IN_PROSE
        and sentence[-1].rstrip("\"'”’)]*_")[-1:] in tuple(".!?")
        and sum(word[:1].islower() for word in sentence) >= len(sentence) / 2
    )
    return prose / words if words else 0.0


def _is_licence(text: str) -> bool:
    phrases = {match.group().lower() for match in _LICENCE.finditer(text)}
    return len(phrases) >= 2 and len(phrases) >= len(text) / CHARACTERS_TO_A_LICENCE_PHRASE


def _is_contents(text: str, lines: list[str]) -> bool:
    if len(lines) < FEWEST_ENTRIES:
        return False
    leaders = sum(bool(_DOT_LEADER.search(line)) for line in lines)
    if leaders >= SHARE_OF_ENTRIES * len(lines):
        return True
    parts = sum(bool(_PART.match(line) or _DOT_LEADER.search(line)) for line in lines)
    return bool(_CONTENTS.search(text)) and parts >= SHARE_OF_ENTRIES * len(lines)


def _is_index(lines: list[str]) -> bool:
    entries = sum(len(line) <= LONGEST_ENTRY and bool(_INDEX_ENTRY.match(line)) for line in lines)
    several = sum(bool(_INDEX_SEVERAL_PAGES.search(line)) for line in lines)
    return (
        len(lines) >= FEWEST_ENTRIES
        and entries >= SHARE_OF_ENTRIES * len(lines)
        and several >= 0.15 * len(lines)
    )
