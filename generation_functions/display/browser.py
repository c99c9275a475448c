"""A record browser: step, outcome, reason, next, previous.

Where no front end can show widgets (an executed copy, GitHub, nbconvert) the same output
carries plain HTML instead: a record of each step and outcome.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation_functions.display.markup import Html, join, tag
from generation_functions.display.records import (
    ANY,
    OPEN,
    find_record,
    list_records,
    read_record,
    show_examples,
    show_record,
    steps_of,
)
from generation_functions.status import Status, read_status, reason_rows

if TYPE_CHECKING:
    import ipywidgets

WIDGET = "application/vnd.jupyter.widget-view+json"
OUTCOMES = (ANY, "kept", "rejected", "failed", OPEN)


class RecordBrowser:
    """What `browse_records` shows. The widgets are made when a notebook asks for them."""

    def __init__(self, folder: Path, steps: Sequence[str], status: Status) -> None:
        self.folder = folder
        self.steps = tuple(steps)
        self.status = status

    def show_plain(self) -> Html:
        """Return the browser's content without widgets."""
        if not self.steps:
            return tag("p", tag("em", "No step of this stage has run yet."))
        return join(show_examples(self.folder, step) for step in self.steps)

    def reasons(self, step: str) -> list[str]:
        """Return the reasons that a step gave in its last pass."""
        rows = reason_rows(self.status)
        return list(dict.fromkeys(row["reason"] for row in rows if row["name"] == step))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = {"text/html": self.show_plain().source, "text/plain": f"records of {self.folder}"}
        if not self.steps:
            return plain
        return {**Panel(self).view(), **plain}


class Panel:
    """The widgets of one display of a browser, and where among the records it stands."""

    def __init__(self, browser: RecordBrowser) -> None:
        import ipywidgets as widgets

        self._browser = browser
        self._paths: list[Path] = []
        self._place = -1
        self.step = widgets.Dropdown(options=browser.steps, description="step")
        self.outcome = widgets.Dropdown(options=OUTCOMES, description="outcome")
        self.reason = widgets.Dropdown(options=(ANY,), description="reason")
        self.previous = widgets.Button(description="previous")
        self.next = widgets.Button(description="next")
        self.where = widgets.HTML()
        self.record = widgets.HTML()
        self.step.observe(self._change_step, "value")
        self.outcome.observe(self._start_again, "value")
        self.reason.observe(self._start_again, "value")
        self.previous.on_click(lambda _: self._move(-1))
        self.next.on_click(lambda _: self._move(1))
        choices = widgets.HBox([self.step, self.outcome, self.reason])
        buttons = widgets.HBox([self.previous, self.next, self.where])
        self.box: ipywidgets.VBox = widgets.VBox([choices, buttons, self.record])
        self._change_step()

    def view(self) -> dict[str, Any]:
        """Return the mimebundle that a front end turns into widgets."""
        return dict(self.box._repr_mimebundle_())

    def _change_step(self, _: Any = None) -> None:
        step = self.step.value
        self._paths = list_records(self._browser.folder, step)
        self.reason.options = (ANY, *self._browser.reasons(step))
        self._start_again()

    def _start_again(self, _: Any = None) -> None:
        self._place = -1
        self.record.value = tag("p", tag("em", "No record fits.")).source
        self.where.value = f"{len(self._paths):,} records"
        self._move(1)

    def _move(self, direction: int) -> None:
        found = find_record(
            self._paths,
            self._place + direction,
            direction,
            self.outcome.value,
            self.reason.value,
        )
        if found is None:
            return
        self._place = found
        self.where.value = f"record {found + 1:,} of {len(self._paths):,}"
        self.record.value = show_record(read_record(self._paths[found])).source


def browse_records(folder: Path, stage: str) -> RecordBrowser:
    """Return a browser of the records that a stage's steps left in a run folder.

    Raises RunFolderError where no stage has run.
    """
    status = read_status(folder)
    return RecordBrowser(folder, steps_of(status, stage), status)
