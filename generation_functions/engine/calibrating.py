"""Tokens per second by number of slots: measured on one loaded model, within a given time.

The model is loaded once, with all the slots that fit; what varies is how many requests are
kept going. Each has a passage of its own, so that prompts are evaluated as in a run; only the
first of them, which all come at once, are waited for before the clock starts.
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
_REPLY = 64  # most tokens
_PASSAGE = 600  # characters
_BEGUN = 4  # tokens a slot, after which all of them are taken to be replying
_LOOK = 0.05  # seconds from one look at the load to the next
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
    """What so many slots did in so many seconds: tokens drawn, and replies that were finished."""

    slots: int
    grammar: bool
    seconds: float
    tokens: int
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

    None where nothing was measured.
    """
    fair = [one for one in speeds if one.grammar] or speeds
    best = max((one.tokens_per_second for one in fair), default=0.0)
    enough = (one.slots for one in fair if one.tokens_per_second >= best * _ENOUGH)
    return min(enough, default=None)


async def measure_speeds(
    engine: LoadedEngine,
    text: str,
    slots: Sequence[int],
    seconds: float,
    completion_mode: bool = False,
) -> AsyncIterator[Speed]:
    """Yield the speed of each number of slots, with a grammar and without, in `seconds`.

    The time is shared out evenly. What a slow model overruns is taken from what follows,
    which is then left out, as is what gave less than a token a slot. `text` is what
    passages are cut from.
    """
    deadline = time.monotonic() + seconds
    todo = [(count, grammar) for count in slots for grammar in (True, False)]
    passages = _cut_passages(text, engine.context)
    for done, (count, grammar) in enumerate(todo):
        now = time.monotonic()
        share = (deadline - now) / (len(todo) - done)
        if share < min(_WINDOW, seconds / len(todo)) / 2:
            return
        requests = _make_requests(passages, engine.context, grammar, completion_mode)
        window = _Window(now + share, share / 2, deadline)
        speed = await _measure(engine, requests, count, grammar, window)
        if speed.tokens >= count:
            yield speed


@dataclass(frozen=True, slots=True)
class _Window:
    """When to measure: up to `end`, for at least `least` seconds, but not after `latest`."""

    end: float
    least: float
    latest: float

    def left(self) -> float:
        """Return the seconds to measure for, once the replies have begun."""
        now = time.monotonic()
        return max(0.0, min(max(self.end - now, self.least), self.latest - now))


async def _measure(
    engine: LoadedEngine, requests: Iterator[Request], count: int, grammar: bool, window: _Window
) -> Speed:
    """Keep `count` requests going for a while. What is under way at its end counts too."""
    replies: list[Completion] = []

    async def ask_on() -> None:
        for request in requests:
            replies.append(await engine.complete(request))

    async def drawn() -> int:
        return (await engine.load()).drawn_tokens

    first = await drawn()
    workers = [asyncio.ensure_future(ask_on()) for _ in range(count)]
    try:
        while await drawn() - first < count * _BEGUN and time.monotonic() < window.latest:
            await _watch(workers, _LOOK)
        before, begun, earlier = await drawn(), time.monotonic(), len(replies)
        await _watch(workers, window.left())
        tokens, seconds = await drawn() - before, time.monotonic() - begun
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return Speed(count, grammar, seconds, tokens, len(replies) - earlier)


async def _watch(workers: Sequence["asyncio.Future[None]"], seconds: float) -> None:
    """Wait while the workers work; raise what ends one of them."""
    ended, _ = await asyncio.wait(workers, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for worker in ended:
        worker.result()


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
