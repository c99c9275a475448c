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
        self._swapping = False
        self._going: Counter[int] = Counter()
        self._waiting: Counter[int] = Counter()
        self._changed = asyncio.Condition()
        self._wakings: set[asyncio.Task[None]] = set()

    @property
    def roles(self) -> tuple[str, ...]:
        """The model roles that there are."""
        return tuple(self._by_role)

    def of(self, role: str) -> Engine:
        """Return the engine of a role; it need not be loaded."""
        return self._by_role[role]

    async def complete(self, role: str, request: Request) -> Completion:
        """Answer a request, loading the role's model when its turn has come."""
        engine = self._by_role[role]
        if not engine.takes_memory:
            return await engine.complete(request)
        await self._enter(engine)
        try:
            return await engine.complete(request)
        finally:
            self._leave(engine)

    async def release(self) -> None:
        """Unload whatever is loaded; the next request loads again."""
        async with self._changed:
            loaded, self._loaded = self._loaded, None
            for engine in {id(one): one for one in self._by_role.values()}.values():
                if engine is loaded or not engine.takes_memory:
                    await engine.close()

    async def _enter(self, engine: Engine) -> None:
        if self._loaded is engine and not self._swapping:
            self._going[id(engine)] += 1
            return
        self._waiting[id(engine)] += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self._may_use(engine))
                if self._loaded is not engine:
                    await self._swap(engine)
                self._going[id(engine)] += 1
        finally:
            self._waiting[id(engine)] -= 1

    async def _swap(self, engine: Engine) -> None:
        """Unload what is loaded and load an engine; nobody enters meanwhile."""
        before, self._loaded, self._swapping = self._loaded, None, True
        try:
            if before:
                await before.close()
            await engine.start()
            self._loaded = engine
        finally:
            self._swapping = False
            self._changed.notify_all()

    def _leave(self, engine: Engine) -> None:
        self._going[id(engine)] -= 1
        if not self._going[id(engine)]:
            waking = asyncio.ensure_future(self._wake(engine))
            self._wakings.add(waking)
            waking.add_done_callback(self._wakings.discard)

    async def _wake(self, engine: Engine) -> None:
        """Let others have their turn, unless the answered items ask again at once."""
        if self._others_wait(engine):
            await asyncio.sleep(_GRACE)
        async with self._changed:
            self._changed.notify_all()

    def _may_use(self, engine: Engine) -> bool:
        loaded = self._loaded
        return loaded is None or loaded is engine or not self._going[id(loaded)]

    def _others_wait(self, engine: Engine) -> bool:
        return any(count for key, count in self._waiting.items() if key != id(engine))
