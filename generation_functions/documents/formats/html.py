"""Web pages: what a person reads of them, and what their head says about them."""

import re
from pathlib import Path

from lxml import etree

from generation_functions.documents.formats.encoding import decode
from generation_functions.documents.formats.extract import Beat, Extract
from generation_functions.documents.formats.markup import parse_html, to_markdown

_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]+)", re.I)
_ENTITY_DECLARATION = re.compile(rb"<!DOCTYPE[^>]*\[\s*<!ENTITY", re.I)
_YEAR = re.compile(r"\b(1\d{3}|20\d{2})\b")


def read_html(file: Path, beat: Beat) -> Extract:
    """Read a web page; ValueError says what to do."""
    content = file.read_bytes()
    warnings = []
    if _ENTITY_DECLARATION.search(content[:100_000]):
        raise ValueError("declares entities of its own; refused, as that can fill all memory")
    declared = _CHARSET.search(content[:4096])
    try:
        text, guessed = decode(content, file)
    except ValueError:
        if declared is None:
            raise
        text, guessed = content.decode(_known(declared[1].decode()), errors="replace"), None
        if "\ufffd" in text:
            warnings.append(f"{text.count(chr(0xFFFD))} characters of it cannot be decoded")
    if guessed:
        warnings.append(f"read as {guessed}, which is a guess")
    root = parse_html(text.encode("utf-8", errors="replace"), "utf-8")
    beat()
    return Extract(
        to_markdown(root),
        title=_first(root, "//title/text()", "//meta[@property='og:title']/@content"),
        author=_first(root, *_named("author", "dc.creator", "citation_author")),
        year=find_year(
            _first(root, *_named("date", "dc.date", "citation_publication_date"), *_PUBLISHED)
        ),
        language=_first(root, "/html/@lang", *_named("dc.language")),
        licence=_first(root, "//link[@rel='license']/@href", *_named("dc.rights", "license")),
        warnings=tuple(warnings),
    )


_PUBLISHED = ("//meta[@property='article:published_time']/@content",)


def find_year(text: str | None) -> int | None:
    """Return the first number in `text` that can be a year."""
    found = _YEAR.search(text or "")
    return int(found[1]) if found else None


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError as error:
        raise ValueError(f"its encoding {encoding!r} is not known; save it as UTF-8") from error
    return encoding


def _named(*names: str) -> list[str]:
    return [
        f"//meta[translate(@name,'ACDEHGILNORSTU','acdehgilnorstu')='{n}']/@content" for n in names
    ]


def _first(root: etree._Element, *paths: str) -> str | None:
    for path in paths:
        for found in root.xpath(path):
            if text := " ".join(str(found).split()):
                return text
    return None
