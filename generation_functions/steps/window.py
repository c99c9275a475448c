"""A coroutine function applied to many items, a bounded number of them at once."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

from generation_functions.errors import Dropped

I = TypeVar("I")
R = TypeVar("R")


async def apply(
    function: Callable[[I], Awaitable[R]], items: Iterable[I], width: int
) -> AsyncGenerator[tuple[int, I, R | Dropped]]:
    """Yield each item's place, the item and its result, as they are done.

    A dropped item's result is what it was dropped with. Another error ends all: what is
    going on is cancelled, as when the generator is closed (`contextlib.aclosing`).
    """
    going: dict[asyncio.Future[R], tuple[int, I]] = {}
    rest = enumerate(items)
    try:
        while True:
            while len(going) < width and (following := next(rest, None)) is not None:
                going[asyncio.ensure_future(function(following[1]))] = following
            if not going:
                return
            done, _ = await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                place, item = going[task]
                result: R | Dropped
                try:
                    result = task.result()
                except Dropped as dropped:
                    result = dropped
                del going[task]
                yield place, item, result
    finally:
        for task in going:
            task.cancel()
        await asyncio.gather(*going, return_exceptions=True)
