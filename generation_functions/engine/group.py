"""Several engines of one model, on a GPU each, that answer as one."""

import asyncio
from collections.abc import Sequence

from generation_functions.engine.model_facts import ModelFacts
from generation_functions.engine.protocol import Completion, Engine, Request


class EngineGroup:
    """Gives each request to the engine with the fewest open ones.

    All engines have the same model and settings: identity and context are the first one's.
    """

    def __init__(self, engines: Sequence[Engine]) -> None:
        self._engines = tuple(engines)
        self._open = [0] * len(self._engines)

    @property
    def fingerprint(self) -> str:
        return self._engines[0].fingerprint

    @property
    def facts(self) -> ModelFacts:
        return self._engines[0].facts

    @property
    def context(self) -> int:
        return self._engines[0].context

    @property
    def takes_memory(self) -> bool:
        return any(engine.takes_memory for engine in self._engines)

    async def start(self) -> None:
        """Load all at the same time; if one fails, close the others and raise its error."""
        started = await asyncio.gather(
            *(engine.start() for engine in self._engines), return_exceptions=True
        )
        failures = [one for one in started if isinstance(one, BaseException)]
        if failures:
            await self.close()
            raise failures[0]

    async def complete(self, request: Request) -> Completion:
        least = min(range(len(self._engines)), key=self._open.__getitem__)
        self._open[least] += 1
        try:
            return await self._engines[least].complete(request)
        finally:
            self._open[least] -= 1

    async def close(self) -> None:
        """End all, at the same time; each gets its turn even where another fails."""
        closed = await asyncio.gather(
            *(engine.close() for engine in self._engines), return_exceptions=True
        )
        for one in closed:
            if isinstance(one, BaseException):
                raise one
