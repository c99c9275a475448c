"""Continuous batching: every step is one decode of all that is going on."""

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from generation_functions.engine.llama import Batch, Llama
from generation_functions.engine.protocol import Completion, Load
from generation_functions.engine.sampling import DeadEnd, Drawer, GrammarState
from generation_functions.engine.sequences import WORTH_SHARING, Sequences, Tokens, common
from generation_functions.engine.task import Failure, Job, Task
from generation_functions.errors import EngineError, GrammarError, PromptTooLong, RequestTimeout

_LOOK_AHEAD = 64  # waiting requests considered for a free slot


class Slots:
    """Answers jobs, many at a time."""

    def __init__(self, llama: Llama) -> None:
        self._llama = llama
        self._batch = Batch(llama.settings.batch)
        self._sequences = Sequences(llama)
        self._tasks: list[Task] = []
        self._waiting: list[tuple[Job, Tokens, int]] = []
        self.load = Load()

    @property
    def busy(self) -> bool:
        """Whether anything is waiting or going on."""
        return bool(self._waiting or self._tasks)

    def add(self, job: Job) -> Failure | None:
        """Queue a job; a prompt that cannot fit its slot fails at once, it is never cut."""
        tokens = np.array(self._llama.vocabulary.tokenize(job.prompt, special=True), np.int32)
        limit = self._llama.settings.context
        reply = job.max_tokens
        if job.thinking:
            reply += job.thinking + len(
                self._llama.vocabulary.tokenize(job.think_end, special=True)
            )
        if len(tokens) + reply > limit:
            return Failure(
                PromptTooLong(
                    f"a prompt of {len(tokens)} tokens and a reply of up to {reply} "
                    f"do not fit into a context of {limit}"
                )
            )
        shared = 0
        if job.shared and self._llama.can_share:
            head = np.array(
                self._llama.vocabulary.tokenize(job.prompt[: job.shared], True), np.int32
            )
            shared = common(head, tokens)
        self._waiting.append((job, tokens, shared))
        return None

    def cancel(self, job_id: int) -> None:
        """Forget a job, wherever it is."""
        self._waiting = [entry for entry in self._waiting if entry[0].id != job_id]
        for task in [task for task in self._tasks if task.job.id == job_id]:
            self._end(task)

    def step(self) -> Iterator[tuple[int, Completion | Failure]]:
        """Fill free slots, evaluate one batch, draw a token where one is due."""
        started = time.monotonic()
        yield from self._admit()
        drawing = self._compose()
        rows = self._decode(len(drawing))
        for task, logits in zip(drawing, rows, strict=True):
            result: Completion | Failure | None
            try:
                result = task.advance(self._llama, logits)
            except DeadEnd:
                result = Failure(GrammarError("no token of this vocabulary may come next"))
            if result:
                self._end(task)
                yield task.job.id, result
        yield from self._end_late_ones()
        self.load.busy_seconds += time.monotonic() - started
        self.load.drawn_tokens += len(drawing)

    def _decode(self, count: int) -> npt.NDArray[np.float32]:
        """Evaluate the batch; return the `count` rows of logits that it asked for."""
        started = time.monotonic()
        status = self._llama.decode(self._batch) if len(self._batch) else 0
        while status == 1 and self._sequences.drop_idle():
            status = self._llama.decode(self._batch)
        if status != 0:
            raise EngineError(f"llama_decode failed with status {status}")
        rows = self._llama.logits(count)
        self.load.steps += 1
        self.load.decode_seconds += time.monotonic() - started
        return rows

    def _admit(self) -> Iterator[tuple[int, Failure]]:
        while len(self._tasks) < self._llama.settings.slots:
            chosen = self._choose()
            if chosen is None:
                return
            job, tokens, shared = self._waiting.pop(chosen)
            try:
                grammar = self._llama.grammar(job.grammar) if job.grammar else None
            except GrammarError as error:
                yield job.id, Failure(error)
                continue
            sequence = self._sequences.take(tokens, shared)
            self.load.prompt_tokens += sequence.length
            self.load.cached_tokens += sequence.evaluated
            state = GrammarState(grammar, self._llama.vocabulary.silent) if grammar else None
            self._tasks.append(Task(job, sequence, Drawer(job.sampling, job.seed), state))

    def _choose(self) -> int | None:
        """Return the first waiting job whose beginning no running prefill is about to give."""
        for index, (_, tokens, _) in enumerate(self._waiting[:_LOOK_AHEAD]):
            ready, _ = self._sequences.match(tokens)
            if not self._llama.can_share:
                return index
            if self._sequences.soon(tokens) < ready + WORTH_SHARING:
                return index
        return None

    def _compose(self) -> list[Task]:
        """Fill the batch: one token for each reply, then what fits of the prompts.

        Returns the tasks whose next token can be drawn, in the batch's order, which is
        that of their sequences.
        """
        self._batch.clear()
        room, pieces = self._batch.room, []
        for task in sorted(self._tasks, key=lambda task: len(task.sequence.pending) > 1):
            piece = task.sequence.pending[:room]
            room -= len(piece)
            if len(piece):
                pieces.append((task, piece))
        drawing = []
        for task, piece in sorted(pieces, key=lambda one: one[0].sequence.number):
            sequence = task.sequence
            done = sequence.evaluated + len(piece) == sequence.length
            self._batch.add(sequence.number, sequence.evaluated, piece, done)
            sequence.evaluated += len(piece)
            if done:
                drawing.append(task)
        return drawing

    def _end_late_ones(self) -> Iterator[tuple[int, Failure]]:
        now = time.monotonic()
        for task in [task for task in self._tasks if now - task.started > task.job.seconds]:
            self._end(task)
            message = f"no reply within {task.job.seconds:g} seconds (`request_seconds`)"
            yield task.job.id, Failure(RequestTimeout(message))

    def _end(self, task: Task) -> None:
        self._sequences.free(task.sequence)
        task.free()
        self._tasks.remove(task)
