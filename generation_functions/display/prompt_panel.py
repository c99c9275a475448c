"""The widgets of a prompt editor: a text area for each part, and buttons to try, compare, save."""

import asyncio
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from generation_functions.display.markup import tag
from generation_functions.display.prompt_editor import PromptEditor, show_problems
from generation_functions.errors import PalimpsestError

if TYPE_CHECKING:
    from collections.abc import Callable

_ROWS = {"system": 5, "user": 8, "examples": 14, "settings": 4, "grammar": 8}


class PromptPanel:
    """One display of an editor. What is typed is the editor's as soon as a button is pressed."""

    def __init__(self, editor: PromptEditor) -> None:
        self.editor = editor
        wide = widgets.Layout(width="98%")
        self.areas = {
            name: widgets.Textarea(
                getattr(editor.texts, name), rows=rows, layout=wide, continuous_update=False
            )
            for name, rows in _ROWS.items()
        }
        self.try_it = widgets.Button(description=f"try on {len(editor.items)} items")
        self.compare = widgets.Button(description="diff")
        self.compare_default = widgets.Button(description="diff to default")
        self.save = widgets.Button(description="save")
        self.said = widgets.HTML()
        self.going: asyncio.Task[None] | None = None
        self.try_it.on_click(lambda _: self._begin())
        self.compare.on_click(lambda _: self._do(lambda: editor.show_diff().source))
        self.compare_default.on_click(
            lambda _: self._do(lambda: editor.show_diff(default=True).source)
        )
        self.save.on_click(lambda _: self._do(self._save))
        parts = widgets.Tab(list(self.areas.values()), titles=list(self.areas))
        buttons = widgets.HBox([self.try_it, self.compare, self.compare_default, self.save])
        self.box = widgets.VBox([parts, buttons, self.said])

    def view(self) -> dict[str, Any]:
        """Return the mimebundle that a front end turns into widgets."""
        return dict(self.box._repr_mimebundle_())

    def _do(self, act: "Callable[[], str]") -> None:
        """Show what an act says, or what is wrong."""
        self.editor.change(**{name: area.value for name, area in self.areas.items()})
        try:
            self.said.value = act()
        except PalimpsestError as error:
            self.said.value = show_problems([str(error)]).source

    def _save(self) -> str:
        files = self.editor.save()
        return tag("p", f"Saved: {', '.join(map(str, files)) or 'nothing was changed'}").source

    def _begin(self) -> None:
        """Try in the kernel's loop, since a button's call has to end before anything is asked."""
        self._do(lambda: tag("p", "Asking …").source)
        self.try_it.disabled = True
        self.going = asyncio.get_running_loop().create_task(self._try())

    async def _try(self) -> None:
        try:
            self.said.value = (await self.editor.try_out()).source
        except PalimpsestError as error:
            self.said.value = show_problems([str(error)]).source
        finally:
            self.try_it.disabled = False
