"""Tokens per second by number of slots: measured on one loaded model, within a given time.

The model is loaded once, with all the slots that fit; what varies is how many requests are
kept going. Each has a passage of its own, so that prompts are evaluated as in a run.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from generation_functions.engine.protocol import (
    Completion,
    Engine,
    Load,
    Message,
    Request,
    Sampling,
)

_TASK = "Tell a friend what the passage says. Use whole sentences and leave nothing out."
_SAMPLING = Sampling(temperature=0.7, top_k=40, min_p=0.05)
_REPLY = 96  # most tokens
_PASSAGE = 800  # characters
_WINDOW = 2.0  # seconds; what is measured for less says little
_ENOUGH = 0.95  # of the best, for the number of slots that is suggested
_GRAMMAR = r"""root ::= sentence (" " sentence)*
sentence ::= word (","? " " word)* [.?!]
word ::= [^ \n,.?!]{1,24}
"""


class LoadedEngine(Engine, Protocol):
    """An engine that says what it has done."""

    async def load(self) -> Load:
        """Return what it has done since it was started."""
        ...


@dataclass(frozen=True, slots=True)
class Speed:
    """What so many slots did in so many seconds; `prompt_tokens` are those evaluated."""

    slots: int
    grammar: bool
    seconds: float
    tokens: int
    prompt_tokens: int
    replies: int

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.seconds


def choose_slots(most: int, seconds: float) -> list[int]:
    """Return the numbers of slots to measure: doubling up to `most`, fewer in a short time."""
    doubling = [*itertools.takewhile(lambda n: n < most, (2**i for i in range(8))), most]
    count = min(len(doubling), max(2, int(seconds / (2 * _WINDOW))))
    step = (len(doubling) - 1) / max(count - 1, 1)
    return [doubling[round(i * step)] for i in range(count)] if most > 1 else [1]


def suggest_slots(speeds: Sequence[Speed]) -> int | None:
    """Return the fewest slots that are within 5 % of the best, under a grammar where measured.

    None where too little came back to say so: no slot had a whole reply.
    """
    whole = [one for one in speeds if one.replies]
    fair = [one for one in whole if one.grammar] or whole
    best = max((one.tokens_per_second for one in fair), default=0.0)
    enough = (one.slots for one in fair if one.tokens_per_second >= best * _ENOUGH)
    return min(enough, default=None) if best else None


async def measure_speeds(
    engine: LoadedEngine,
    text: str,
    slots: Sequence[int],
    seconds: float,
    completion_mode: bool = False,
) -> AsyncIterator[Speed]:
    """Yield the speed of each number of slots, with a grammar and without, in `seconds`.

    The time is shared out evenly; what a slow model overruns is taken from what follows,
    which may then be left out. `text` is what passages are cut from.
    """
    deadline = time.monotonic() + seconds
    todo = [(count, grammar) for count in slots for grammar in (True, False)]
    passages = _cut_passages(text, engine.context)
    for done, (count, grammar) in enumerate(todo):
        window = (deadline - time.monotonic()) / (len(todo) - done)
        if window < min(_WINDOW, seconds / len(todo)) / 2:
            return
        requests = _make_requests(passages, engine.context, grammar, completion_mode)
        yield await _measure(engine, requests, count, grammar, window)


async def _measure(
    engine: LoadedEngine, requests: Iterator[Request], count: int, grammar: bool, window: float
) -> Speed:
    """Keep `count` requests going for a while. What is under way at its end counts too."""
    replies: list[Completion] = []

    async def ask_on() -> None:
        for request in requests:
            replies.append(await engine.complete(request))

    before, started = await engine.load(), time.monotonic()
    workers = [asyncio.ensure_future(ask_on()) for _ in range(count)]
    try:
        stopped, _ = await asyncio.wait(
            workers, timeout=window, return_when=asyncio.FIRST_EXCEPTION
        )
        for worker in stopped:
            worker.result()
        after, seconds = await engine.load(), time.monotonic() - started
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    evaluated = after.prompt_tokens - after.cached_tokens
    evaluated -= before.prompt_tokens - before.cached_tokens
    tokens = after.drawn_tokens - before.drawn_tokens
    return Speed(count, grammar, seconds, tokens, evaluated, len(replies))


def _cut_passages(text: str, context: int) -> Iterator[str]:
    """Yield passages without end; a token is a character at least, so that each fits."""
    length = max(64, min(_PASSAGE, context // 2 - 64))
    line = " ".join(text.split())
    starts = max(len(line) - length, 1)
    return (line[at % starts : at % starts + length] for at in itertools.count(0, 577))


def _make_requests(
    passages: Iterator[str], context: int, grammar: bool, completion_mode: bool
) -> Iterator[Request]:
    for seed, passage in enumerate(passages):
        yield Request(
            messages=(Message("system", _TASK), Message("user", passage)),
            grammar=_GRAMMAR if grammar else "",
            sampling=_SAMPLING,
            seed=seed,
            max_tokens=min(_REPLY, context // 4),
            completion_mode=completion_mode,
            shared=1,
        )
