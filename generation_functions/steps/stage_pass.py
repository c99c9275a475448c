"""One pass of a stage: what it counts, which survivors are live, what status.json says."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from generation_functions.steps.files import Writer, dump, read_json
from generation_functions.steps.funnel import StepCount
from generation_functions.steps.survivors import Survivors


@dataclass(slots=True)
class Pass:
    """The counts of one pass, by pipeline and by step, and the folders that it fills."""

    stage: str
    limit: int | None
    folder: Path
    writer: Writer
    steps: dict[str, StepCount] = field(default_factory=lambda: defaultdict(StepCount))
    pipelines: dict[str, StepCount] = field(default_factory=lambda: defaultdict(StepCount))
    survivors: dict[str, Survivors] = field(default_factory=dict)
    complete: bool = False

    def open(self, folder: str) -> Survivors:
        """Return a folder of survivors of this pass."""
        if folder not in self.survivors:
            self.survivors[folder] = Survivors(self.folder / folder, self.writer)
        return self.survivors[folder]

    def finish(self) -> None:
        """Write the live lists; an unlimited pass moves what it did not keep to stale/."""
        for name, survivors in self.survivors.items():
            if self.limit is None:
                survivors.sweep()
            self.writer.write(self.folder / "live" / f"{name}.json", dump(survivors.live))
        self.complete = True

    def write_status(self) -> None:
        """Replace this stage's part of status.json."""
        path = self.folder / "status.json"
        status = read_json(path) or {}
        status[self.stage] = {
            "complete": self.complete,
            "limit": self.limit,
            "pipelines": {name: one.as_json() for name, one in self.pipelines.items()},
            "steps": {name: one.as_json() for name, one in self.steps.items()},
            "survivors": {
                name: {"kept": len(one.live), **one.counts} for name, one in self.survivors.items()
            },
        }
        self.writer.write(path, dump(status))


@contextmanager
def log_to(file: Path) -> Iterator[None]:
    """Append what the package logs to a file."""
    logger = logging.getLogger("generation_functions")
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()
