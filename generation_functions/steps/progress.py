"""Progress bars, one at a time: of maps within maps the outermost has it."""

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any

from tqdm.auto import tqdm


class Progress:
    """Shows a bar for the outermost of the maps that go on."""

    def __init__(self) -> None:
        self._showing = False

    @contextmanager
    def bar(
        self, items: Iterable[Any], label: str, total: int | None, shown: bool
    ) -> Iterator[Any]:
        """Lend a bar, which stays silent inside of another, and where it is not to be `shown`."""
        total = len(items) if isinstance(items, Sized) else total
        outermost, self._showing = not self._showing, True
        try:
            with tqdm(
                total=total, desc=label, unit="item", disable=not (outermost and shown)
            ) as bar:
                yield bar
        finally:
            self._showing = not outermost
