"""A call that a run made, as something to learn from: what was asked, what was taken, what not."""

from dataclasses import dataclass
from typing import Literal

from generation_functions.records import Turn


@dataclass(frozen=True, slots=True)
class Worse:
    """A reply to the same prompt that was not taken, and why."""

    text: str
    use: Literal["outvoted", "refused", "unusable"]
    why: str


@dataclass(frozen=True, slots=True)
class Call:
    """What a step asked about an item, as the turns of a chat, with the reply that was taken.

    `system` is "" for a prompt without one; `examples` are the prompt's own, each a question and
    its answer. `reply` is "" where none was taken; `result` is "kept" or "rejected", a final no.
    """

    step: str
    uuid: str
    result: str
    system: str
    examples: tuple[tuple[str, str], ...]
    asked: str
    reply: str
    worse: tuple[Worse, ...] = ()

    @property
    def prompt(self) -> tuple[Turn, ...]:
        """All that was asked, as turns (system, human, gpt)."""
        first = (Turn("system", self.system),) if self.system else ()
        shown = (
            turn
            for question, answer in self.examples
            for turn in (Turn("human", question), Turn("gpt", answer))
        )
        return (*first, *shown, Turn("human", self.asked))
