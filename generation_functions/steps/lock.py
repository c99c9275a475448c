"""The lock of a run folder: held while a stage runs, and gone with its process."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from filelock import FileLock, Timeout

from generation_functions.errors import RunFolderError

LOCK, HOLDER = ".lock", ".holder.json"


@contextmanager
def hold_run(folder: Path, stage: str) -> Iterator[None]:
    """Hold the run folder for a stage.

    Raises RunFolderError, which names the holder, when another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder / HOLDER
    lock = FileLock(folder / LOCK, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunFolderError(
            f"{folder}: in use by {_describe(holder)}. Wait for it, or stop it, and run again."
        ) from error
    try:
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        who = {"stage": stage, "pid": os.getpid(), "host": socket.gethostname(), "since": started}
        holder.write_text(json.dumps(who), encoding="utf-8")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _describe(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return "another process"
    return f"stage {who['stage']}, process {who['pid']} on {who['host']}, since {who['since']}"
