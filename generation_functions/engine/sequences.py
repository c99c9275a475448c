"""The texts in the KV cache: which of them a prompt can go on from, and which makes room."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generation_functions.engine.llama import Llama

WORTH_SHARING = 16  # tokens; a shorter common beginning is evaluated again

Tokens = npt.NDArray[np.int32]


@dataclass(slots=True, eq=False)
class Sequence:
    """A text in the KV cache. `tokens` are known, the first `evaluated` of them evaluated.

    `shared` tokens at the front are what the requests of its step begin with; `used` is
    when it was last taken.
    """

    number: int
    room: Tokens
    length: int = 0
    evaluated: int = 0
    shared: int = 0
    used: int = 0
    busy: bool = False

    @property
    def tokens(self) -> Tokens:
        """The text's tokens."""
        return self.room[: self.length]

    @property
    def pending(self) -> Tokens:
        """Tokens that are still to be evaluated."""
        return self.room[self.evaluated : self.length]

    def append(self, tokens: "Tokens | list[int] | int") -> None:
        """Let the text go on."""
        count = 1 if isinstance(tokens, int) else len(tokens)
        self.room[self.length : self.length + count] = tokens
        self.length += count


class Sequences:
    """All sequences of a context: one for each slot, and spare ones.

    A text stays when its request is answered, until its sequence is taken again, so that
    later requests go on from it; the prefixes of steps stay longest.
    """

    def __init__(self, llama: Llama) -> None:
        self._llama = llama
        settings = llama.settings
        self._slots = settings.slots
        self._all = [
            Sequence(number, np.zeros(settings.context, np.int32))
            for number in range(settings.sequences)
        ]
        self._clock = 0

    def match(self, tokens: Tokens) -> tuple[int, Sequence | None]:
        """Return how much of `tokens` is evaluated already, and where.

        The last token always has to be evaluated, since its logits are wanted.
        """
        best, found = 0, None
        if self._llama.can_share:
            for one in self._all:
                length = common(one.room[: one.evaluated], tokens)
                if length > best:
                    best, found = length, one
        best = min(best, len(tokens) - 1)
        return (best, found) if best >= WORTH_SHARING else (0, None)

    def soon(self, tokens: Tokens) -> int:
        """Return how much of `tokens` busy sequences have, or will have when all is evaluated."""
        lengths = (common(one.tokens, tokens) for one in self._all if one.busy)
        return min(max(lengths, default=0), len(tokens) - 1)

    def take(self, tokens: Tokens, shared: int) -> Sequence:
        """Return a slot's sequence that holds `tokens`, evaluated as far as any has them.

        There must be one that is not busy. The last prefix of a step that would be
        overwritten is copied to a spare sequence first.
        """
        length, source = self.match(tokens)
        self._clock += 1
        if source:
            source.used = self._clock
        target = self._choose_victim(tokens, source, length)
        if self._last_of_its_step(target, source, length):
            self._park(target, source)
        own = common(target.room[: target.evaluated], tokens) if source else 0
        if source and own < length:
            self._llama.copy(source.number, target.number, length)
        else:
            self._llama.trim(target.number, length)
        target.room[: len(tokens)] = tokens
        target.length, target.evaluated = len(tokens), length
        target.shared, target.used, target.busy = shared, self._clock, True
        return target

    def free(self, sequence: Sequence) -> None:
        """Let go of a sequence; what is evaluated stays until room is needed."""
        sequence.busy = False
        sequence.length = sequence.evaluated

    def drop_idle(self) -> bool:
        """Forget the text that was longest out of use; return whether there was one."""
        idle = [one for one in self._all if not one.busy and one.length]
        if not idle:
            return False
        oldest = min(idle, key=lambda one: one.used)
        self._llama.trim(oldest.number, 0)
        oldest.length = oldest.evaluated = oldest.shared = 0
        return True

    def _choose_victim(self, tokens: Tokens, source: Sequence | None, length: int) -> Sequence:
        """Choose the idle sequence of a slot whose text is worth least.

        Texts in work stay in the first sequences, side by side: llama.cpp evaluates streams
        together only where their numbers follow each other (llama_batch_allocr::split_equal).
        """
        idle = [one for one in self._all[: self._slots] if not one.busy]
        return min(
            idle,
            key=lambda one: (
                self._last_of_its_step(one, source, length),
                common(one.room[: one.evaluated], tokens) < length,
                one.used,
            ),
        )

    def _park(self, one: Sequence, source: Sequence | None) -> None:
        """Copy the prefix of a sequence's step to the spare sequence longest out of use."""
        spares = [spare for spare in self._all[self._slots :] if spare is not source]
        if not spares:
            return
        spare = min(spares, key=lambda spare: spare.used)
        self._llama.copy(one.number, spare.number, one.shared)
        spare.room[: one.shared] = one.room[: one.shared]
        spare.length = spare.evaluated = spare.shared = one.shared
        spare.used = self._clock

    def _last_of_its_step(self, one: Sequence, source: Sequence | None, length: int) -> bool:
        """Whether overwriting the sequence would lose the prefix of its step."""
        if not WORTH_SHARING <= one.shared <= one.evaluated:
            return False
        if one is source and length >= one.shared:
            return False
        prefix = one.room[: one.shared]
        return not any(
            other is not one
            and other.evaluated >= one.shared
            and np.array_equal(other.room[: one.shared], prefix)
            for other in self._all
        )


def common(one: Tokens, other: Tokens) -> int:
    """Return the length of the common beginning of two token arrays."""
    size = min(len(one), len(other))
    if size and one[0] != other[0]:
        return 0
    differs = one[:size] != other[:size]
    first = int(differs.argmax()) if size else 0
    return first if size and differs[first] else size
