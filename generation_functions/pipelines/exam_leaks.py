"""What of an exam stands in the datasets: its questions in their questions, its sources in all.

Compared are runs of eight words, as is usual for such checks; case and punctuation say nothing.
A run that both have need not be a leak ("in the second half of the nineteenth century"), so it is
counted; what stands there almost word for word is left out.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from generation_functions.pipelines.exam_steps import HELD_OUT, ExamQuestion

RUN_WORDS = 8  # in a row that a question, or a source, shares with a row
SHORT_RUN = 3  # by which it is told whether one stands in another
NEARLY = 0.8  # share of the short runs
IN_QUESTION = "nearly the same question is in the datasets"
IN_TEXT = "what it rests on is in the datasets"

_WORD = re.compile(r"[^\W_]+")
_UP_TO_MARK = re.compile(r"[^!?\n]+[!?\n]?")  # a full stop may be that of "Mr." or of "3.5"


@dataclass(slots=True)
class Leaks:
    """Which questions, by uuid, share a long run of words: with a row's question, or by their
    quote with any row. `dropped` are those that stand there almost word for word, with the reason.
    """

    asked: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    dropped: dict[str, str] = field(default_factory=dict)


def find_leaks(questions: Sequence[ExamQuestion], texts: Iterable[str]) -> Leaks:
    """Look for an exam in the texts of rows, which pass one at a time.

    The source of a taught question is in the datasets on purpose, of one held out it is not.
    """
    leaks = Leaks()
    asked = _Index({one.uuid: one.question for one in questions})
    told = _Index({one.uuid: one.quote for one in questions})
    held = {one.uuid for one in questions if one.part == HELD_OUT}
    for text in texts:
        for said in _UP_TO_MARK.findall(text):
            if not said.endswith("?"):
                continue
            shared, copied = asked.look_up(said)
            leaks.asked |= shared
            leaks.dropped |= dict.fromkeys(copied, IN_QUESTION)
        shared, copied = told.look_up(text)
        leaks.told |= shared
        leaks.dropped |= {one: IN_TEXT for one in copied & held if one not in leaks.dropped}
    return leaks


class _Index:
    """The runs of words of some short texts, by which longer ones are looked through."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._long = _invert({name: set(_runs(text, RUN_WORDS)) for name, text in texts.items()})
        short = {name: set(_runs(text, SHORT_RUN)) for name, text in texts.items()}
        self._short = _invert(short)
        self._sizes = {name: len(runs) for name, runs in short.items()}

    def look_up(self, text: str) -> tuple[set[str], set[str]]:
        """Return which texts share a long run with this one, and which nearly stand in it."""
        shared = {name for run in set(_runs(text, RUN_WORDS)) for name in self._long.get(run, ())}
        counts: dict[str, int] = defaultdict(int)
        for run in set(_runs(text, SHORT_RUN)):
            for name in self._short.get(run, ()):
                counts[name] += 1
        return shared, {name for name, n in counts.items() if n >= NEARLY * self._sizes[name]}


def _invert(runs: dict[str, set[str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name, own in runs.items():
        for run in own:
            found[run].append(name)
    return dict(found)


def _runs(text: str, length: int) -> Iterator[str]:
    """Yield the runs of so many words; of a shorter text all its words as one."""
    words = _WORD.findall(text.casefold())
    for start in range(max(1, len(words) - length + 1)):
        yield " ".join(words[start : start + length])
