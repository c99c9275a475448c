"""Rows of segments in colour: what of them is trained on, token by token."""

from collections.abc import Iterable, Sequence

from generation_functions.datasets.mask_check import MaskedRow
from generation_functions.datasets.masks import find_differences, tokenize
from generation_functions.datasets.segments import Segment
from generation_functions.datasets.tokenizing import Tokenizer
from generation_functions.display.markup import Html, folded, join, tag

_TRAINED = ("background: rgba(59, 122, 120, .38)", "background: rgba(59, 122, 120, .22)")
_MASKED = ("opacity: .62", "opacity: .62; background: rgba(127, 127, 127, .14)")
_TEXT = "white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.5"


def show_mask(segments: Sequence[Segment], tokenizer: Tokenizer | None = None) -> Html:
    """Return a row with what is trained on in colour; tokens alternate in shade, if known."""
    if tokenizer is None:
        parts = [(one.text, one.label) for one in segments]
    else:
        parts = [(one.text, one.trained) for one in tokenize(segments, tokenizer).tokens]
    return tag("div", *_colour(parts), style=_TEXT)


def show_differences(segments: Sequence[Segment], tokenizer: Tokenizer) -> Html:
    """Return where a row's tokens are not those of its text as a whole."""
    lines = (
        f"in segments {' '.join(map(repr, one.segments))}, "
        f"as a whole {' '.join(map(repr, one.whole))}"
        for one in find_differences(tokenize(segments, tokenizer))
    )
    return join(tag("div", tag("small", line)) for line in lines)


def show_mask_rows(rows: Iterable[MaskedRow], tokenizer: Tokenizer | None = None) -> Html:
    """Return rows, each folded under its file and number, what is trained on in colour."""
    return join(
        folded(
            f"{row.file}, row {row.number}",
            join(
                [
                    show_mask(row.segments, tokenizer),
                    show_differences(row.segments, tokenizer) if tokenizer else "",
                ]
            ),
            open_=row.number == 0,
        )
        for row in rows
    )


def make_page(rows: Iterable[MaskedRow], tokenizer: Tokenizer | None) -> str:
    """Return a page of its own with rows in colour."""
    head = tag("p", "In colour: what is trained on. Grey: what is only read.")
    body = tag("body", head, show_mask_rows(rows, tokenizer), style="font-family: sans-serif")
    return f'<!doctype html><meta charset="utf-8"><title>Masks</title>{body.source}\n'


def _colour(parts: Sequence[tuple[str, bool]]) -> list[Html]:
    return [
        tag("span", text, style=(_TRAINED if trained else _MASKED)[number % 2])
        for number, (text, trained) in enumerate(parts)
    ]
