"""What stands around a text rather than in it, told by its lines: contents, index, notes ...

Each function says whether most lines of a text are of its kind.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

SHARE_OF_LINES = 0.6
LONGEST_LINE = 200  # characters; a longer one says something
FEWEST_ENTRIES = 4
FEWEST_INDEX_ENTRIES = 6
FEWEST_EXERCISES = 3
FEWEST_ROWS = 3
IN_ORDER = 0.8  # share of an index' entries that are not before the one above

_ROMAN = r"[ivxlc]{1,6}"
_PAGE = rf"(?:\d{{1,4}}|{_ROMAN})"
_LEADER = re.compile(
    rf"\S\s*(?:\.[ .]{{2,}}|…+|\t+| {{3,}}|\|\s*)\s*(?:{_PAGE}|\d+:\d\d)\.?\s*\|?$"
)
_LETTER = re.compile(r"[^\W\d]")
_PAGE_AT_END = re.compile(rf"\s({_PAGE})$")
_LONGEST_PAGE = 7  # characters of what _PAGE_AT_END finds
_CONTENTS = re.compile(
    r"^[#*_ \t]*(?:(?:table of )?contents|inhalt\w*|table des matières|contenido|índice|indice"
    r"|sumário|spis treści|innehåll|inhoud|list of \w+)[.:*_ \t]*$",
    re.I | re.M,
)
_PART = re.compile(
    r"(?:#+ |[-*] |\|)?\s*(?:(?:chapter|part|book|section|appendix|letter|lecture|lesson|table"
    r"|figure|chapitre|kapitel|capítulo|capitolo)\s+[\dA-Zivxlc.]+\b|conclusion\b|introduction\b"
    r"|glossary\b|index\b|preface\b)[^!?;]{0,100}$",
    re.I,
)
_ANCHOR = re.compile(r"\s*(?:[-*+]|\d+\.)?\s*\[[^\]]+\]\([^)]*#[^)]*\)\s*$")

_PAGES = r"\d{1,4}(?:\s*[-–]\s*\d{1,4})?(?:\s*(?:ff?|n)\.?)?"
_ENTRY = re.compile(
    rf"[^\W\d][^\d]*?[,: ]\s*(?:vol\. )?{_PAGES}(?:\s*[,;]\s*{_PAGES})*\s*[;.,]?$"
    r"|[^\W\d][^\d]{1,40},? see (?:also )?\w[^\d]{1,30}$"
)
_POINTS = re.compile(r"\d| see ")  # one of them is in every entry
_ENTRY_ENDS = re.compile(r";\s+|\n|(?<=\d)\.\s+")

_NUMBER = re.compile(r"[-+–—]?[\d.,:%/]*\d[\d.,:%/]*|[—–-]+")
_NUMERIC = re.compile(r"[\d—–-]")  # one of them is in every number
_ITEM = re.compile(r"\n|(?<=[.:?])\s+(?=\d{1,2}[.)]\s)")
_SENTENCE_END = re.compile(r"(?<=[.:])\s+")
_MARKER = re.compile(
    r"\s*(?:#+ )?(?:(?:problem|exercise|question)\s+[\d.]+\W*)?(?:\(?(?:\d{1,2}|[a-z])[.)]\s*)?",
    re.I,
)
_TASK = re.compile(
    r"(?:exercises?|problems?|quiz|questions?\b|review questions?|fill in)\b"
    r"|(?:calculate|choose|classify|compare|complete|compute|define|derive|describe|determine"
    r"|discuss|draw|estimate|evaluate|expand|explain|factor|find|give|identify|list|name|outline"
    r"|prove|rewrite|show that|simplify|sketch|solve|state|translate|underline|write)\b"
    r"|.*(?:\?\s*$|_{3,})|\(?a\).*\(?b\)",
    re.I,
)
_ANSWERED = re.compile(r"\b(?:answers?|solutions?|hence|therefore)\b|^\s*A[:.]", re.I | re.M)

_FURNITURE = re.compile(
    r"\d{1,4}\s{3,}\S.*|[^.!?|]*\s{3,}\d{1,4}$|[-–—]+ ?\d+ ?[-–—]+$|page \d+"
    r"|printed (?:on|by|in)\b|downloaded from\b|confidential\b|file:|the end\.?$"
    r"|(?:please turn over|p\.\s?t\.\s?o\.)|\[?this page (?:is )?(?:intentionally|left)"
    r"|.*\b(?:cookies?|privacy policy|sitemap|newsletter)\b"
    r"|(?:back to top|skip to|log ?in|sign in|search this|share this|read more|leave a comment"
    r"|related (?:articles|posts)|print this|subscribe|follow us|home \||« ?previous)"
    r"|©|vol\. \d+, no|doi:|received \d",
    re.I,
)
_CAPTION = re.compile(
    r"\[illustration\b|!\[|(?:photo|image|source|above|below|foto|quelle)\s*:"
    r"|(?:fig(?:ure|s?\.|\b)|plate|map|table|abb(?:ildung|\.)|tafel|tab\.|diagram)\s*"
    r"(?:\d[\d.]*[a-z]?|[IVXLC]+)\s*(?:[.:(—–]|--)",
    re.I,
)
_REFERENCES = re.compile(
    r"^[#*_ \t]*(?:references|bibliography|notes|endnotes|further reading|works cited|sources"
    r"|literatur\w*|bibliographie|bibliografía)[.:*_ \t]*$",
    re.I | re.M,
)
_REFERENCE = re.compile(
    r".*(?:\bibid\b|\bop\. ?cit|\bcf\. [A-Z]|\bs\.[av]\. |\bdoi[.:]|\bet al\b|\bpp\. ?\d"
    r"|\bS\. \d+[–-]\d|\d+\(\d+\)|\d{4};\s?\d+|\d+:\d+[–-]\d+|\bff?\. \d+|\bp\. \d+\.?$"
    r"|\b(?:1[5-9]|20)\d\d[.)]?$|\bpress\b.*\.$)"
    r"|\W*(?:https?://|www\.)\S+$",
    re.I,
)
_DIGIT = re.compile(r"\d")
_CITING = ("ibid", "op.", "cf.", "s.a", "s.v", "doi", "et al", "press", "://", "www")
_NAMED_SOURCE = re.compile(r"\W*(?:\d+\W+)?[A-Z][\w'’-]+(?: and [A-Z][\w'’-]+)?,? .{3,150}$")
_CITED = re.compile(r"\d+\.?\s+[A-Z][\w. -]+,? [\w. ]*\b(?:[ivxlc]+\.|\d+)[ \d;.,–-]*(?:$|cf)")


def is_contents(text: str, lines: Sequence[str]) -> bool:
    """Titles with their pages in order, titles of parts, or links within the page."""
    named = bool(_CONTENTS.search(text))
    if len(lines) < FEWEST_ENTRIES:
        return False
    if _most(lines, _leads_to_page) or _most(lines, _ANCHOR.match):
        return True
    if _most(lines, _find_page) and _pages_rise(lines) and not _in_order(lines):
        return True
    listed = _most(lines, lambda line: _PART.match(line) or _leads_to_page(line))
    return listed and (named or len(lines) > FEWEST_ENTRIES)


def is_index(text: str) -> bool:
    """Names in alphabetical order or with several pages each."""
    if len(_POINTS.findall(text)) < SHARE_OF_LINES * FEWEST_INDEX_ENTRIES:
        return False
    entries = [entry.strip() for entry in _ENTRY_ENDS.split(text) if entry.strip()]
    found = [
        entry
        for entry in entries
        if len(entry) <= LONGEST_LINE and _POINTS.search(entry) and _ENTRY.match(entry)
    ]
    several = sum(bool(re.search(r"\d\s*[,–-]\s*\d", entry)) for entry in found)
    return (
        len(entries) >= FEWEST_INDEX_ENTRIES
        and len(found) >= SHARE_OF_LINES * len(entries)
        and sum(map(len, found)) >= SHARE_OF_LINES * sum(map(len, entries))
        and (several >= 0.15 * len(entries) or _in_order(found) or _in_order(text.split("\n")))
    )


def is_bare_table(lines: Sequence[str]) -> bool:
    """Rows that are numbers for the most part, none with words that say something."""

    def is_row(line: str) -> bool:
        if not _NUMERIC.search(line):
            return not line.replace("|", " ").replace("+", " ").strip()
        cells = re.sub(r"[|+]", " ", line).split()
        numbers = sum(bool(_NUMBER.fullmatch(cell)) for cell in cells)
        return not cells or (numbers >= 2 and numbers >= 0.5 * len(cells))

    return len(lines) >= FEWEST_ROWS and _most(lines, is_row)


def is_exercise(text: str) -> bool:
    """Tasks and questions, and no answers to them."""
    items = [_MARKER.sub("", item, count=1) for item in _ITEM.split(text) if item.strip()]
    if len(items) < FEWEST_EXERCISES:
        return False
    tasks = _most(items, lambda item: any(map(_TASK.match, _SENTENCE_END.split(item))))
    return tasks and not _ANSWERED.search(text)


def is_furniture(lines: Sequence[str]) -> bool:
    """Running heads, page numbers, a web page's menus."""
    return _most(lines, _FURNITURE.match)


def is_captions(lines: Sequence[str]) -> bool:
    """What stands under figures, without the figures."""
    return _most(lines, _CAPTION.match)


def is_references(text: str, lines: Sequence[str]) -> bool:
    """Sources, one a line, or notes that only name them."""
    if len(lines) < FEWEST_ROWS:
        return False
    if _most(lines, _cites):
        return True
    return bool(_REFERENCES.search(text)) and _most(lines, _NAMED_SOURCE.match)


def _most(lines: Sequence[str], matches: Callable[[str], object]) -> bool:
    """Count lines and their characters: a few long lines of prose outweigh a list."""
    needed = SHARE_OF_LINES * max(1, len(lines))
    could_be, characters = len(lines), 0
    for line in lines:
        if len(line) <= LONGEST_LINE and matches(line):
            characters += len(line)
        else:
            could_be -= 1
            if could_be < needed:
                return False
    return could_be >= needed and characters >= SHARE_OF_LINES * sum(map(len, lines))


def _leads_to_page(line: str) -> bool:
    end = line.rstrip("|").rstrip().rstrip(".")[-1:]
    return (end.isdecimal() or end in "ivxlc") and bool(_LEADER.search(line))


def _cites(line: str) -> bool:
    """A line without a digit and without any of a few signs is not looked at closely."""
    if not _DIGIT.search(line):
        lowered = line.lower()
        if not any(sign in lowered for sign in _CITING):
            return False
    return bool(_REFERENCE.match(line) or _CITED.match(line))


def _pages_rise(lines: Sequence[str]) -> bool:
    numbers = [int(page) for line in lines if (page := _find_page(line)) and page.isdecimal()]
    return len(numbers) > 2 and all(one <= two for one, two in pairwise(numbers))


def _find_page(line: str) -> str | None:
    """Return the page that a line with a letter in it ends in; only its last words are searched."""
    found = _PAGE_AT_END.search(line, max(0, len(line) - _LONGEST_PAGE))
    return found[1] if found and _LETTER.search(line, 0, found.start()) else None


def _in_order(entries: Sequence[str]) -> bool:
    firsts = [entry[:1].casefold() for entry in entries]
    rising = sum(one <= two for one, two in pairwise(firsts))
    return len(firsts) > 1 and rising >= IN_ORDER * (len(firsts) - 1)
