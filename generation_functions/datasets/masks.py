"""What of a row of segments is trained on, token by token, as Axolotl's input_output reads it.

It tokenizes each segment by itself and joins the ids. Where a text would be cut into other tokens
as a whole, which is what a trained model meets, the two differ at the boundary of two segments.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any

from generation_functions.datasets.segments import Segment
from generation_functions.datasets.templates import ChatTemplate
from generation_functions.datasets.tokenizing import Tokenizer

_APART = "\ue001"  # private use: in no text, stands for a gap


@dataclass(frozen=True, slots=True)
class Token:
    """A token of a row: its id, what it decodes to by itself, and whether it is trained on."""

    id: int
    text: str
    trained: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a row's tokens differ from those of its whole text: texts of the tokens there."""

    segments: tuple[str, ...]
    whole: tuple[str, ...]


def read_segments(row: Mapping[str, Any]) -> tuple[Segment, ...]:
    """Return the segments of a row. Raises ValueError for a row that is none of segments."""
    try:
        segments = tuple(Segment(one["label"], one["text"]) for one in row["segments"])
    except (KeyError, TypeError) as error:
        raise ValueError("not a row of segments with `label` and `text`") from error
    if not all(isinstance(one.label, bool) and isinstance(one.text, str) for one in segments):
        raise ValueError("a `label` that is neither true nor false, or a `text` that is none")
    return segments


@dataclass(frozen=True, slots=True)
class TokenizedRow:
    """A row as Axolotl tokenizes it: of each segment its token ids."""

    segments: tuple[Segment, ...]
    ids: tuple[list[int], ...]
    tokenizer: Tokenizer

    @property
    def length(self) -> int:
        """How many tokens the row has."""
        return sum(map(len, self.ids))

    @property
    def trained(self) -> int:
        """On how many of them it is trained."""
        pairs = zip(self.segments, self.ids, strict=True)
        return sum(len(ids) for segment, ids in pairs if segment.label)

    @property
    def tokens(self) -> list[Token]:
        """Its tokens, one after the other."""
        return [
            Token(one, self.tokenizer.decode([one]), segment.label)
            for segment, ids in zip(self.segments, self.ids, strict=True)
            for one in ids
        ]


def tokenize(segments: Sequence[Segment], tokenizer: Tokenizer) -> TokenizedRow:
    """Return a row whose segments are tokenized one by one."""
    ids = tuple(tokenizer.encode(one.text) for one in segments)
    return TokenizedRow(tuple(segments), ids, tokenizer)


def find_unsaid(row: TokenizedRow) -> str:
    """Return how the trained tokens, decoded, say something else than is meant; "" without.

    Spaces that some tokenizers set, or leave out, before a text and behind BOS do not count.
    """
    for segment, ids in zip(row.segments, row.ids, strict=True):
        said = row.tokenizer.decode(ids) if segment.label else segment.text
        if _settle(said, row.tokenizer) != _settle(segment.text, row.tokenizer):
            return f"its trained tokens say {said[:60]!r} …, and not {segment.text[:60]!r} …"
    return ""


def find_differences(row: TokenizedRow) -> list[Difference]:
    """Return where the row's tokens are not those of its text as a whole, one for each boundary."""
    joined = [one for ids in row.ids for one in ids]
    whole = row.tokenizer.encode("".join(one.text for one in row.segments))
    ends = list(accumulate(map(len, row.ids)))[:-1]
    spans: dict[int, list[tuple[int, int, int, int]]] = {}
    for span in _find_unlike(joined, whole):
        nearest = min(ends, key=lambda end: abs(2 * end - span[0] - span[1]))
        spans.setdefault(nearest, []).append(span)

    def say(ids: Sequence[int]) -> tuple[str, ...]:
        return tuple(row.tokenizer.decode([one]) for one in ids)

    return [
        Difference(say(joined[some[0][0] : some[-1][1]]), say(whole[some[0][2] : some[-1][3]]))
        for some in spans.values()
    ]


def find_untold(segments: Sequence[Segment], trained: Sequence[str], markup: Sequence[str]) -> str:
    """Return what is wrong with what a row trains, "" where it is just the texts `trained`.

    Between them may stand `markup` alone, as `list_markup` gives it.
    """
    text = _APART.join(one.text for one in segments if one.label)
    place, rests = 0, list[str]()
    for one in trained:
        at = text.find(one, place)
        if at < 0:
            return f"is not trained on: {one[:80]}"
        rests.append(text[place:at])
        place = at + len(one)
    rests.append(text[place:])
    for rest in rests:
        for part in rest.split(_APART):
            if not any(part.strip() in mark for mark in markup):
                return f"is trained on and should not be: {part.strip()[:80]}"
    return ""


def list_markup(template: ChatTemplate, bos: str, eos: str) -> tuple[str, ...]:
    """Return what a template writes before, between and after what turns say."""
    first, *between, last = template.markup
    return (f"{bos}{first}", *between, f"{last}{eos}")


def _settle(text: str, tokenizer: Tokenizer) -> str:
    begun = text.replace(f"{tokenizer.bos} ", tokenizer.bos) if tokenizer.bos else text
    return begun.lstrip(" ")


def _find_unlike(one: Sequence[int], other: Sequence[int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield the spans in which two lists differ; what they begin and end with alike is skipped."""
    first, most = 0, min(len(one), len(other))
    while first < most and one[first] == other[first]:
        first += 1
    last = 0
    while last < most - first and one[-1 - last] == other[-1 - last]:
        last += 1
    left = one[first : len(one) - last], other[first : len(other) - last]
    for kind, *span in SequenceMatcher(None, *left, autojunk=False).get_opcodes():
        if kind != "equal":
            begins, ends, other_begins, other_ends = (first + at for at in span)
            yield begins, ends, other_begins, other_ends
