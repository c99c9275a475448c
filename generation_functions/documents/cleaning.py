"""Taking off what is not the text: encoding leftovers and Project Gutenberg's wrapper."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice, repeat

_NEWLINES = re.compile("\r\n|[\r\f\v\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LETTER = re.compile(r"[^\s\ufeff\u00ad\x00-\x08\x0e-\x1f\x7f]")

# A START line may run over several lines ("*** START OF ... LONG\nTITLE ***").
# Before 2004 the header ended with a line of the "small print" instead.
_START = re.compile(
    r"^[ ]*\*{3}[ ]*START OF (?:THE|THIS) PROJECT GUTENBERG\b"
    r"(?:[^*\n]*(?:\n[^*\n]+){0,4}\*{3})?[^\n]*"
    r"|^[ ]*\*END[ ]?\*?[ ]?THE SMALL PRINT[^\n]*\*END\*[^\n]*",
    re.M | re.I,
)
_END = re.compile(
    r"^[ ]*\*{3}[ ]*END OF (?:THE|THIS) PROJECT GUTENBERG\b[^\n]*"
    r"|^[ ]*End of (?:the |this )?Project Gutenberg(?:['’]s| e-?text| e-?book| edition)\b[^\n]*",
    re.M | re.I,
)

_CREDIT = re.compile(
    r"\s*\[?(?:this (?:e-?text|e-?book|book) was |e-?text |e-?book )?"
    r"(?:produced|prepared|scanned|transcribed) (?:by|from)\b",
    re.I,
)
_NOTE = re.compile(r"\s*\[?(?:note: project gutenberg\b|transcriber['’]?s['’]? notes?\b)", re.I)
_INDENTED = re.compile(r" {2,10}\S")


def drop_unwritable(text: str) -> str:
    """Take out control characters; what cannot be written as UTF-8 becomes U+FFFD."""
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub("", paired)


def clean_text(raw: str) -> str:
    """Return `raw` with "\\n" newlines and nothing in it that its author did not write.

    Cut off: control characters, byte order marks, soft hyphens, trailing white space, blank lines
    at both ends, and Project Gutenberg's header, footer and credits where they are present.
    """
    return _cut_wrapper(_tidy(raw)).strip("\n")


def move_pages(raw: str, text: str, pages: Sequence[int]) -> tuple[int, ...]:
    """Return where in `text`, which is `raw` cleaned, the pages begin that begin at `pages` in it.

    Returns none where several books in wrappers were cut out of `raw`.
    """
    tidied = _tidy(raw)
    cut = tidied.find(text)
    if cut < 0:
        return ()
    places: Iterator[int] = chain(
        (match.start() for match in _LETTER.finditer(tidied)), repeat(len(tidied))
    )
    place, position, moved = next(places), 0, []
    for page in pages:
        passed = sum(1 for _ in _LETTER.finditer(raw, position, page))
        place = next(islice(places, passed - 1, None)) if passed else place
        position = page
        moved.append(min(max(0, place - cut), len(text)))
    return tuple(moved)


def _tidy(raw: str) -> str:
    """Take away what cannot be seen; the other characters (_LETTER) stay, in their order."""
    text = _INVISIBLE.sub("", _NEWLINES.sub("\n", drop_unwritable(raw)))
    return "\n".join(line.rstrip() for line in text.split("\n"))


def _cut_wrapper(text: str) -> str:
    """Keep what lies between START and END lines; a file may hold several such books."""
    kept: list[str] = []
    position = 0
    while True:
        end = _END.search(text, position)
        stop = end.start() if end else len(text)
        starts = list(_START.finditer(text, position, stop))
        if starts:
            kept.append(_cut_credits(text[starts[-1].end() : stop]))
        elif position == 0:
            kept.append(text[:stop])
        if end is None:
            return "\n".join(part for part in kept if part.strip())
        position = end.end()


def _cut_credits(book: str) -> str:
    """Cut the paragraphs under START that name the transcribers and their notes.

    Indented paragraphs after a note belong to it.
    """
    paragraphs = re.split(r"(\n\s*\n)", book.lstrip("\n"))
    first, in_note = 0, False
    while first < len(paragraphs):
        paragraph = paragraphs[first]
        if _NOTE.match(paragraph):
            in_note = True
        elif not (_CREDIT.match(paragraph) or (in_note and _INDENTED.match(paragraph))):
            break
        first += 2
    return "".join(paragraphs[first:])
