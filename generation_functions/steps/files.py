"""Files of a run folder: written whole or not at all, and read back with clear errors."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from generation_functions.errors import RunFolderError

_GROUP = 64  # files that are synced to the disk together


def dump(value: Any) -> str:
    """Return JSON text, indented, the same for the same value."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=False) + "\n"


def read_json(path: Path) -> Any | None:
    """Return a file's JSON value, None where there is no file (or an empty one).

    Raises RunFolderError for a damaged file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise RunFolderError(f"{path}: not UTF-8 text. Delete it to have it made again.") from error
    if not text:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise RunFolderError(
            f"{path}: not valid JSON ({error}). Mend it, or delete it to have it made again."
        ) from error


class Writer:
    """Writes files by rename, and syncs them to the disk in groups."""

    def __init__(self) -> None:
        self._unsynced: list[Path] = []

    def write(self, path: Path, text: str) -> None:
        """Replace a file's content; a crash leaves the old content or the new.

        Raises RunFolderError when the disk is full or the folder cannot be written.
        """
        part = _part_of(path)
        with explained(path, part):
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(text, encoding="utf-8")
            os.replace(part, path)
        self._note(path)

    @contextmanager
    def open(self, path: Path) -> Iterator[Callable[[str], None]]:
        """Lend a function that writes pieces of a file, which replaces the old one at the end.

        Raises RunFolderError as `write` does; after any error the old content stays.
        """
        part = _part_of(path)
        with explained(path, part):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = part.open("w", buffering=1, encoding="utf-8")  # a full disk is seen at its line

        def write(text: str) -> None:
            with explained(path, part):
                file.write(text)

        try:
            with file:
                yield write
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        with explained(path, part):
            os.replace(part, path)
        self._note(path)

    def append(self, path: Path, line: str) -> None:
        """Append a line; what a crash cut off is passed over when it is read."""
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    def sync(self) -> None:
        """Make sure that what was written survives a power cut."""
        for path in self._unsynced:
            if path.exists():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        self._unsynced.clear()

    def _note(self, path: Path) -> None:
        self._unsynced.append(path)
        if len(self._unsynced) >= _GROUP:
            self.sync()


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


@contextmanager
def explained(path: Path, part: Path | None = None) -> Iterator[None]:
    """Turn an OSError into a RunFolderError that says what to do; take `part` away for it."""
    try:
        yield
    except OSError as error:
        if part:
            part.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunFolderError(
                f"{path}: no space left on the device. Free some and run again: what was made "
                "so far is kept and not asked again."
            ) from error
        raise RunFolderError(f"{path}: cannot be written: {error.strerror}.") from error
