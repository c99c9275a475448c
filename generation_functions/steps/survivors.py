"""The folders that a person watches: the survivors of a stage, one small file each.

What a person does there counts. A survivor deleted by hand stays deleted, one edited by
hand stays edited, as long as the same content is derived for it; when a changed prompt
or model derives other content, the old file goes to stale/ and the new one is written.
An index of what was written (`.written.jsonl`) tells a deletion from a first time.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from generation_functions.errors import Rejected, RunFolderError
from generation_functions.records import from_json, to_json
from generation_functions.steps.files import Writer, dump, read_json
from generation_functions.steps.step import Item

T = TypeVar("T", bound=Item)
_PLACE = {"document", "start", "end"}  # a chunk's; a whole document is what is said


class Survivors:
    """One folder of survivors."""

    def __init__(self, folder: Path, writer: Writer) -> None:
        self.folder = folder
        self.counts: Counter[str] = Counter()
        self.deleted: dict[str, Item] = {}  # what was to be kept and a person took out
        self._writer = writer
        self._index = folder / ".written.jsonl"
        self._written = self._read_index()
        self._live: set[str] = set()

    @property
    def live(self) -> list[str]:
        """The uuids kept in this pass, sorted, so that two runs agree."""
        return sorted(self._live)

    def keep(self, item: T) -> T:
        """Write a survivor; return it as it stands on disk, with a person's edits.

        Raises Rejected("deleted by hand") for one that a person took out.
        """
        path = self.folder / f"{item.uuid}.json"
        stale = self.folder / "stale" / path.name
        derived = json.loads(json.dumps(to_json(item)))
        digest = _digest(derived)
        written, set_aside = self._written.get(item.uuid, (None, False))
        if written == digest and set_aside and stale.exists():
            os.replace(stale, path)
            self._note(item.uuid, digest, set_aside=False)
        found = read_json(path)
        if found is None and written == digest and not set_aside:
            self.counts["deleted by hand"] += 1
            self.deleted[item.uuid] = item
            raise Rejected("deleted by hand")
        self._live.add(item.uuid)
        if found is not None and _digest(found) == digest:
            if found != derived:
                self._writer.write(path, dump(derived))
            if self._written.get(item.uuid) != (digest, False):
                self._note(item.uuid, digest, set_aside=False)
            return item
        if found is not None and written == digest:
            self.counts["edited by hand"] += 1
            return _read(path, type(item), found)
        if found is not None:
            self._set_aside(path)
        self._writer.write(path, dump(derived))
        self._note(item.uuid, digest, set_aside=False)
        return item

    def look(self, item: T) -> T:
        """Return a survivor that another stage keeps, with a person's edits; write nothing.

        Raises Rejected("deleted by hand") for one that a person took out.
        """
        digest = _digest(json.loads(json.dumps(to_json(item))))
        if self._written.get(item.uuid) != (digest, False):
            return item
        path = self.folder / f"{item.uuid}.json"
        found = read_json(path)
        if found is None:
            raise Rejected("deleted by hand")
        return item if _digest(found) == digest else _read(path, type(item), found)

    def discard(self, item: Item) -> None:
        """Set aside a survivor that this pass kept and that turned out to be one too many."""
        self._live.discard(item.uuid)
        path = self.folder / f"{item.uuid}.json"
        written, _ = self._written.get(item.uuid, (None, False))
        if written and path.exists():
            self._note(item.uuid, written, set_aside=True)
            self._set_aside(path)

    def sweep(self) -> None:
        """Move what this pass did not keep to stale/."""
        for path in sorted(self.folder.glob("*.json")):
            if path.stem not in self._live:
                written, _ = self._written.get(path.stem, (None, False))
                if written:
                    self._note(path.stem, written, set_aside=True)
                self._set_aside(path)
                self.counts["moved to stale"] += 1

    def _set_aside(self, path: Path) -> None:
        """Move a file to stale/, which has been noted: one that is away without that was deleted
        by a person."""
        stale = path.parent / "stale"
        stale.mkdir(exist_ok=True)
        os.replace(path, stale / path.name)

    def _note(self, uuid: str, digest: str, set_aside: bool) -> None:
        self._written[uuid] = (digest, set_aside)
        line = {"uuid": uuid, "content": digest, "stale": set_aside}
        self._writer.append(self._index, json.dumps(line))

    def _read_index(self) -> dict[str, tuple[str | None, bool]]:
        written: dict[str, tuple[str | None, bool]] = {}
        if self._index.exists():
            for line in self._index.read_text(encoding="utf-8").splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:  # cut off by a crash; its file is noted again
                    continue
                written[entry["uuid"]] = (entry["content"], entry["stale"])
        return written


@dataclass(frozen=True, slots=True)
class StoredSurvivors(Generic[T]):
    """Survivors of a folder, by their uuids, each read when it is asked for; none is held."""

    folder: Path
    uuids: Sequence[str]
    kind: type[T]

    def __len__(self) -> int:
        return len(self.uuids)

    def __iter__(self) -> Iterator[T]:
        return map(self._read, self.uuids)

    def __getitem__(self, place: int, /) -> T:
        return self._read(self.uuids[place])

    def only(self, uuids: Sequence[str]) -> "StoredSurvivors[T]":
        """Return those with these uuids."""
        return replace(self, uuids=uuids)

    def _read(self, uuid: str) -> T:
        found = read_survivors(self.folder, [uuid], self.kind)
        if not found:
            raise RunFolderError(
                f"{self.folder / uuid}.json: went away while it was read. Run the stage again."
            )
        return found[0]


def is_there(folder: Path, uuid: str) -> bool:
    """Whether a survivor has a file that is not empty: no person has deleted it."""
    path = folder / f"{uuid}.json"
    return path.exists() and path.stat().st_size > 0


def find_live(run: Path, folder: str) -> Path:
    """Return the file of a run folder that lists what a stage's last pass kept in `folder`."""
    return run / "live" / f"{folder}.json"


def read_live(run: Path, folder: str) -> list[str] | None:
    """Return the uuids that a stage's last pass kept in `folder`; None before it has ended."""
    live: list[str] | None = read_json(find_live(run, folder))
    return live


def read_survivors(folder: Path, uuids: list[str], kind: type[T]) -> list[T]:
    """Read survivors in the order of `uuids`, without those that a person deleted."""
    found = ((folder / f"{uuid}.json", read_json(folder / f"{uuid}.json")) for uuid in uuids)
    return [_read(path, kind, value) for path, value in found if value is not None]


def _read(path: Path, kind: type[T], value: object) -> T:
    try:
        return from_json(kind, value)
    except ValidationError as error:
        raise RunFolderError(
            f"{path}: does not fit a {kind.__name__}: {error}. Mend the edit, or delete the file."
        ) from error


def _digest(value: object) -> str:
    """Return a hash of what a survivor says, wherever in its document it stands now."""
    text = json.dumps(_without_place(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _without_place(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: _without_place(one)
            for key, one in value.items()
            if key not in _PLACE or not isinstance(one, str | int)
        }
    return [_without_place(one) for one in value] if isinstance(value, list | tuple) else value
