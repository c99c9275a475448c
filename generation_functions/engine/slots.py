"""Continuous batching: requests in slots, prompts evaluated in pieces, prefixes shared."""

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

import llama_cpp
import numpy as np
import numpy.typing as npt

from generation_functions.engine.llama import Llama
from generation_functions.engine.protocol import Completion, Sampling
from generation_functions.engine.sampling import Candidates, Drawer
from generation_functions.errors import EngineError, GrammarError, PromptTooLong

RETAINED = 8  # prefixes kept aside, least recently used out
_WORTH_SHARING = 16  # tokens; a shorter common prefix is evaluated again
_LOOK_AHEAD = 64  # waiting requests considered for a free slot

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Job:
    """A rendered request. `shared` characters at the front are the same for its step."""

    id: int
    prompt: str
    shared: int
    grammar: str
    sampling: Sampling
    seed: int
    max_tokens: int
    stop: tuple[str, ...]


@dataclass(slots=True)
class _Slot:
    sequence: int
    job: Job | None = None
    tokens: list[int] = field(default_factory=list)  # prompt and reply
    prompt: Tokens = field(default_factory=lambda: np.zeros(0, np.int32))
    evaluated: int = 0
    cached: int = 0
    shared: int = 0
    drawer: Drawer | None = None
    text: bytearray = field(default_factory=bytearray)
    started: float = 0.0
    used: int = 0

    @property
    def prefilling(self) -> bool:
        return self.job is not None and self.evaluated < len(self.prompt)


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that cannot be answered."""

    error: EngineError | GrammarError


class Slots:
    """Answers jobs, many at a time. `step()` is one decode of everything that is going on."""

    def __init__(self, llama: Llama) -> None:
        self._llama = llama
        self._candidates = Candidates(llama)
        self._slots = [_Slot(number) for number in range(llama.settings.slots)]
        self._free_sequences = list(range(len(self._slots), len(self._slots) + RETAINED))
        self._retained: OrderedDict[int, Tokens] = OrderedDict()
        self._waiting: list[tuple[Job, Tokens, int]] = []
        self._clock = 0

    @property
    def busy(self) -> bool:
        """Whether anything is waiting or going on."""
        return bool(self._waiting) or any(slot.job for slot in self._slots)

    def add(self, job: Job) -> Failure | None:
        """Queue a job; a prompt that cannot fit its slot fails at once, it is never cut."""
        tokens = np.array(self._llama.tokenize(job.prompt, special=True), np.int32)
        limit = self._llama.settings.context
        if len(tokens) + job.max_tokens > limit:
            return Failure(
                PromptTooLong(
                    f"a prompt of {len(tokens)} tokens and a reply of up to {job.max_tokens} "
                    f"do not fit into a context of {limit}"
                )
            )
        shared = 0
        if job.shared and self._llama.can_share:
            head = np.array(self._llama.tokenize(job.prompt[: job.shared], True), np.int32)
            shared = _common(head, tokens)
        self._waiting.append((job, tokens, shared))
        return None

    def cancel(self, job_id: int) -> None:
        """Forget a job, wherever it is."""
        self._waiting = [entry for entry in self._waiting if entry[0].id != job_id]
        for slot in self._slots:
            if slot.job and slot.job.id == job_id:
                self._release(slot)

    def step(self) -> Iterator[tuple[int, Completion | Failure]]:
        """Fill free slots, evaluate one batch, draw a token where one is due."""
        self._clock += 1
        yield from self._admit()
        entries, draws = self._compose()
        if not entries:
            return
        status = self._llama.decode(entries)
        while status == 1 and self._drop_caches():
            status = self._llama.decode(entries)
        if status != 0:
            raise EngineError(f"llama_decode failed with status {status}")
        for _, position, sequence, _ in entries:
            slot = self._slots[sequence]
            slot.evaluated = position + 1
        self._retain_prefixes()
        for slot, index in draws:
            finished = self._advance(slot, self._llama.logits(index))
            if finished and slot.job:
                yield slot.job.id, finished
                self._release(slot)

    def _admit(self) -> Iterator[tuple[int, Failure]]:
        for slot in self._slots:
            while not slot.job and self._waiting:
                chosen = self._choose()
                if chosen is None:
                    return
                job, tokens, shared = self._waiting.pop(chosen)
                best = self._best_free_slot(tokens)
                try:
                    self._start(best, job, tokens, shared)
                except GrammarError as error:
                    yield job.id, Failure(error)

    def _choose(self) -> int | None:
        """Return the first waiting job that no prefilling slot is about to share a prefix with."""
        going = [slot for slot in self._slots if slot.prefilling]
        for index, (_, tokens, _) in enumerate(self._waiting[:_LOOK_AHEAD]):
            ready = self._longest_match(tokens)[0]
            soon = max((_common(slot.prompt, tokens) for slot in going), default=0)
            if not self._llama.can_share or min(soon, len(tokens) - 1) < ready + _WORTH_SHARING:
                return index
        return None

    def _best_free_slot(self, tokens: Tokens) -> _Slot:
        free = [slot for slot in self._slots if not slot.job]
        return min(free, key=lambda slot: (-self._match(slot, tokens), slot.used))

    def _match(self, slot: _Slot, tokens: Tokens) -> int:
        return _common(np.array(slot.tokens[: slot.evaluated], np.int32), tokens)

    def _longest_match(self, tokens: Tokens) -> tuple[int, int]:
        """Return (length, sequence) of the evaluated text that shares most with `tokens`."""
        best = (0, -1)
        if not self._llama.can_share:
            return best
        for slot in self._slots:
            best = max(best, (self._match(slot, tokens), slot.sequence))
        for sequence, prefix in self._retained.items():
            best = max(best, (_common(prefix, tokens), sequence))
        return min(best[0], len(tokens) - 1), best[1]

    def _start(self, slot: _Slot, job: Job, tokens: Tokens, shared: int) -> None:
        grammar = self._llama.grammar(job.grammar) if job.grammar else None
        length, source = self._longest_match(tokens)
        if length < _WORTH_SHARING:
            length, source = 0, -1
        memory = self._llama.memory
        if source == slot.sequence:
            llama_cpp.llama_memory_seq_rm(memory, slot.sequence, length, -1)
        else:
            llama_cpp.llama_memory_seq_rm(memory, slot.sequence, -1, -1)
            if length:
                llama_cpp.llama_memory_seq_cp(memory, source, slot.sequence, 0, length)
        if source in self._retained:
            self._retained.move_to_end(source)
        slot.job, slot.prompt, slot.tokens = job, tokens, tokens.tolist()
        slot.evaluated = slot.cached = length
        slot.shared = shared
        slot.text = bytearray()
        slot.started = time.monotonic()
        slot.used = self._clock
        slot.drawer = Drawer(self._candidates, grammar, job.sampling, job.seed)

    def _compose(
        self,
    ) -> tuple[list[tuple[int, int, int, bool]], list[tuple[_Slot, int]]]:
        entries: list[tuple[int, int, int, bool]] = []
        draws: list[tuple[_Slot, int]] = []
        for slot in self._slots:
            if slot.job and not slot.prefilling:
                draws.append((slot, len(entries)))
                entries.append((slot.tokens[-1], slot.evaluated, slot.sequence, True))
        for slot in self._slots:
            if not slot.prefilling:
                continue
            room = self._llama.settings.batch - len(entries)
            end = min(slot.evaluated + room, len(slot.prompt))
            for position in range(slot.evaluated, end):
                last = position == len(slot.prompt) - 1
                if last:
                    draws.append((slot, len(entries)))
                entries.append((slot.tokens[position], position, slot.sequence, last))
        return entries, draws

    def _advance(self, slot: _Slot, logits: npt.NDArray[np.float32]) -> Completion | None:
        if not slot.job or not slot.drawer:
            return None
        token = slot.drawer.draw(logits)
        count = len(slot.tokens) - len(slot.prompt) + 1
        if self._llama.is_end(token):
            return self._complete(slot, "stop", count)
        slot.tokens.append(token)
        slot.text += self._llama.piece(token)
        for stop in slot.job.stop:
            found = slot.text.find(stop.encode())
            if found >= 0:
                del slot.text[found:]
                return self._complete(slot, "stop", count)
        if count >= slot.job.max_tokens:
            return self._complete(slot, "length", count)
        return None

    def _complete(self, slot: _Slot, reason: str, count: int) -> Completion:
        return Completion(
            text=slot.text.decode("utf-8", "replace"),
            finish_reason="stop" if reason == "stop" else "length",
            prompt_tokens=len(slot.prompt),
            cached_tokens=slot.cached,
            completion_tokens=count,
            seconds=round(time.monotonic() - slot.started, 4),
        )

    def _release(self, slot: _Slot) -> None:
        if slot.drawer:
            slot.drawer.free()
        slot.job = slot.drawer = None
        slot.tokens = slot.tokens[: slot.evaluated]
        slot.prompt = np.zeros(0, np.int32)

    def _retain_prefixes(self) -> None:
        """Keep a step's prefix in a sequence of its own once a slot has evaluated it."""
        for slot in self._slots:
            if not slot.job or slot.shared < _WORTH_SHARING or slot.evaluated < slot.shared:
                continue
            prefix = slot.prompt[: slot.shared]
            slot.shared = 0
            if any(np.array_equal(prefix, kept) for kept in self._retained.values()):
                continue
            budget = self._llama.settings.context
            while self._retained and (
                not self._free_sequences or len(prefix) + self._retained_tokens() > budget
            ):
                self._forget_oldest()
            sequence = self._free_sequences.pop()
            llama_cpp.llama_memory_seq_cp(
                self._llama.memory, slot.sequence, sequence, 0, len(prefix)
            )
            self._retained[sequence] = prefix

    def _retained_tokens(self) -> int:
        return sum(len(prefix) for prefix in self._retained.values())

    def _forget_oldest(self) -> None:
        sequence, _ = self._retained.popitem(last=False)
        llama_cpp.llama_memory_seq_rm(self._llama.memory, sequence, -1, -1)
        self._free_sequences.append(sequence)

    def _drop_caches(self) -> bool:
        """Free all cells that no running job needs; return whether there were any."""
        found = bool(self._retained)
        while self._retained:
            self._forget_oldest()
        for slot in self._slots:
            if not slot.job and slot.tokens:
                llama_cpp.llama_memory_seq_rm(self._llama.memory, slot.sequence, -1, -1)
                slot.tokens, slot.evaluated, found = [], 0, True
        return found


def _common(one: Tokens, other: Tokens) -> int:
    """Return the length of the common prefix of two token arrays."""
    size = min(len(one), len(other))
    differs = np.flatnonzero(one[:size] != other[:size])
    return int(differs[0]) if len(differs) else size
