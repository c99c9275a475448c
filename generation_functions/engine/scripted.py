"""An engine without a model: it answers by request, under the same rules as a real one."""

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from zlib import crc32

import numpy as np

from generation_functions.engine.drawing import draw_text
from generation_functions.engine.grammar import Grammar, parse_grammar
from generation_functions.engine.model_facts import ModelFacts
from generation_functions.engine.protocol import Completion, Embedded, Request
from generation_functions.errors import EngineError, PromptTooLong

_WIDTH = 256  # numbers of a vector

Script = Callable[[Request], "str | Completion"]


def draw_reply(request: Request) -> str:
    """Answer with a random text of the request's grammar, decided by the request's seed."""
    return draw_text(_grammar(request.grammar), request.seed)


class ScriptedEngine:
    """Answers with `script(request)`; an exception that the script raises is the engine's.

    A reply that the request's grammar refuses is an EngineError: no model could have
    given it. A prompt of more than `context` words does not fit.
    """

    def __init__(
        self,
        script: Script = draw_reply,
        fingerprint: str = "scripted",
        context: int = 1_000_000,
        delay: float = 0.0,
    ) -> None:
        self._script = script
        self._fingerprint = fingerprint
        self._context = context
        self._delay = delay
        self.requests: list[Request] = []
        self.embedded: list[str] = []

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(self._fingerprint, name="scripted")

    @property
    def context(self) -> int:
        return self._context

    @property
    def takes_memory(self) -> bool:
        return True

    async def start(self) -> None:
        """Nothing to load."""

    async def complete(self, request: Request) -> Completion:
        await asyncio.sleep(self._delay)
        self.requests.append(request)
        words = sum(len(message.content.split()) for message in request.messages)
        if words + request.max_tokens > self._context:
            raise PromptTooLong(f"a prompt of {words} words, a context of {self._context}")
        reply = self._script(request)
        if isinstance(reply, Completion):
            return reply
        if request.grammar and not _grammar(request.grammar).matches(reply):
            raise EngineError(f"scripted reply outside of its grammar: {reply!r}")
        return Completion(reply, "stop", words, 0, len(reply.split()), 0.0)

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Return vectors of the texts' longer words, hashed: who shares more lies nearer."""
        await asyncio.sleep(self._delay)
        self.embedded += texts
        words = [re.findall(r"\w+", text.lower()) for text in texts]
        vectors = np.zeros((len(words), _WIDTH), np.float32)
        for row, some in zip(vectors, words, strict=True):
            for word in some[: self._context]:
                row[crc32(word.encode()) % _WIDTH] += len(word) > 3
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        cut = sum(len(some) > self._context for some in words)
        return Embedded(vectors / np.maximum(lengths, 1), cut)

    async def close(self) -> None:
        """Nothing to free."""


@lru_cache(maxsize=256)
def _grammar(text: str) -> Grammar:
    return parse_grammar([("the request's grammar", text)])
