"""Cheap reasons to drop a chunk before a model sees it. In doubt a chunk is kept."""

import re

from generation_functions.documents.apparatus import (
    is_bare_table,
    is_captions,
    is_contents,
    is_exercise,
    is_furniture,
    is_index,
    is_references,
)
from generation_functions.documents.sentences import number_sentences
from generation_functions.records import Chunk

FEWEST_LETTERS = 12
SHARE_OF_PROSE = 0.4
SHARE_OF_LETTERS = 0.4
WORDS_IN_PROSE = 8
CHARACTERS_TO_A_LICENCE_PHRASE = 900

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
    r"|(?:indirect, |special, )?(?:incidental|consequential)"
    r"|without any warranty|no warranties|accepts? no liability|be liable for"
    r"|copyright (?:holder|owner|notice)"
    r"|general public license|software distributed under|this program is distributed"
    r"|prior (?:written )?(?:permission|consent)|otherwise circulated|by way of trade"
    r"|for the use of anyone anywhere|terms of use|licenses/by"
    r"|catalogue record|moral rights?|printed (?:and bound )?in|first published|\bisbn\b|©"
    r"|alle rechte vorbehalten|schriftliche genehmigung|tous droits réservés"
    r"|todos los derechos reservados|tutti i diritti riservati",
    re.I,
)

# One of them is in nearly every licence; most texts are done with when none is.
_LICENCE_WORDS = (
    "licen", "warrant", "copyright", "reserved", "reproduce", "permission", "consent", "isbn", "©",
    "gutenberg", "terms of", "damages", "anyone anywhere", "rechte", "droits", "derechos",
    "diritti", "free software", "redistribution",
)  # fmt: skip


def reject_by_rule(chunk: Chunk) -> str | None:
    """Return the reason to drop `chunk`, or None to keep it."""
    text = chunk.text
    solid = sum(map(len, text.split()))
    letters = sum(map(str.isalpha, text))
    if letters < FEWEST_LETTERS:
        return "almost no text"
    if _is_licence(text):
        return "licence text"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if is_furniture(lines):
        return "page furniture"
    if is_exercise(text):
        return "exercises without answers"
    if is_contents(text, lines):
        return "table of contents"
    if is_index(text):
        return "index"
    if is_captions(lines):
        return "captions"
    reason = None
    if is_references(text, lines):
        reason = "references"
    elif is_bare_table(lines):
        reason = "bare table"
    elif letters < SHARE_OF_LETTERS * solid:
        reason = "mostly symbols and digits"
    return None if reason is None or _share_of_prose(text) >= SHARE_OF_PROSE else reason


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
    lowered = text.lower()
    if not any(word in lowered for word in _LICENCE_WORDS):
        return False
    phrases = {match.group().lower() for match in _LICENCE.finditer(text)}
    return len(phrases) >= 2 and len(phrases) >= len(text) / CHARACTERS_TO_A_LICENCE_PHRASE
