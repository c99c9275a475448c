"""Progress bars, one at a time: of maps within maps the outermost has it."""

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from time import monotonic
from typing import Any

from tqdm.auto import tqdm

SECONDS = 1.0  # between two drawings for replies alone: a log keeps each


class Progress:
    """Shows a bar for the outermost of the maps that go on, and how many replies came meanwhile."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._replies = 0
        self._due = 0.0  # when the bar is drawn anew, in seconds of the clock

    @contextmanager
    def bar(
        self, items: Iterable[Any], label: str, total: int | None, shown: bool
    ) -> Iterator[Any]:
        """Lend a bar, which stays silent inside of another, and where it is not to be `shown`."""
        total = len(items) if isinstance(items, Sized) else total
        outermost = self._bar is None
        with tqdm(total=total, desc=label, unit="item", disable=not (outermost and shown)) as bar:
            if outermost:
                self._bar, self._replies = bar, 0
            try:
                yield bar
            finally:
                if outermost:
                    self._bar = None

    def count_reply(self) -> None:
        """Show that a model has replied: an item may take many replies, and minutes."""
        self._replies += 1
        if self._bar is None:
            return
        now = monotonic()
        self._bar.set_postfix_str(f"{self._replies:,} replies", refresh=now >= self._due)
        if now >= self._due:
            self._due = now + SECONDS
