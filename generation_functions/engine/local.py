"""The default engine: a GGUF in a child process on this machine."""

import asyncio
import logging
import threading
from dataclasses import asdict, dataclass, replace
from typing import Any

from generation_functions import errors
from generation_functions.engine.chat import render_chat, render_text
from generation_functions.engine.fitting import check_settings, fit_settings
from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.process import ChildProcess
from generation_functions.engine.protocol import Completion, Request

_log = logging.getLogger(__name__)
_Answer = asyncio.Future[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Rendered:
    prompt: str
    shared: int


class LocalEngine:
    """Answers requests with a GGUF, in a process of its own that can be ended at any time."""

    def __init__(self, model: ModelFile, settings: LoadSettings) -> None:
        """Settings that do not go with the model are a ModelError."""
        check_settings(model, settings)
        self.model = model
        self._settings = settings
        self._child: ChildProcess | None = None
        self._answers: dict[int, _Answer] = {}
        self._next = 0
        self._starting = asyncio.Lock()

    @property
    def fingerprint(self) -> str:
        return self.model.fingerprint

    @property
    def context(self) -> int:
        return self._settings.context

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while no model is loaded."""
        return self._child.pid if self._child else None

    async def start(self) -> None:
        async with self._starting:
            if self._child:
                return
            loop = asyncio.get_running_loop()
            settings = await asyncio.to_thread(fit_settings, self.model, self._settings)
            self._child = await asyncio.to_thread(start_child, settings)
            name = self.model.path.name
            _log.info("loaded %s: %d slots of %d", name, settings.slots, settings.context)
            threading.Thread(target=self._listen, args=(self._child, loop), daemon=True).start()

    async def complete(self, request: Request) -> Completion:
        rendered = self._render(request)
        await self.start()
        child = self._child
        if not child:
            raise errors.EngineCrash("the engine was closed while a request was on its way")
        self._next += 1
        number = self._next
        answer: _Answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        job = {
            "id": number,
            "prompt": rendered.prompt,
            "shared": rendered.shared,
            "grammar": request.grammar,
            "sampling": asdict(request.sampling),
            "seed": request.seed,
            "max_tokens": request.max_tokens,
            "stop": request.stop,
        }
        child.send({"op": "ask", "job": job})
        try:
            reply = await answer
        except asyncio.CancelledError:
            if self._child is child:
                child.send({"op": "cancel", "id": number})
            raise
        finally:
            self._answers.pop(number, None)
        if "error" in reply:
            raise _known_error(reply["error"])
        return Completion(**reply["completion"])

    async def close(self) -> None:
        child, self._child = self._child, None
        if child:
            await asyncio.to_thread(child.close)
            self._fail_all("the engine was closed")

    def _render(self, request: Request) -> _Rendered:
        head = request.messages[: request.shared]
        if request.completion_mode:
            prompt, prefix = render_text(request.messages), render_text(head) if head else ""
        else:
            prompt = render_chat(self.model, request.messages)
            prefix = render_chat(self.model, head, open_reply=False) if head else ""
        return _Rendered(prompt, len(prefix) if prompt.startswith(prefix) else 0)

    def _listen(self, child: ChildProcess, loop: asyncio.AbstractEventLoop) -> None:
        while (reply := child.receive()) is not None:
            loop.call_soon_threadsafe(self._deliver, reply)
        child.close_pipes()
        if self._child is child and not loop.is_closed():
            loop.call_soon_threadsafe(self._bury, child)

    def _deliver(self, reply: dict[str, Any]) -> None:
        answer = self._answers.get(reply["id"])
        if answer and not answer.done():
            answer.set_result(reply)

    def _bury(self, child: ChildProcess) -> None:
        if self._child is child:
            self._child = None
            self._fail_all(child.explain_death())
            child.close()

    def _fail_all(self, why: str) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(errors.EngineCrash(why))


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


def _known_error(error: dict[str, Any]) -> errors.PalimpsestError:
    kind: type[errors.PalimpsestError] = getattr(errors, error["kind"], errors.EngineError)
    return kind(error["message"])
