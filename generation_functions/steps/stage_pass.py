"""One pass of a stage: what it counts, which survivors are live, what status.json says."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from generation_functions.errors import TooFewKept
from generation_functions.steps.course import calls_so_far, first_above
from generation_functions.steps.files import Writer, dump, read_json
from generation_functions.steps.funnel import StepCount
from generation_functions.steps.record import Outcome, Record
from generation_functions.steps.survivors import Survivors, find_live

_log = logging.getLogger(__name__)
STATUS = "status.json"
ASKED = "live/.asked_{}.json"  # by a stage's last pass: of each step the items, each with its root
LED = "live/.led_{}.jsonl"  # by its last pass: a line for each item that it kept, as they ended
FIRST_ITEMS = 100  # that a stage takes before it may end for keeping too few


@dataclass(slots=True)
class Pass:
    """The counts of one pass, by pipeline and by step, and the folders that it fills.

    `looked` are folders that other stages fill; `apart` are the steps' counts of items that
    are not the run's own; `findings` are what a stage says about itself, by name; `stopped` is
    why it was ended early; `led` is a file for this pass alone, a line for each item that was kept;
    `roots` are the items that those asked about began with.
    """

    stage: str
    limit: int | None
    folder: Path
    writer: Writer
    led: IO[str]
    steps: dict[str, StepCount] = field(default_factory=lambda: defaultdict(StepCount))
    pipelines: dict[str, StepCount] = field(default_factory=lambda: defaultdict(StepCount))
    survivors: dict[str, Survivors] = field(default_factory=dict)
    looked: dict[str, Survivors] = field(default_factory=dict)
    apart: dict[str, StepCount] = field(default_factory=lambda: defaultdict(StepCount))
    findings: dict[str, Any] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    stopped: str = ""
    complete: bool = False

    def open(self, folder: str) -> Survivors:
        """Return a folder of survivors of this pass."""
        if folder not in self.survivors:
            self.survivors[folder] = Survivors(self.folder / folder, self.writer)
        return self.survivors[folder]

    def look(self, folder: str) -> Survivors:
        """Return a folder that another stage fills, as it was when this pass first looked."""
        if folder not in self.looked:
            self.looked[folder] = Survivors(self.folder / folder, self.writer)
        return self.looked[folder]

    def count_of(self, record: Record) -> StepCount:
        """Return the count that a record's step and item belong to."""
        return self.apart[record.counted] if record.counted else self.steps[record.step]

    def note_asked(self, record: Record, outcome: Outcome) -> None:
        """Count what became of an item, and note which item it began with."""
        self.count_of(record).note(record.uuid, outcome)
        self.roots[record.uuid] = first_above(record.uuid)

    def note_kept(self, uuid: str) -> None:
        """Note the calls that led to what was kept just now."""
        if calls := calls_so_far():
            self.led.write(json.dumps({"kept": uuid, "calls": sorted(calls)}) + "\n")

    def require(self, least: float, label: str, kept: int) -> None:
        """Raise TooFewKept once a hundred items of `label` gave less than the share `least`."""
        through = len(self.pipelines[label].outcomes)
        if through >= FIRST_ITEMS and kept < least * through:
            self.stopped = (
                f"of the first {through} {label} only {kept} gave anything; `abort_below` wants "
                f"{least:.1%}. {self.name_reasons()} What was made stays. Read some records, "
                "change the prompt, the model or `abort_below`, and run the stage again."
            )
            _log.warning("stage %s is ended: %s", self.stage, self.stopped)
            raise TooFewKept(f"{self.folder}: stage {self.stage}: {self.stopped}")

    def name_reasons(self) -> str:
        """Return the commonest reasons of each pipeline, as sentences."""
        said = []
        for name, count in self.pipelines.items():
            reasons = Counter(why for result, why in count.outcomes.values() if result != "kept")
            commonest = ", ".join(f"{items} {why}" for why, items in reasons.most_common(3))
            if commonest:
                said.append(f"Dropped of {len(count.outcomes)} {name}: {commonest}.")
        return " ".join(said)

    def finish(self) -> None:
        """Write the live lists; an unlimited pass moves what it did not keep to stale/.

        Of each step the list has what was asked about, whatever came of it.
        """
        for name, survivors in self.survivors.items():
            if self.limit is None:
                survivors.sweep()
            self.writer.write(find_live(self.folder, name), dump(survivors.live))
        asked = {
            name: {uuid: self.roots[uuid] for uuid in sorted(count.outcomes)}
            for name, count in self.steps.items()
        }
        self.writer.write(self.folder / ASKED.format(self.stage), dump(asked))
        self._write_led()
        self.complete = True

    def _write_led(self) -> None:
        path = self.folder / LED.format(self.stage)
        if self.led.tell() or path.exists():
            self.led.seek(0)
            with self.writer.open(path) as write:
                for line in self.led:
                    write(line)

    def write_status(self) -> None:
        """Replace this stage's part of status.json."""
        self.writer.write(self.folder / STATUS, dump(self.status()))

    def status(self) -> dict[str, Any]:
        """Return what status.json is to say: of this stage as it stands now."""
        status: dict[str, Any] = read_json(self.folder / STATUS) or {}
        status[self.stage] = {
            "complete": self.complete,
            "limit": self.limit,
            "stopped": self.stopped,
            "pipelines": {name: one.as_json() for name, one in self.pipelines.items()},
            "steps": {name: one.as_json() for name, one in self.steps.items()},
            "apart": {name: one.as_json() for name, one in self.apart.items()},
            "survivors": {
                name: {"kept": len(one.live), **one.counts} for name, one in self.survivors.items()
            },
            "findings": self.findings,
        }
        return status


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
