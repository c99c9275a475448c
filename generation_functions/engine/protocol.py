"""What goes into an engine and what comes out: requests, completions, and the engine's face."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from generation_functions.engine.model_facts import ModelFacts


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message; `role` is "system", "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is drawn. The zero values switch a truncation off; temperature 0 is greedy."""

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that is sent to a model. `grammar` is GBNF text; "" leaves the reply free.

    `thinking` is the most tokens that a model with a thinking block may think before the
    grammar begins; 0 is none. `shared` messages at the front are the same for all
    requests of a step: engines with a prefix cache evaluate them once. It does not change
    the answer.
    """

    messages: tuple[Message, ...]
    grammar: str
    sampling: Sampling
    seed: int
    max_tokens: int
    stop: tuple[str, ...] = ()
    completion_mode: bool = False
    thinking: int = 0
    shared: int = 0


@dataclass(frozen=True, slots=True)
class Completion:
    """A reply. `seconds` is the time from its slot to its last token.

    `thinking` is what the model thought before; `completion_tokens` counts it too.
    """

    text: str
    finish_reason: Literal["stop", "length"]
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    seconds: float
    thinking: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Texts as vectors of length 1, a row each, in order; the ends of `cut` texts are left out."""

    vectors: npt.NDArray[np.float32]
    cut: int = 0


@dataclass(slots=True)
class Load:
    """What an engine has done since it was started; times are seconds.

    `busy_seconds` is the time in which anything was going on, `decode_seconds` the part
    of it inside llama.cpp's decode. Of `prompt_tokens`, `cached_tokens` were not
    evaluated, since they had been for an earlier request.
    """

    steps: int = 0
    busy_seconds: float = 0.0
    decode_seconds: float = 0.0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    drawn_tokens: int = 0
    memory: int = 0  # bytes that are resident


class Loadable(Protocol):
    """A model that can be loaded and given back."""

    @property
    def fingerprint(self) -> str:
        """Identity of the model; part of every request key."""
        ...

    @property
    def facts(self) -> ModelFacts:
        """What is known about the model; its fingerprint is the engine's."""
        ...

    @property
    def context(self) -> int:
        """Tokens that a prompt and its reply, or a text for a vector, may have."""
        ...

    @property
    def takes_memory(self) -> bool:
        """Whether its model lies in this machine's memory, where another may need the room."""
        ...

    async def start(self) -> None:
        """Load the model; a second call does nothing."""
        ...

    async def close(self) -> None:
        """End the engine and give its memory back."""
        ...


class Engine(Loadable, Protocol):
    """Answers requests of one model, many at a time."""

    async def complete(self, request: Request) -> Completion:
        """Answer one request. Raises EngineError; nothing else counts as no answer."""
        ...


class Embedder(Loadable, Protocol):
    """Makes vectors of texts with one model."""

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Return the vectors of texts, of which there is one at least. Raises EngineError."""
        ...


def key_of(request: Request, fingerprint: str) -> str:
    """Return the identity of a request to a model: a hash of all that decides the answer."""
    sent = asdict(request)
    del sent["shared"]
    text = json.dumps([fingerprint, sent], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


async def stream(
    engine: Engine, requests: Iterable[Request]
) -> AsyncIterator[tuple[Request, Completion]]:
    """Send all requests and yield each with its completion as it finishes."""

    async def answer(request: Request) -> tuple[Request, Completion]:
        return request, await engine.complete(request)

    tasks = [asyncio.ensure_future(answer(request)) for request in requests]
    try:
        for next_done in asyncio.as_completed(tasks):
            yield await next_done
    finally:
        for task in tasks:
            task.cancel()
