"""Progress bars, one at a time: of maps within maps the outermost has it."""

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any

from tqdm.auto import tqdm


class Progress:
    """Shows a bar for the outermost of the maps that go on, and how many replies came meanwhile."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._replies = 0

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
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._replies:,} replies")
