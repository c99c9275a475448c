"""The folder of a run: its texts, and what earlier stages kept in it."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeVar

from generation_functions.errors import RunFolderError
from generation_functions.steps.files import Writer
from generation_functions.steps.step import Item
from generation_functions.steps.survivors import (
    StoredSurvivors,
    find_live,
    is_there,
    read_live,
    read_survivors,
)

I = TypeVar("I", bound=Item)


class RunFolder:
    """What can be read and written without a stage that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer = Writer()

    def write_text(self, name: str, text: str) -> None:
        """Write a text file of the run folder; `name` is relative to it."""
        self._writer.write(self.folder / name, text)

    def set_aside(self, folder: str, kept: Collection[str]) -> None:
        """Move the files of a folder that are not named in `kept` to its stale/."""
        stale = self.folder / folder / "stale"
        for path in sorted((self.folder / folder).glob("[!.]*.*")):
            if path.name not in kept:
                stale.mkdir(exist_ok=True)
                path.replace(stale / path.name)

    def open_text(self, name: str) -> AbstractContextManager[Callable[[str], None]]:
        """Lend a function that writes a text file of the run folder piece by piece."""
        return self._writer.open(self.folder / name)

    def survivors(self, folder: str, kind: type[I]) -> list[I]:
        """Return what an earlier stage kept and no person deleted, in order.

        Raises RunFolderError when that stage has not been finished.
        """
        return read_survivors(self.folder / folder, self.require(folder), kind)

    def stored(self, folder: str, kind: type[I]) -> StoredSurvivors[I]:
        """Return the same as `survivors`, of which each is read when it is asked for."""
        place = self.folder / folder
        uuids = [uuid for uuid in self.require(folder) if is_there(place, uuid)]
        return StoredSurvivors(place, uuids, kind)

    def has(self, folder: str) -> bool:
        """Whether the stage that fills a folder has ended."""
        return find_live(self.folder, folder).exists()

    def require(self, folder: str) -> list[str]:
        """Return the uuids that an earlier stage kept; RunFolderError before it has ended."""
        live = read_live(self.folder, folder)
        if live is None:
            raise RunFolderError(
                f"{self.folder / folder}: not there yet. Run the stage before this one first."
            )
        return live
