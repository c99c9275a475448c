"""Rows of segments made to fit the training context, in tokens as Axolotl counts them.

It tokenizes segment by segment, and drops what is longer than `sequence_len`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from generation_functions.config import Config
from generation_functions.datasets.masked_rows import MaskedFormat, make_rag_format, rag_turns
from generation_functions.datasets.segments import Segment
from generation_functions.documents.sentences import split_sentences
from generation_functions.errors import Rejected
from generation_functions.masked import NEAR_DUPLICATE, NOTHING, PARTIAL, RIGHT, RagItem, Shown

TOO_LONG = "longer than the training context"
OTHER_TOKENIZER = 0.9  # share of the context that is used when another tokenizer counts
SEAM = 2  # tokens that a text may take more among others than by itself
LACK = "That is not told here, though something else is told of the very thing. " * 3

Count = Callable[[str], int]


class RowFitter:
    """Cuts what retrievals show, and the rows made of them, to the training context."""

    def __init__(self, config: Config, count: Count) -> None:
        """`count` gives a text's tokens. Raises ConfigError for a template of no use."""
        self._config = config
        self._count = count
        self.format: MaskedFormat = make_rag_format(config)
        self.room = find_room(config)

    def fit(self, item: RagItem) -> RagItem:
        """Return an item whose row, without those before it, fits.

        Texts lose whole sentences at their ends, never what answers rest on; then chunks that
        answer nothing are left out. Raises Rejected where that is not enough.
        """
        planned = item
        if item.failed and not item.lacks:
            planned = replace(item, lacks=(LACK,) * len(item.asked))
        while True:
            bare = replace(planned, shown=tuple(replace(one, text="") for one in planned.shown))
            left = self.room - self.measure((bare,)) - SEAM * len(planned.shown)
            quotes = {
                one.uuid: tuple(
                    evidence.quote
                    for asked in item.asked
                    for evidence in asked.evidence
                    if evidence.chunk == one.uuid and one.why == RIGHT
                )
                for one in planned.shown
            }
            shown = self._shorten(planned.shown, quotes, left, item.chunk.language)
            if shown is not None:
                fitted = replace(planned, shown=shown)
                if self.measure((fitted,)) <= self.room:
                    kind = NOTHING if item.failed and not shown else item.kind
                    return replace(fitted, lacks=item.lacks, kind=kind)
            planned = replace(planned, shown=_leave_one_out(planned.shown))

    def cut_group(self, items: Sequence[RagItem]) -> tuple[RagItem, ...]:
        """Return items of a group, the last with as many before it as fit, the nearest first.

        Raises Rejected where the last alone is too long.
        """
        for first in range(len(items)):
            if self.measure(items[first:]) <= self.room:
                return tuple(items[first:])
        raise Rejected(TOO_LONG)

    def measure(self, items: Sequence[RagItem]) -> int:
        """Return the tokens of the row that trains the last item."""
        return count_segments(self.format.segments(rag_turns(items, self._config)), self._count)

    def _shorten(
        self,
        shown: Sequence[Shown],
        quotes: dict[str, tuple[str, ...]],
        left: int,
        language: str,
    ) -> tuple[Shown, ...] | None:
        """Return chunks of together `left` tokens, None where one cannot be cut so short."""
        sizes = [self._count(one.text) for one in shown]
        cut: list[Shown] = []
        for one, size, room in zip(shown, sizes, share_out(sizes, left), strict=True):
            text = one.text
            if size > room:
                text = cut_text(text, room, self._count, quotes[one.uuid], language)
            if not text:
                return None
            cut.append(replace(one, text=text))
        return tuple(cut)


def find_context(config: Config, kwargs: Mapping[str, Any] | None = None) -> int:
    """Return the tokens of the training context, as the SFT config has them.

    `kwargs` are those of another config, which go before the option.
    """
    training = config.model_training
    own = training.other_finetune_kwargs if kwargs is None else kwargs
    return int(own.get("sequence_len") or training.sequence_len)


def find_room(config: Config) -> int:
    """Return the tokens that a row may have; fewer where another tokenizer counts them."""
    return int(find_context(config) * (1 if config.model_training.tokenizer else OTHER_TOKENIZER))


def count_segments(segments: Iterable[Segment], count: Count) -> int:
    """Return the tokens of a row of segments, each counted by itself."""
    return sum(count(one.text) for one in segments)


def share_out(sizes: Sequence[int], room: int) -> list[int]:
    """Return how much of `room` each gets: all that the small ones want, the rest evenly."""
    given, left = [0] * len(sizes), room
    ordered = sorted(range(len(sizes)), key=lambda place: sizes[place])
    for number, place in enumerate(ordered):
        given[place] = max(0, min(sizes[place], left // (len(sizes) - number)))
        left -= given[place]
    return given


def cut_text(
    text: str, room: int, count: Count, quotes: Sequence[str] = (), language: str = "english"
) -> str:
    """Return as many sentences of a text, in a row, as have `room` tokens; "" where none has.

    They are those around the quotes, or its first.
    """
    spans = split_sentences(text, language)
    if not spans:
        return ""
    words = [" ".join(text[start:end].split()) for start, end in spans]
    needed = [
        number for number, one in enumerate(words) if any(one in quote for quote in quotes)
    ] or [0]
    first, last = min(needed), max(needed)

    def take(begins: int, ends: int) -> str:
        return text[spans[begins][0] : spans[ends][1]]

    if count(take(first, last)) > room:
        return ""
    grown = True
    while grown:
        grown = False
        for begins, ends in ((first, last + 1), (first - 1, last)):
            if begins >= 0 and ends < len(spans) and count(take(begins, ends)) <= room:
                first, last, grown = begins, ends, True
    return take(first, last)


def _leave_one_out(shown: Sequence[Shown]) -> tuple[Shown, ...]:
    """Leave out the longest chunk that answers nothing. Raises Rejected without one."""
    for kinds in ({RIGHT, PARTIAL, NEAR_DUPLICATE}, {RIGHT, PARTIAL}, {RIGHT}):
        spare = [one for one in shown if one.why not in kinds]
        if spare:
            longest = max(spare, key=lambda one: len(one.text))
            return tuple(one for one in shown if one is not longest)
    raise Rejected(TOO_LONG)
