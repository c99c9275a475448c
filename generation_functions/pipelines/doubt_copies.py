"""Wrong answers, doubts and what is said to them in an answer's own words, for models too small to
tell it otherwise. English alone: in another language a grammar keeps the form for any text.
"""

import re
from collections.abc import Iterator
from functools import partial

from generation_functions.pipelines.amounts import MONTHS
from generation_functions.pipelines.copies import write_copies
from generation_functions.pipelines.sentence_kinds import is_order
from generation_functions.pipelines.statements import (
    FORBIDS,
    deny,
    find_contrary,
)
from generation_functions.pipelines.things import begin_within, put_within
from generation_functions.records import QAPair
from generation_functions.steps.step import write_literal

# The rules of a doubt without a reason, and of one that says what is so instead.
DOUBTING, KNOWING = "doubting", "knowing"

_FIGURE = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+|\d+)(?![.,]?\w)")
_YEAR = re.compile(r"1[0-9]{3}|20[0-9]{2}")
_MONTH = re.compile(rf" (?:{'|'.join(MONTHS)})\b", re.IGNORECASE)
LATEST_DAY = 28  # of each month
# Of which nobody warns: what is forbidden, or a fact to be known.
_NOT_WARNED = re.compile(rf"{FORBIDS.pattern}|.*\b(?:remember|remind|note) that\b", re.IGNORECASE)
_ADVISES = re.compile(r"\badvise(s?): (?=“)")


def keep_wrong(pair: QAPair, manner: str) -> str:
    """Return, as the right-hand side of a rule, an answer made wrong, its doubt by the rule
    `manner`, and what is admitted; "" without a plain contrary or a figure to change."""
    wrong = list(make_wrong(pair))
    if not wrong:
        return ""
    doubt = f"{manner} {write_literal(pair.answer)}" if manner == KNOWING else manner
    given = f'"Changed: One thing.\\nWrong: " {write_copies(wrong)}'
    return f'{given} "\\nDoubt: " {doubt} "\\nAdmits: " admits'


def keep_firm(pair: QAPair, manner: str) -> str:
    """Return, as the right-hand side of a rule, how a right answer is doubted, by the rule
    `manner`, what is said to that, and the answer again."""
    wrong = next(make_wrong(pair), "")
    manner = DOUBTING if manner == KNOWING and not wrong else manner
    doubt = f"{manner} {write_literal(wrong)}" if manner == KNOWING else manner
    again = write_literal(repeat(pair))
    return f'"Doubt: " {doubt} "\\nStays: " firm "\\nAnswer: " {again}'


def make_wrong(pair: QAPair) -> Iterator[str]:
    """Yield an answer made wrong: with another figure, if it has any, else its contrary."""
    answer = pair.answer
    if changed := list(change_figures(answer)):
        yield from changed
        return
    order = answer.partition("“")[2]
    if contrary := find_contrary(answer, partial(put_within, chunk=pair.chunk)):
        yield contrary.wrong
    elif _ADVISES.search(answer) and is_order(order) and not _NOT_WARNED.match(order):
        yield _ADVISES.sub(r"warn\1 against this: ", answer, count=1)
    elif denied := deny(answer):
        yield denied


def change_figures(answer: str) -> Iterator[str]:
    """Yield an answer with one of its figures made another: a year earlier by 17, of a hundred the
    half, others doubled; none that is no number by itself, or no day of its month."""
    for match in _FIGURE.finditer(answer):
        figure = int(match[0].replace(",", ""))
        behind = answer[match.end() :]
        if behind.startswith("-") or (_MONTH.match(behind) and 2 * figure > LATEST_DAY):
            continue
        other = figure - 17 if _YEAR.fullmatch(match[0]) else 2 * figure or 5
        if re.match(r" ?(?:%|per ?cent)", behind):
            other = figure // 2
        shown = f"{other:,}" if "," in match[0] else str(other)
        yield answer[: match.start()] + shown + answer[match.end() :]


def repeat(pair: QAPair) -> str:
    """Return an answer as somebody gives it who was doubted."""
    return f"It is true that {begin_within(pair.answer, pair.chunk)}"
