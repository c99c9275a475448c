"""The engines of a run, by model role. One model is in memory at a time."""

import asyncio
from collections import Counter
from collections.abc import Mapping

from generation_functions.engine.protocol import Completion, Engine, Request

_GRACE = 0.05  # seconds in which answered items may ask the loaded model again


class Engines:
    """Sends requests to the model of their role and swaps models when nothing else can run.

    Roles that share an engine object share its loaded model. Models behind servers need no turn.
    """

    def __init__(self, by_role: Mapping[str, Engine]) -> None:
        self._by_role = dict(by_role)
        self._loaded: Engine | None = None
        self._going: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()
        self._changed = asyncio.Condition()

    def of(self, role: str) -> Engine:
        """Return the engine of a role; it need not be loaded."""
        return self._by_role[role]

    async def complete(self, role: str, request: Request) -> Completion:
        """Answer a request, loading the role's model when its turn has come."""
        engine = self._by_role[role]
        await self._enter(engine)
        try:
            return await engine.complete(request)
        finally:
            self._going[id(engine)] -= 1
            if not self._going[id(engine)] and self._others_wait(engine):
                await asyncio.sleep(_GRACE)
            async with self._changed:
                self._changed.notify_all()

    async def release(self) -> None:
        """Unload whatever is loaded; the next request loads again."""
        remote = {id(one): one for one in self._by_role.values() if not one.takes_memory}
        for engine in remote.values():
            await engine.close()
        if self._loaded:
            await self._loaded.close()
            self._loaded = None

    async def _enter(self, engine: Engine) -> None:
        if self._loaded is engine or not engine.takes_memory:
            self._going[id(engine)] += 1
            return
        self._waiting[id(engine)] += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self._may_use(engine))
                if self._loaded is not engine:
                    if self._loaded:
                        await self._loaded.close()
                    self._loaded = engine
                    await engine.start()
                self._going[id(engine)] += 1
                self._changed.notify_all()
        finally:
            self._waiting[id(engine)] -= 1

    def _may_use(self, engine: Engine) -> bool:
        loaded = self._loaded
        return loaded is None or loaded is engine or not self._going[id(loaded)]

    def _others_wait(self, engine: Engine) -> bool:
        return any(count for key, count in self._waiting.items() if key != id(engine))
