"""Reading files of all formats in a process of their own, which may crash or be stopped."""

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from generation_functions.documents.formats.extract import Extract
from generation_functions.documents.formats.scanned import Ocr, ReadPage, ScannedPage
from generation_functions.records import from_json, to_json

SECONDS = 30.0  # without a sign that a file gets on; a page is such a sign
_ROOT = Path(__file__).resolve().parents[3]
_MODULE = "generation_functions.documents.formats.child"


class Reader:
    """Reads .pdf, .docx, .epub and .html files; the process starts with the first of them."""

    def __init__(self, seconds: float = SECONDS, ocr: Ocr | None = None) -> None:
        """With `ocr`, it reads pages of PDFs that have no text, or remembers them."""
        self._seconds = seconds
        self._arguments = [ocr.languages] if ocr else []
        self._memory = ocr.memory if ocr else None
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.Queue[str] = queue.Queue()
        self._thread: threading.Thread | None = None

    def read(self, file: Path) -> Extract:
        """Return what is in `file`. Raises ValueError, whose message says what to do."""
        if self._process and self._process.poll() is not None:
            self.close()
        process = self._process or self._start()
        _send(process, str(file.resolve()))
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
            if "find" in answer:
                _send(process, self._find(answer["find"]))
                continue
            if "store" in answer:
                self._store(answer["store"])
                continue
            if "error" in answer:
                raise ValueError(answer["error"])
            found = answer["extract"]
            return Extract(
                **{**found, "pages": tuple(found["pages"]), "warnings": tuple(found["warnings"])}
            )

    def _find(self, page: Any) -> Any:
        """Return as JSON what is remembered of a page."""
        return to_json(self._memory and self._memory.find(from_json(ScannedPage, page)))

    def _store(self, read: Any) -> None:
        if self._memory:
            self._memory.store(from_json(ReadPage, read))

    def _start(self) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", _MODULE, *self._arguments],
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


def _send(process: "subprocess.Popen[str]", value: Any) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(value) + "\n")
    process.stdin.flush()
