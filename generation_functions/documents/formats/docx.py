"""Word documents: read from their XML, so that insertions, content controls and notes count."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from generation_functions.documents.formats.archive import Archive
from generation_functions.documents.formats.extract import Beat, Extract
from generation_functions.documents.formats.markup import write_table

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_MARKS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}
# Deleted text, and text that stands elsewhere too: Word writes a text box twice.
_LEFT_OUT = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_W}pPr", _FALLBACK})
_WRAPPERS = frozenset(f"{_W}{name}" for name in ("sdt", "sdtContent", "customXml", "ins", "moveTo"))


@dataclass(slots=True)
class _Styles:
    """What the document's style and numbering parts say: heading levels and list kinds."""

    headings: dict[str, int] = field(default_factory=dict)
    lists: dict[str, str] = field(default_factory=dict)  # style: "bullet" or "number"
    formats: dict[tuple[str, str], str] = field(default_factory=dict)  # (numId, level): format


def read_docx(file: Path, beat: Beat) -> Extract:
    """Read a .docx; ValueError says what to do."""
    archive = Archive(file)
    body = archive.read_xml("word/document.xml").find(f"{_W}body")
    if body is None:
        raise ValueError("damaged: it has no body; save it anew")
    beat()
    warnings: list[str] = []
    styles = _read_styles(archive, warnings)
    blocks = list(_write_blocks(body, styles))
    blocks.extend(_write_notes(archive, warnings))
    properties = _read_part(archive, "docProps/core.xml", warnings)
    return Extract(
        _join(blocks),
        title=_property(properties, "title"),
        author=_property(properties, "creator"),
        year=None,  # `created` is the day the file was made, seldom the text's year
        language=_property(properties, "language"),
        licence=_property(properties, "rights"),
        warnings=tuple(warnings),
    )


def _join(blocks: list[tuple[str, bool]]) -> str:
    """Blocks with a blank line between them; none between the items of a list."""
    joined = []
    for number, (text, is_item) in enumerate(blocks):
        if number:
            joined.append("\n" if is_item and blocks[number - 1][1] else "\n\n")
        joined.append(text)
    return "".join(joined)


def _write_blocks(body: etree._Element, styles: _Styles) -> Iterator[tuple[str, bool]]:
    """Yield each block's Markdown, and whether it is a list item."""
    numbers: dict[tuple[str, str], int] = {}
    waiting = list(reversed(body))
    while waiting:
        element = waiting.pop()
        if element.tag in _WRAPPERS:
            waiting.extend(reversed(element))
        elif element.tag == f"{_W}tbl":
            if table := write_table([_cells(row) for row in element.iterchildren(f"{_W}tr")]):
                yield table, False
        elif element.tag == f"{_W}p" and (text := _text(element).strip()):
            yield _write_paragraph(element, text, styles, numbers)


def _write_paragraph(
    element: etree._Element, text: str, styles: _Styles, numbers: dict[tuple[str, str], int]
) -> tuple[str, bool]:
    style = _value(element, "pStyle")
    if level := styles.headings.get(style):
        numbers.clear()
        return "#" * level + " " + " ".join(text.split()), False
    number, depth = _value(element, "numId"), _value(element, "ilvl") or "0"
    kind = styles.formats.get((number, depth), "bullet") if number not in {"", "0"} else ""
    kind = kind or ("" if number == "0" else styles.lists.get(style, ""))
    if not kind or kind == "none":
        return text, False
    indent = "  " * min(int(depth) if depth.isdigit() else 0, 8)
    if kind == "bullet":
        return f"{indent}- {text}", True
    key = (number or style, depth)
    numbers[key] = numbers.get(key, 0) + 1
    return f"{indent}{numbers[key]}. {text}", True


def _cells(row: etree._Element) -> list[str]:
    return [
        " ".join(_text(paragraph) for paragraph in cell.iter(f"{_W}p"))
        for cell in row.iter(f"{_W}tc")
    ]


def _text(paragraph: etree._Element) -> str:
    """The text of a paragraph as it is when all changes are accepted."""
    parts: list[str] = []
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, element in walk:
        if element.tag in _LEFT_OUT:
            walk.skip_subtree()
        elif element.tag == f"{_W}t":
            parts.append(element.text or "")
        elif element.tag == f"{_W}p" and element is not paragraph:
            parts.append(" ")
        elif element.tag in {f"{_W}footnoteReference", f"{_W}endnoteReference"}:
            parts.append(f"[^{_note(element)}]")
        else:
            parts.append(_MARKS.get(element.tag, ""))
    return "".join(parts)


def _note(element: etree._Element) -> str:
    kind = "e" if "endnote" in element.tag else ""
    return kind + (element.get(f"{_W}id") or "")


def _write_notes(archive: Archive, warnings: list[str]) -> Iterator[tuple[str, bool]]:
    for name in ("footnote", "endnote"):
        notes = _read_part(archive, f"word/{name}s.xml", warnings)
        for note in () if notes is None else notes.iter(f"{_W}{name}"):
            text = " ".join(" ".join(map(_text, note.iter(f"{_W}p"))).split())
            if text and note.get(f"{_W}type") in {None, "normal"}:
                yield f"[^{_note(note)}]: {text}", False


def _value(element: etree._Element, name: str) -> str:
    found = element.find(f"{_W}pPr")
    one = None if found is None else next(found.iter(f"{_W}{name}"), None)
    return "" if one is None else one.get(f"{_W}val") or ""


def _read_part(archive: Archive, name: str, warnings: list[str]) -> etree._Element | None:
    """Parse a part that the text can do without; what is wrong with it is a warning."""
    if name not in archive:
        return None
    try:
        return archive.read_xml(name)
    except ValueError as error:
        warnings.append(f"read without {name}: {error}")
        return None


def _read_styles(archive: Archive, warnings: list[str]) -> _Styles:
    styles = _Styles()
    tree = _read_part(archive, "word/styles.xml", warnings)
    if tree is not None:
        for style in tree.iter(f"{_W}style"):
            key = style.get(f"{_W}styleId") or ""
            named = style.find(f"{_W}name")
            name = "" if named is None else (named.get(f"{_W}val") or "").lower()
            level = _value(style, "outlineLvl")
            if name == "title":
                styles.headings[key] = 1
            elif name.startswith("heading ") and name[8:].isdigit():
                styles.headings[key] = min(max(int(name[8:]), 1), 6)
            elif level.isdigit() and int(level) < 9:
                styles.headings[key] = min(int(level) + 1, 6)
            elif name.startswith("list bullet"):
                styles.lists[key] = "bullet"
            elif name.startswith("list number"):
                styles.lists[key] = "number"
    tree = _read_part(archive, "word/numbering.xml", warnings)
    if tree is not None:
        abstract = {
            one.get(f"{_W}abstractNumId"): _formats(one) for one in tree.iter(f"{_W}abstractNum")
        }
        for one in tree.iter(f"{_W}num"):
            pointer = one.find(f"{_W}abstractNumId")
            meant = abstract.get(None if pointer is None else pointer.get(f"{_W}val"), {})
            for level, kind in meant.items():
                styles.formats[one.get(f"{_W}numId") or "", level] = kind
    return styles


def _formats(abstract: etree._Element) -> dict[str, str]:
    formats = {}
    for level in abstract.iter(f"{_W}lvl"):
        found = level.find(f"{_W}numFmt")
        formats[level.get(f"{_W}ilvl") or "0"] = (
            "bullet" if found is None else found.get(f"{_W}val") or "bullet"
        )
    return formats


def _property(properties: etree._Element | None, name: str) -> str | None:
    if properties is None:
        return None
    for found in properties.xpath(f"//*[local-name()='{name}']"):
        if text := " ".join("".join(found.itertext()).split()):
            return text
    return None
