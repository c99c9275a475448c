"""The default engine: a GGUF in a child process on this machine."""

import asyncio
import base64
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from generation_functions import errors
from generation_functions.engine.fitting import check_settings, fit_settings
from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.jobs import make_job
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.model_facts import ModelFacts, describe_model
from generation_functions.engine.process import ChildProcess
from generation_functions.engine.protocol import Completion, Embedded, Load, Request

_log = logging.getLogger(__name__)
_Answer = asyncio.Future[dict[str, Any]]


class LocalEngine:
    """Answers requests with a GGUF, in a process of its own that can be ended at any time.

    With settings for `embeddings` it makes vectors, and completes nothing. When that process dies
    or gives no sign of life, the requests in flight are asked again in a new one, each of them at
    most `restarts` times.
    """

    def __init__(
        self,
        model: ModelFile,
        settings: LoadSettings,
        request_seconds: float = 600.0,
        restarts: int = 3,
    ) -> None:
        """Settings that do not go with the model are a ModelError."""
        check_settings(model, settings)
        self.model = model
        self._settings = settings
        self._seconds = request_seconds
        self._restarts = restarts
        self._child: ChildProcess | None = None
        self._watch: asyncio.Task[None] | None = None
        self._answers: dict[int, _Answer] = {}
        self._numbers = itertools.count()
        self._starting = asyncio.Lock()

    @property
    def fingerprint(self) -> str:
        return self.model.fingerprint

    @property
    def facts(self) -> ModelFacts:
        return describe_model(self.model)

    @property
    def context(self) -> int:
        return self._settings.context

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while no model is loaded."""
        return self._child.pid if self._child else None

    @property
    def takes_memory(self) -> bool:
        return True

    async def start(self) -> None:
        async with self._starting:
            if self._child:
                return
            loop = asyncio.get_running_loop()
            settings = await asyncio.to_thread(fit_settings, self.model, self._settings)
            loading = asyncio.ensure_future(asyncio.to_thread(start_child, settings))
            try:
                child = await asyncio.shield(loading)
            except asyncio.CancelledError:
                loading.add_done_callback(_close_unwanted)
                raise
            name = self.model.path.name
            _log.info("loaded %s: %d slots of %d", name, settings.slots, settings.context)
            threading.Thread(target=self._listen, args=(child, loop), daemon=True).start()
            self._watch = asyncio.ensure_future(self._watch_over(child))
            self._child = child

    async def complete(self, request: Request) -> Completion:
        job = make_job(self.model, request, self._seconds)
        reply = await self._ask_until_answered({"op": "ask", "job": job})
        return Completion(**reply["completion"])

    async def embed(self, texts: Sequence[str]) -> Embedded:
        reply = await self._ask_until_answered({"op": "embed", "texts": list(texts)})
        numbers = np.frombuffer(base64.b64decode(reply["vectors"]), "<f4")
        return Embedded(numbers.reshape(len(texts), -1), reply["cut"])

    async def load(self) -> Load:
        """Return what the child has done since it was started."""
        await self.start()
        return Load(**(await self._ask({"op": "load"}))["load"])

    async def close(self) -> None:
        async with self._starting:
            child, self._child = self._child, None
            if child:
                self._stop_watching()
                self._fail_all(errors.EngineError("the engine was closed before it had answered"))
                await asyncio.to_thread(child.close)

    async def _ask_until_answered(self, message: dict[str, Any]) -> dict[str, Any]:
        """Ask again in a new process, `restarts` times, when it dies meanwhile."""
        crashes = 0
        while True:
            await self.start()
            try:
                return await self._ask(message)
            except errors.EngineCrash as error:
                crashes += 1
                if crashes > self._restarts:
                    raise errors.EngineCrash(
                        f"{self.model.path.name}: a request was asked {crashes} times, and each "
                        f"time the engine's process died. {error}"
                    ) from error
                _log.warning("asking again in a new process: %s", error)

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message and wait for the reply to it."""
        child, number = self._child, next(self._numbers)
        if not child:
            raise errors.EngineCrash("the engine's process ended before it was asked")
        answer: _Answer = asyncio.get_running_loop().create_future()
        if not self._answers:
            child.last_sign = time.monotonic()
        self._answers[number] = answer
        try:
            await self._send(child, {**message, "id": number})
            reply = await answer
        except asyncio.CancelledError:
            if self._child is child:
                with contextlib.suppress(errors.EngineCrash):
                    child.send({"op": "cancel", "id": number})
            raise
        finally:
            self._answers.pop(number, None)
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, also where the send failed first
        if "error" in reply:
            raise _known_error(reply["error"])
        return reply

    async def _send(self, child: ChildProcess, message: dict[str, Any]) -> None:
        """Send to the child; one that turns out to be dead is buried before the error."""
        try:
            child.send(message)
        except errors.EngineCrash:
            why = await asyncio.to_thread(child.explain_death)
            self._bury(child, why)
            raise

    def _listen(self, child: ChildProcess, loop: asyncio.AbstractEventLoop) -> None:
        while (reply := child.receive()) is not None:
            child.last_sign = time.monotonic()
            if "id" in reply:
                with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                    loop.call_soon_threadsafe(self._deliver, reply)
        child.close_pipes()
        if self._child is child:
            why = child.explain_death()
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(self._bury, child, why)

    async def _watch_over(self, child: ChildProcess) -> None:
        """End a child that has work and gives no sign of life; it is then found dead."""
        while True:
            await asyncio.sleep(min(self._seconds / 4, 5.0))
            silent = time.monotonic() - child.last_sign
            if self._answers and silent > self._seconds:
                child.kill(f"it gave no sign of life for {silent:.0f} seconds")

    def _stop_watching(self) -> None:
        if self._watch:
            self._watch.cancel()
            self._watch = None

    def _deliver(self, reply: dict[str, Any]) -> None:
        answer = self._answers.get(reply["id"])
        if answer and not answer.done():
            answer.set_result(reply)

    def _bury(self, child: ChildProcess, why: str) -> None:
        if self._child is child:
            self._child = None
            self._stop_watching()
            self._fail_all(errors.EngineCrash(why))
            child.kill(why)
            child.close()

    def _fail_all(self, error: errors.EngineError) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(error)


def start_child(settings: LoadSettings) -> ChildProcess:
    """Start a child and wait until its model is loaded and tried out.

    A child that is killed by a signal in its trial decode is started again without
    llama.cpp's repacked weights (extra buffer types), which is slower and survives
    the AMX crash (ggml-org/llama.cpp#20824). Raises ModelError or EngineCrash.
    """
    child = ChildProcess(settings)
    on_trial = False
    while (event := child.receive()) is not None:
        if event["event"] == "ready":
            return child
        if event["event"] == "refused":
            child.close()
            child.close_pipes()
            raise _known_error(event)
        on_trial = event["event"] == "trial"
    why = child.explain_death()
    crashed = on_trial and settings.extra_bufts and child.died_by_signal()
    child.close()
    child.close_pipes()
    if not crashed:
        raise errors.EngineCrash(why)
    _log.warning(
        "llama.cpp crashed in a trial decode; loading again without repacked weights "
        "(prompt evaluation on the CPU will be slower). %s",
        why,
    )
    return start_child(replace(settings, extra_bufts=False))


def _close_unwanted(loading: "asyncio.Future[ChildProcess]") -> None:
    """Close the child of a start that was given up while it was loading."""
    if not loading.cancelled() and not loading.exception():
        loading.result().close()


def _known_error(error: dict[str, Any]) -> errors.PalimpsestError:
    kind: type[errors.PalimpsestError] = getattr(errors, error["kind"], errors.EngineError)
    return kind(error["message"])
