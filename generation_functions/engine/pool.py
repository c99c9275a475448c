"""The engines of a run: by model role, and for vectors. One model is in memory at a time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext

from generation_functions.engine.protocol import (
    Completion,
    Embedded,
    Embedder,
    Engine,
    Loadable,
    Request,
)
from generation_functions.errors import EngineError

Measure = Callable[[], AbstractContextManager[None]]
_GRACE = 0.05  # seconds in which answered items may ask the loaded model again


class Engines:
    """Sends requests to the model of their role and swaps models when nothing else can run.

    Roles that share an engine object share its loaded model. Models behind servers need no turn.
    """

    def __init__(self, by_role: Mapping[str, Engine], embedder: Embedder | None = None) -> None:
        self._by_role = dict(by_role)
        self._embedder = embedder
        self._loaded: Loadable | None = None
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

    @property
    def embedder(self) -> Embedder:
        """What makes vectors; it need not be loaded. EngineError where there is none."""
        if self._embedder is None:
            raise EngineError("there is no model for vectors: set `models.embedding.gguf`.")
        return self._embedder

    async def complete(
        self, role: str, request: Request, measure: Measure = nullcontext
    ) -> Completion:
        """Answer a request, loading the role's model when its turn has come.

        Within `measure()` the model is loaded and replies; it is not while it waits for its turn.
        """
        engine = self._by_role[role]
        async with self._turn(engine, measure):
            with measure():
                return await engine.complete(request)

    async def embed(self, texts: Sequence[str]) -> Embedded:
        """Return the vectors of texts, loading the model for them when its turn has come."""
        async with self._turn(self.embedder):
            return await self.embedder.embed(texts)

    async def release(self) -> None:
        """Unload whatever is loaded; the next request loads again."""
        async with self._changed:
            loaded, self._loaded = self._loaded, None
            for engine in self._list_all():
                if engine is loaded or not engine.takes_memory:
                    await engine.close()

    def _list_all(self) -> list[Loadable]:
        everything: list[Loadable] = [*self._by_role.values()]
        everything += [self._embedder] if self._embedder else []
        return list({id(one): one for one in everything}.values())

    @asynccontextmanager
    async def _turn(self, engine: Loadable, measure: Measure = nullcontext) -> AsyncIterator[None]:
        """Let an engine work, loaded if it has to be."""
        if not engine.takes_memory:
            yield
            return
        await self._enter(engine, measure)
        try:
            yield
        finally:
            self._leave(engine)

    async def _enter(self, engine: Loadable, measure: Measure) -> None:
        if self._loaded is engine and not self._swapping:
            self._going[id(engine)] += 1
            return
        self._waiting[id(engine)] += 1
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self._may_use(engine))
                if self._loaded is not engine:
                    with measure():
                        await self._swap(engine)
                self._going[id(engine)] += 1
        finally:
            self._waiting[id(engine)] -= 1

    async def _swap(self, engine: Loadable) -> None:
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

    def _leave(self, engine: Loadable) -> None:
        self._going[id(engine)] -= 1
        if not self._going[id(engine)]:
            waking = asyncio.ensure_future(self._wake(engine))
            self._wakings.add(waking)
            waking.add_done_callback(self._wakings.discard)

    async def _wake(self, engine: Loadable) -> None:
        """Let others have their turn, unless the answered items ask again at once."""
        if self._others_wait(engine):
            await asyncio.sleep(_GRACE)
        async with self._changed:
            self._changed.notify_all()

    def _may_use(self, engine: Loadable) -> bool:
        loaded = self._loaded
        return loaded is None or loaded is engine or not self._going[id(loaded)]

    def _others_wait(self, engine: Loadable) -> bool:
        return any(count for key, count in self._waiting.items() if key != id(engine))
