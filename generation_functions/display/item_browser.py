"""A browser of items of one kind: choose a group (a source, a reason), go from one to the next.

Where no front end can show widgets, the same output carries the first items as plain HTML.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from generation_functions.display.markup import Html, Part, folded, join, tag

if TYPE_CHECKING:
    import ipywidgets

T = TypeVar("T")
MOST_GROUPS = 30  # of which the plain HTML has an item
MOST_ALONE = 3  # items in plain HTML, where there is one group


class ItemBrowser(Generic[T]):
    """Items by group, each shown by `show` when it is looked at; `note` stands above them."""

    def __init__(
        self,
        groups: Mapping[str, Sequence[T]],
        show: Callable[[T], Html],
        empty: str,
        note: str = "",
    ) -> None:
        self.groups = {name: items for name, items in groups.items() if items}
        self.show = show
        self.empty = empty
        self.note: tuple[Part, ...] = (tag("p", note),) if note else ()

    def show_plain(self) -> Html:
        """Return the first items: of one group some, of several one each, folded."""
        if not self.groups:
            return join([*self.note, tag("p", tag("em", self.empty))])
        each = MOST_ALONE if len(self.groups) == 1 else 1
        shown: list[Html] = []
        for name, items in list(self.groups.items())[:MOST_GROUPS]:
            some = join(self.show(item) for item in items[:each])
            said = f"{name}: {len(items[:each]):,} of {len(items):,}"
            shown.append(folded(said, some, open_=not shown))
        return join([*self.note, *shown])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = {"text/html": self.show_plain().source, "text/plain": "items of this run"}
        return {**ItemPanel(self).view(), **plain} if self.groups else plain


class ItemPanel(Generic[T]):
    """The widgets of one display of a browser: a group, and the number of an item in it."""

    def __init__(self, browser: ItemBrowser[T]) -> None:
        import ipywidgets as widgets

        self._browser = browser
        self._items: Sequence[T] = ()
        named = [(f"{name} ({len(items):,})", name) for name, items in browser.groups.items()]
        wide = widgets.Layout(width="60%")
        self.group = widgets.Dropdown(options=named, description="show", layout=wide)
        self.number = widgets.BoundedIntText(value=1, min=1, max=1, description="number")
        self.item = widgets.HTML()
        self.group.observe(self._change_group, "value")
        self.number.observe(self._show, "value")
        note = widgets.HTML(join(browser.note).source)
        choices = widgets.HBox([self.group, self.number])
        self.box: ipywidgets.VBox = widgets.VBox([note, choices, self.item])
        self._change_group()

    def view(self) -> dict[str, Any]:
        """Return the mimebundle that a front end turns into widgets."""
        return dict(self.box._repr_mimebundle_())

    def _change_group(self, _: Any = None) -> None:
        self._items = self._browser.groups[self.group.value]
        self.number.max = len(self._items)
        self.number.value = 1
        self._show()

    def _show(self, _: Any = None) -> None:
        self.item.value = self._browser.show(self._items[self.number.value - 1]).source


def group_by(items: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    """Return items by name, in the order in which the names come."""
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(name(item), []).append(item)
    return groups


def put_largest_first(groups: Mapping[str, list[T]]) -> dict[str, list[T]]:
    """Return groups with those of most items first."""
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))
