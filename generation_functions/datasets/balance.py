"""How the tokens of the fine-tuning data are shared out, and what came of it: arithmetic alone.

With D of domain rows, R of RAG rows, C of corrections, G_k of generic datasets, P of pretraining
rows, and T all of them together: G_k is a percentage of D + R + C, which is what the run has made,
or of a floor where that is more; P is a number, or a percentage of T.
"""

from collections.abc import Sequence
from dataclasses import dataclass

DOMAIN, RAG, CORRECTIONS, PRETRAINING = "domain", "RAG", "corrections", "pretraining"
OF_MADE, OF_FLOOR, OF_ALL = "what the run has made", "minimum_generic_sft", "all"
DIGITS = 3


@dataclass(frozen=True, slots=True)
class Target:
    """How many tokens a part is to have; `percent` of the tokens `base`, which `of` names."""

    tokens: int
    percent: float
    base: int
    of: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Rows of a dataset that are no conversations: how many, and the numbers of the first."""

    why: str
    rows: int
    first: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What a part of the data has, and why that is less than it was to be, "" where it is not."""

    name: str
    rows: int
    tokens: int
    target: Target | None = None
    why_short: str = ""
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A part of a receipt. `share` is its percentage of all tokens.

    `percent` and `asked_percent` are of what `of` names; what a run itself has made is not asked
    for in tokens, and has neither.
    """

    part: str
    rows: int
    tokens: int
    share: float
    asked_tokens: int | None
    asked_percent: float | None
    percent: float | None
    of: str
    why_short: str
    unreadable: tuple[Unreadable, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """All parts of the fine-tuning data, and their tokens together."""

    tokens: int
    lines: tuple[Line, ...]


def aim_generic(made: int, percentages: Sequence[float], minimum: int) -> tuple[Target, ...]:
    """Return what each generic dataset is to have beside `made` tokens of what the run has made.

    Each gets its percentage of them, or of `minimum` where that is more: percentages that sum to
    100 make at least so many generic tokens.
    """
    base, of = (made, OF_MADE) if made >= minimum else (minimum, OF_FLOOR)
    return tuple(Target(round(base * one / 100), one, base, of) for one in percentages)


def aim_pretraining(others: int, percent: float | None, tokens: int | None) -> Target | None:
    """Return what pretraining rows are to have beside `others` tokens; None where none are wanted.

    `tokens` go before `percent`, which is of all, the pretraining rows themselves included.
    """
    if tokens is None and percent is None:
        return None
    if tokens is None:
        percent = percent or 0.0
        tokens = round(others * percent / (100 - percent))
    return Target(tokens, _percent(tokens, others + tokens), others + tokens, OF_ALL)


def draw_up(parts: Sequence[Part]) -> Receipt:
    """Return the receipt of the parts. Of pretraining rows percentages are of what there is now."""
    total = sum(part.tokens for part in parts)
    return Receipt(total, tuple(_make_line(part, total) for part in parts))


def _make_line(part: Part, total: int) -> Line:
    target = part.target
    base = target.base if target and target.of != OF_ALL else total
    return Line(
        part=part.name,
        rows=part.rows,
        tokens=part.tokens,
        share=_percent(part.tokens, total),
        asked_tokens=target.tokens if target else None,
        asked_percent=target.percent if target else None,
        percent=_percent(part.tokens, base) if target else None,
        of=target.of if target else "",
        why_short=part.why_short,
        unreadable=part.unreadable,
    )


def _percent(tokens: int, base: int) -> float:
    return round(100 * tokens / base, DIGITS) if base else 0.0
