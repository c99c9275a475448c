"""EPUB books: a zip file, whose OPF names the chapters and their order."""

from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from generation_functions.documents.formats.archive import Archive, resolve_inside
from generation_functions.documents.formats.extract import Beat, Extract
from generation_functions.documents.formats.html import find_year
from generation_functions.documents.formats.markup import parse_html, to_markdown

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


def read_epub(file: Path, beat: Beat) -> Extract:
    """Read a book's chapters in reading order; ValueError says what to do."""
    archive = Archive(file)
    container = archive.read_xml(_CONTAINER)
    roots = container.xpath("//*[local-name()='rootfile']/@full-path")
    if not roots:
        raise ValueError(f"damaged: {_CONTAINER} names no book; save it anew")
    opf = resolve_inside("", str(roots[0]))
    package = archive.read_xml(opf)
    chapters, warnings = _list_chapters(archive, opf, package)
    locked = _list_locked(archive)
    if any(chapter in locked for chapter in chapters):
        raise ValueError("protected against copying (DRM); use an edition that is not")
    texts = []
    for chapter in chapters:
        content = archive.read(chapter)
        beat()
        if content.strip():
            texts.append(to_markdown(parse_html(content, _encoding(content))))
    return Extract(
        "\n\n".join(text for text in texts if text),
        title=_property(package, "title"),
        author=", ".join(_properties(package, "creator")) or None,
        year=find_year(_property(package, "date")),
        language=_property(package, "language"),
        licence=_property(package, "rights"),
        warnings=tuple(warnings),
    )


def _list_chapters(
    archive: Archive, opf: str, package: etree._Element
) -> tuple[list[str], list[str]]:
    """Return the members of the spine, without the navigation, and what is missing of it."""
    items = {item.get("id"): item for item in package.xpath("//*[local-name()='item']")}
    chapters, warnings = [], []
    for reference in package.xpath("//*[local-name()='spine']/*[local-name()='itemref']"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _PAGES:
            continue
        if "nav" in (item.get("properties") or "").split():
            continue
        name = resolve_inside(opf, unquote(item.get("href") or ""))
        if name not in archive:
            warnings.append(f"its chapter {name} is missing")
        elif name not in chapters:
            chapters.append(name)
    return chapters, warnings


def _list_locked(archive: Archive) -> set[str]:
    if _ENCRYPTION not in archive:
        return set()
    tree = archive.read_xml(_ENCRYPTION)
    return {unquote(str(uri)) for uri in tree.xpath("//*[local-name()='CipherReference']/@URI")}


def _encoding(content: bytes) -> str:
    """EPUB allows UTF-8 and UTF-16; anything else is read as Windows wrote it."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"


def _properties(package: etree._Element, name: str) -> list[str]:
    found = package.xpath(f"//*[local-name()='metadata']/*[local-name()='{name}']")
    return [text for one in found if (text := " ".join("".join(one.itertext()).split()))]


def _property(package: etree._Element, name: str) -> str | None:
    return next(iter(_properties(package, name)), None)
