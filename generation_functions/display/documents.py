"""What was read, what was dropped and why, and which chunks are alike, from a run's survey."""

import re
from difflib import SequenceMatcher

from generation_functions.display.markup import Html, Part, folded, join, marked, preformatted, tag
from generation_functions.display.tables import shorten, show_table
from generation_functions.documents.survey import DocumentLine, Survey
from generation_functions.records import Chunk

_WORDS = re.compile(r"\s*\S+\s*|\s+")  # a word with the space around it
_HALF = "width: 50%; text-align: left; vertical-align: top; padding: 0 12px 8px 0"


def show_documents(survey: Survey, most: int = 200) -> Html:
    """Return a row for each file, first those with warnings, with a sum over all below.

    Words and tokens are those of all chunks, dropped ones included.
    """
    lines = survey.documents
    shown = sorted(lines, key=lambda line: not line.warnings)[:most]
    rows = [_describe(line) for line in shown]
    if len(shown) < len(lines):
        rows.append({"file": f"… and {len(lines) - len(shown):,} more"})
    if len(lines) > 1:
        rows.append(
            {
                "file": f"{len(lines):,} files",
                "pages": sum(line.pages for line in lines) or None,
                "words": sum(line.words for line in lines),
                "tokens": sum(line.tokens for line in lines),
                "chunks": sum(line.chunks for line in lines),
            }
        )
    left_out = [tag("li", problem) for problem in survey.unreadable]
    notes = [
        tag("p", f"Left out, whole or in part: {len(left_out):,} files."),
        tag("ul", *left_out),
    ]
    return join([show_table(rows, empty="Nothing was read."), *(notes if left_out else ())])


def show_dropped(survey: Survey) -> Html:
    """Return how many chunks each reason dropped, and below the first of each, folded."""
    total = survey.going_on + sum(one.count for one in survey.dropped.values())
    reasons = sorted(survey.dropped.items(), key=lambda item: -item[1].count)
    counted = [("goes on", survey.going_on), *((reason, one.count) for reason, one in reasons)]
    rows = [
        {"reason": reason, "chunks": count, "share": f"{count / total:.1%}"}
        for reason, count in counted
        if total
    ]
    examples = (
        folded(
            f"{reason}: the first {len(dropped.examples):,} of {dropped.count:,}",
            join(_show_example(chunk) for chunk in dropped.examples),
        )
        for reason, dropped in reasons
    )
    return join([show_table(rows, empty="There is no chunk."), *examples])


def show_kept(survey: Survey, most: int = 3) -> Html:
    """Return the first chunks that go on, folded, as the prompts will get them."""
    return join(_show_example(chunk) for chunk in survey.kept[:most])


def show_duplicates(survey: Survey, most: int = 10) -> Html:
    """Return near-duplicates side by side, with the words marked in which they differ."""
    if not survey.pairs:
        return tag("p", tag("em", "No chunk is nearly like another."))
    return join(_show_pair(dropped, kept) for dropped, kept in survey.pairs[:most])


def name_place(chunk: Chunk) -> str:
    """Return where a chunk stands: its source, its page or first character, its headings."""
    place = f"page {chunk.page}" if chunk.page else f"from character {chunk.start:,}"
    return ", ".join(
        [chunk.source, place, *([" › ".join(chunk.headings)] if chunk.headings else [])]
    )


def mark_differences(one: str, two: str) -> tuple[Html, Html]:
    """Return two texts with the words marked that the other does not have at that place."""
    words, others = _WORDS.findall(one), _WORDS.findall(two)
    left: list[Part] = []
    right: list[Part] = []
    compared = SequenceMatcher(
        None, [word.strip() for word in words], [word.strip() for word in others], autojunk=False
    )
    for kind, start, end, begin, stop in compared.get_opcodes():
        for parts, run in ((left, words[start:end]), (right, others[begin:stop])):
            text = "".join(run)
            said = text.rstrip()
            parts.append(said if kind == "equal" or not said else marked(said))
            parts.append(text[len(said) :])
    return join(left), join(right)


def _describe(line: DocumentLine) -> dict[str, Part]:
    return {
        "file": f"{line.directory}/{line.path}",
        "pages": line.pages or None,
        "words": line.words,
        "tokens": line.tokens,
        "chunks": line.chunks,
        "language": line.language,
        "warnings": "\n".join(line.warnings),
    }


def _show_example(chunk: Chunk) -> Html:
    title = f"{name_place(chunk)}, {chunk.tokens:,} tokens: {shorten(chunk.text, 80)}"
    return tag("div", folded(title, preformatted(chunk.text)), style="margin-left: 1.5em")


def _show_pair(dropped: Chunk, kept: Chunk) -> Html:
    marked = mark_differences(dropped.text, kept.text)
    heads = (f"dropped: {name_place(dropped)}", f"goes on: {name_place(kept)}")
    wrap = "white-space: pre-wrap; overflow-wrap: anywhere"
    return tag(
        "table",
        tag("tr", *(tag("th", head, style=_HALF) for head in heads)),
        tag("tr", *(tag("td", tag("div", one, style=wrap), style=_HALF) for one in marked)),
        style="table-layout: fixed; width: 100%",
    )
