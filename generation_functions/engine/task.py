"""One reply on its way: thinking first, where a model thinks, then its grammar."""

import time
from dataclasses import dataclass

from generation_functions.engine.llama import Llama
from generation_functions.engine.protocol import Completion, Sampling
from generation_functions.engine.sampling import Drawer, GrammarState, Logits
from generation_functions.engine.sequences import Sequence
from generation_functions.errors import EngineError, GrammarError


@dataclass(frozen=True, slots=True)
class Job:
    """A rendered request. `shared` characters at the front are the same for its step.

    With `thinking`, the reply begins with at most so many tokens of free text up to
    `think_end`, which is put there if the model does not write it. `seconds` is the most
    time from its slot to its end.
    """

    id: int
    prompt: str
    shared: int
    grammar: str
    sampling: Sampling
    seed: int
    max_tokens: int
    stop: tuple[str, ...]
    thinking: int = 0
    think_end: str = ""
    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Failure:
    """A job that cannot be answered."""

    error: EngineError | GrammarError


class Task:
    """A job in its sequence of the KV cache."""

    def __init__(
        self, job: Job, sequence: Sequence, drawer: Drawer, grammar: GrammarState | None
    ) -> None:
        self.job = job
        self.sequence = sequence
        self.started = time.monotonic()
        self._drawer = drawer
        self._grammar = grammar
        self._prompt_tokens = sequence.length
        self._cached_tokens = sequence.evaluated
        self._text = bytearray()
        self._thought = bytearray()
        self._count = 0
        self._thinking = job.thinking > 0
        self._thought_tokens = 0
        if not self._thinking:
            drawer.grammar = grammar

    def advance(self, llama: Llama, logits: Logits) -> Completion | None:
        """Draw the next token; return the completion when the reply has ended with it."""
        token = self._drawer.draw(logits)
        if self._thinking:
            self._think(llama, token)
            return None
        self._count += 1
        if token in llama.vocabulary.ends:
            return self._complete("stop")
        self.sequence.append(token)
        self._text += llama.vocabulary.pieces[token]
        for stop in self.job.stop:
            found = self._text.find(stop.encode())
            if found >= 0:
                del self._text[found:]
                return self._complete("stop")
        if self._may_only_end(llama):
            return self._complete("stop")
        return self._complete("length") if self._count >= self.job.max_tokens else None

    def free(self) -> None:
        """Give llama.cpp's grammar back."""
        if self._grammar:
            self._grammar.free()

    def _may_only_end(self, llama: Llama) -> bool:
        vocabulary = llama.vocabulary
        if not self._grammar or not vocabulary.ends or not len(vocabulary.single_bytes):
            return False
        return self._grammar.only_ends(vocabulary.ends[0], vocabulary.single_bytes)

    def _think(self, llama: Llama, token: int) -> None:
        """Take a token of thinking; at its end the grammar begins."""
        self._thought_tokens += 1
        ended = token in llama.vocabulary.ends
        if not ended:
            self.sequence.append(token)
            self._thought += llama.vocabulary.control_piece(token)
        end = self.job.think_end.strip().encode()
        found = self._thought.find(end)
        if found >= 0:
            del self._thought[found:]
            self._begin_answer(llama, self.job.think_end.partition(end.decode())[2])
        elif ended or self._thought_tokens >= self.job.thinking:
            self._begin_answer(llama, self.job.think_end)

    def _begin_answer(self, llama: Llama, closing: str) -> None:
        if closing:
            self.sequence.append(llama.vocabulary.tokenize(closing, special=True, begin=False))
        self._thinking = False
        self._drawer.grammar = self._grammar

    def _complete(self, reason: str) -> Completion:
        return Completion(
            text=self._text.decode("utf-8", "replace"),
            finish_reason="stop" if reason == "stop" else "length",
            prompt_tokens=self._prompt_tokens,
            cached_tokens=self._cached_tokens,
            completion_tokens=self._count + self._thought_tokens,
            seconds=round(time.monotonic() - self.started, 4),
            thinking=self._thought.decode("utf-8", "replace").strip(),
        )
