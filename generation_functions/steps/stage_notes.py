"""What pipelines do to the stage that runs: keep survivors, look at others', count and report."""

from pathlib import Path
from typing import Any, TypeVar

from generation_functions.errors import RunFolderError
from generation_functions.steps.record import Outcome
from generation_functions.steps.run_folder import RunFolder
from generation_functions.steps.stage_pass import Pass
from generation_functions.steps.step import Item

I = TypeVar("I", bound=Item)


class StageNotes(RunFolder):
    """A run folder in which a stage may be going on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._pass: Pass | None = None

    def keep(self, folder: str, item: I) -> I:
        """Write a survivor to a folder that people watch; return it as it stands there.

        Raises Rejected("deleted by hand") for one that a person took out.
        """
        kept = self._current.open(folder).keep(item)
        self._current.note_kept(item.uuid)
        return kept

    def look(self, folder: str, item: I) -> I:
        """Return what an earlier stage kept as it stands there now, with a person's edits.

        Raises Rejected("deleted by hand") for what a person took out.
        """
        return self._current.look(folder).look(item)

    def discard(self, folder: str, item: Item) -> None:
        """Take back what `keep` wrote in this pass: the survivor is set aside in stale/."""
        self._current.open(folder).discard(item)

    def kept(self, folder: str) -> list[str]:
        """Return the uuids of what this pass has kept in a folder so far."""
        return self._current.open(folder).live

    def deleted(self, folder: str, kind: type[I]) -> list[I]:
        """Return what this pass would have kept, had no person taken it out, by uuid."""
        found = self._current.open(folder).deleted
        ordered = (found[uuid] for uuid in sorted(found))
        return [item for item in ordered if isinstance(item, kind)]

    def count(self, label: str, uuid: str, rejected: str = "") -> None:
        """Count an item that code alone decided about."""
        outcome = Outcome("rejected", rejected) if rejected else Outcome("kept")
        self._current.pipelines[label].note(uuid, outcome)

    def report(self, name: str, finding: Any) -> None:
        """Put what a stage found out about itself (JSON values) into its status."""
        self._current.findings[name] = finding

    def tally(self, name: str, row: str, column: str) -> None:
        """Add one to a cell of a table that is part of the stage's status, named `name`."""
        cells = self._current.findings.setdefault(name, {}).setdefault(row, {})
        cells[column] = cells.get(column, 0) + 1

    def open_survivors(self, *folders: str) -> None:
        """Name the folders that this stage fills, also when it fills them with nothing."""
        for folder in folders:
            self._current.open(folder)

    @property
    def limit(self) -> int | None:
        """How many chunks the running stage may take."""
        return self._current.limit

    @property
    def _current(self) -> Pass:
        if self._pass is None:
            raise RunFolderError("no stage is running: use `async with run.stage(...)`.")
        return self._pass
