"""HTML as Markdown: headings, lists, tables, code, quotations; what is not text is left out."""

import re
from collections.abc import Iterator, Sequence

from lxml import etree

MOST_DEPTH = 1000  # no page that a person wrote is nested deeper

_DROPPED = frozenset(
    """script style noscript template nav head title svg iframe object embed button select
    textarea input datalist dialog audio video canvas map""".split()
)
_DROPPED_ROLES = frozenset({"navigation", "search", "banner", "contentinfo", "menu"})
_INLINE = frozenset(
    """a abbr acronym b bdi bdo big cite code data dfn del em font i ins kbd label mark q rb rp rt
    ruby s samp small span strike strong sub sup time tt u var wbr""".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SPACE = re.compile(r"[ \t\r\n\f\u200b]+")
_ITEM = re.compile(r"(?:> )*\s*(?:- |\d+\. )")


def parse_html(content: bytes, encoding: str) -> etree._Element:
    """Parse HTML however broken; ValueError if nothing is in it or it is nested too deep."""
    parser = etree.HTMLParser(
        encoding=encoding, huge_tree=True, remove_comments=True, remove_pis=True, no_network=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise ValueError("no text in it; fill it or remove it") from error
    if root is None:
        raise ValueError("no text in it; fill it or remove it")
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MOST_DEPTH:
            raise ValueError(
                f"its elements are nested more than {MOST_DEPTH} deep; refused, as no page needs "
                "that; save the page anew from a browser"
            )
    return root


def to_markdown(root: etree._Element) -> str:
    """Return the text of an HTML tree as Markdown."""
    writer = _Writer()
    walk = etree.iterwalk(root, events=("start", "end"))
    skipped: etree._Element | None = None
    for event, element in walk:
        if event == "start":
            if (skipped is None and _is_dropped(element)) or (
                skipped is None and writer.start(element)
            ):
                skipped = element
                walk.skip_subtree()
        elif skipped is None:
            writer.end(element)
            writer.add(element.tail)
        elif element is skipped:
            skipped = None
            writer.add(element.tail)
    return writer.text()


def write_table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows of cells as a Markdown table, its first row as the head."""
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return ""
    width = max(map(len, rows))
    cells = [
        [_SPACE.sub(" ", cell).strip().replace("|", "\\|") for cell in row]
        + [""] * (width - len(row))
        for row in rows
    ]
    if width == 1:
        return "\n\n".join(row[0].replace("\\|", "|") for row in cells)
    lines = ["| " + " | ".join(row) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _is_dropped(element: etree._Element) -> bool:
    parent = element.getparent()
    return (
        element.tag in _DROPPED
        or element.get("role") in _DROPPED_ROLES
        or element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
        or (element.tag == "footer" and parent is not None and parent.tag == "body")
    )


def _texts(element: etree._Element) -> Iterator[str]:
    """The texts of an element, white space between its blocks, without what is dropped."""
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, one in walk:
        if event == "start":
            if _is_dropped(one):
                walk.skip_subtree()
            else:
                yield one.text or ""
        else:
            yield " " if one.tag not in _INLINE else ""
            if one is not element:
                yield one.tail or ""


class _Writer:
    """Collects blocks while a tree is walked."""

    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._inline: list[str] = []
        self._mark = ""
        self._lists: list[int | None] = []  # the last number of each open list; None: bullets
        self._quotes = 0

    def start(self, element: etree._Element) -> bool:
        """Open an element; True if all of it was written."""
        tag = element.tag
        if tag == "table" and next(element.iterdescendants("table"), None) is None:
            self._flush()
            self._block(write_table([_cells(row) for row in element.iter("tr")]))
            return True
        if tag == "pre":
            self._flush()
            code = "".join(_texts(element)).strip("\n").rstrip()
            self._block(f"```\n{code}\n```" if code else "")
            return True
        if tag == "br":
            self._inline.append("\0")
        elif tag not in _INLINE:
            self._flush()
            self._open(tag)
        self.add(element.text)
        return False

    def _open(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._mark = "#" * _HEADINGS[tag] + " "
        elif tag in {"ul", "ol"}:
            self._lists.append(0 if tag == "ol" else None)
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "li":
            number = self._lists[-1] if self._lists else None
            if number is not None:
                self._lists[-1] = number + 1
            bullet = "- " if number is None else f"{number + 1}. "
            self._mark = "  " * max(0, len(self._lists) - 1) + bullet

    def end(self, element: etree._Element) -> None:
        if element.tag in _INLINE or element.tag == "br":
            return
        self._flush()
        if element.tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
        elif element.tag == "blockquote":
            self._quotes -= 1
        elif element.tag in _HEADINGS or element.tag == "li":
            self._mark = ""

    def add(self, text: str | None) -> None:
        self._inline.append(text or "")

    def _flush(self) -> None:
        text = _SPACE.sub(" ", "".join(self._inline))
        self._inline = []
        lines = [line.strip() for line in text.split("\0")]
        if any(lines):
            mark, self._mark = self._mark, ""
            breaks = " " if mark.startswith("#") else "\n" + " " * len(mark)
            self._block(mark + breaks.join(lines).strip())

    def _block(self, text: str) -> None:
        if text:
            quote = "> " * min(self._quotes, 3)
            self._blocks.append("\n".join(quote + line for line in text.split("\n")))

    def text(self) -> str:
        """Blocks with a blank line between them, none between the items of a list."""
        self._flush()
        joined: list[str] = []
        for number, block in enumerate(self._blocks):
            if number:
                tight = _ITEM.match(block) and _ITEM.match(self._blocks[number - 1])
                joined.append("\n" if tight else "\n\n")
            joined.append(block)
        return "".join(joined)


def _cells(row: etree._Element) -> list[str]:
    return ["".join(_texts(cell)) for cell in row if cell.tag in {"td", "th"}]
