"""A scripted engine that tells when it is loaded and when its memory is given back."""

from typing import Any

from generation_functions.engine.scripted import ScriptedEngine


class LoudEngine(ScriptedEngine):
    """Appends "load <fingerprint>" and "free <fingerprint>" to `events`."""

    def __init__(self, events: list[str], *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._events = events

    async def start(self) -> None:
        self._events.append(f"load {self.fingerprint}")

    async def close(self) -> None:
        self._events.append(f"free {self.fingerprint}")
