"""The parent's side of the engine's process: start it, talk to it, see it die."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generation_functions import errors
from generation_functions.engine.devices import child_environment
from generation_functions.engine.load_settings import LoadSettings

_PACKAGE_PARENT = Path(__file__).resolve().parents[2]
_END_SECONDS = 5.0
_SPINS = "30000"  # some tens of microseconds; the default is a hundred times that


class ChildProcess:
    """One child with its two pipes and its log file.

    Its threads spin only shortly at llama.cpp's barriers: when anything else runs on the
    same cores, threads that spin for long make it two to ten times slower.
    """

    def __init__(self, settings: LoadSettings) -> None:
        self.log = tempfile.NamedTemporaryFile(  # noqa: SIM115 - lives as long as the child
            prefix="palimpsest-engine-", suffix=".log"
        )
        requests_read, requests_write = os.pipe()
        replies_read, replies_write = os.pipe()
        self._requests = os.fdopen(requests_write, "w", encoding="utf-8")
        self._replies = os.fdopen(replies_read, encoding="utf-8")
        path = os.pathsep.join(filter(None, [str(_PACKAGE_PARENT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "generation_functions.engine.child",
                str(requests_read),
                str(replies_write),
            ],
            pass_fds=(requests_read, replies_write),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={
                "GOMP_SPINCOUNT": _SPINS,
                **os.environ,
                **child_environment(settings, os.environ),
                "PYTHONPATH": path,
            },
        )
        os.close(requests_read)
        os.close(replies_write)
        self.last_sign = time.monotonic()
        self._killed_because = ""
        self._burial = threading.Lock()
        self._death = ""
        self.send(asdict(settings))

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def send(self, value: dict[str, Any]) -> None:
        """Write one line to the child. Raises EngineCrash when it is gone."""
        try:
            self._requests.write(json.dumps(value) + "\n")
            self._requests.flush()
        except (BrokenPipeError, ValueError) as error:
            raise errors.EngineCrash(self.explain_death()) from error

    def receive(self) -> dict[str, Any] | None:
        """Wait for one line from the child; None when it has ended."""
        line = self._replies.readline()
        return json.loads(line) if line.endswith("\n") else None

    def explain_death(self) -> str:
        """Wait for the child's end; say how it ended, with the last lines that it printed."""
        with self._burial:
            if not self._death:
                self._death = self._find_death()
            return self._death

    def _find_death(self) -> str:
        try:
            code = self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return "the engine's process closed its pipe but is still there"
        if self._killed_because:
            return f"the engine's process was ended: {self._killed_because}"
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        tail = Path(self.log.name).read_text(encoding="utf-8", errors="replace").strip()
        said = "\n".join(tail.splitlines()[-8:]) or "(nothing)"
        hint = " Perhaps too little memory: lower `slots` or `context`." if code == -9 else ""
        return f"the engine's process ended ({how}).{hint} Its last words:\n{said}"

    def kill(self, because: str) -> None:
        """End the child at once, whatever it is doing."""
        self._killed_because = because
        self._process.kill()

    def died_by_signal(self) -> bool:
        """Whether the child was ended by a signal such as SIGSEGV or SIGILL."""
        return (self._process.poll() or 0) < 0

    def close(self) -> None:
        """End the child: it leaves when its pipe closes; after five seconds it is killed."""
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.log.close()

    def close_pipes(self) -> None:
        """Close the reply pipe; only after its reader has seen the end."""
        self._replies.close()
