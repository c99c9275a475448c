"""Reading files of all formats in a process of their own, which may crash or be stopped."""

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path

from generation_functions.documents.formats.extract import Extract

SECONDS = 30.0  # without a sign that a file gets on; a page is such a sign
_ROOT = Path(__file__).resolve().parents[3]
_MODULE = "generation_functions.documents.formats.child"


class Reader:
    """Reads .pdf, .docx, .epub and .html files; the process starts with the first of them."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._thread: threading.Thread | None = None

    def read(self, file: Path) -> Extract:
        """Return what is in `file`. Raises ValueError, whose message says what to do."""
        if self._process and self._process.poll() is not None:
            self.close()
        process = self._process or self._start()
        assert process.stdin
        process.stdin.write(json.dumps(str(file.resolve())) + "\n")
        process.stdin.flush()
        while True:
            try:
                line = self._answers.get(timeout=self._seconds)
            except queue.Empty:
                self.close()
                raise ValueError(
                    f"reading it got nowhere for {self._seconds:g} seconds; save it anew, or "
                    "remove it"
                ) from None
            if not line:
                status = process.wait()
                self.close()
                raise ValueError(f"reading it ended the reader (exit {status}); save it anew")
            answer = json.loads(line)
            if answer is None:
                continue
            if "error" in answer:
                raise ValueError(answer["error"])
            found = answer["extract"]
            return Extract(
                **{**found, "pages": tuple(found["pages"]), "warnings": tuple(found["warnings"])}
            )

    def _start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            cwd=_ROOT,
            start_new_session=True,  # an interrupt stops the parent, which then ends it
        )
        answers: queue.Queue[str] = queue.Queue()

        def collect() -> None:
            assert process.stdout
            for line in process.stdout:
                answers.put(line)
            answers.put("")

        self._thread = threading.Thread(target=collect, daemon=True)
        self._thread.start()
        self._process, self._answers = process, answers
        return process

    def close(self) -> None:
        """End the process; the next file starts another."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        assert self._thread
        self._thread.join()
        self._process.stdout.close()
        self._process = None
