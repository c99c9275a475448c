"""Choosing a GGUF for each role: a choice is written into the config, its comments stay."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation_functions.config import load_config
from generation_functions.display.config_text import save_option
from generation_functions.display.markup import Html, tag
from generation_functions.display.models import ROLES, models_folder
from generation_functions.display.tables import show_table
from generation_functions.engine.gguf import list_models
from generation_functions.errors import ConfigError, RunFolderError

if TYPE_CHECKING:
    import ipywidgets


def choose_models(config_file: Path | str) -> "ModelPicker":
    """Return a picker that writes each role's GGUF into the config, comments kept."""
    file = Path(config_file).resolve()
    names = [path.name for path in list_models(models_folder(file))]
    return ModelPicker(file, names)


class ModelPicker:
    """What `choose_models` shows; without widgets, the lines of the config to change."""

    def __init__(self, file: Path, names: Sequence[str]) -> None:
        self.file = file
        self.names = tuple(names)

    def chosen(self) -> dict[str, str]:
        """Return the GGUF that the config names for each role; not for one behind a server."""
        models = load_config(self.file).models
        named = {role: getattr(models, role).gguf for role in ROLES}
        return {role: name for role, name in named.items() if name}

    def save(self, role: str, name: str) -> None:
        """Write a role's GGUF into the config, which must stay a valid one."""
        save_option(self.file, ("models", role, "gguf"), name)

    def show_plain(self) -> Html:
        """Return what to change by hand."""
        rows = [
            {"role": role, "option": f"models.{role}.gguf", "chosen": name}
            for role, name in self.chosen().items()
        ]
        there = ", ".join(self.names) or "none"
        return tag(
            "div",
            show_table(rows, empty="Both roles are models behind servers."),
            tag("p", "Set these in ", tag("code", str(self.file)), f". There are: {there}"),
            *(tag("p", said) for said in self.served()),
        )

    def served(self) -> list[str]:
        """Return a line for each role that has a server, where there is nothing to choose."""
        return [
            f"{role}: a model behind a server; give it a `gguf` instead of `url` to choose here."
            for role in ROLES
            if role not in self.chosen()
        ]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = {"text/html": self.show_plain().source, "text/plain": f"models of {self.file}"}
        if not self.names or not self.chosen():
            return plain
        return {**_make_widgets(self)._repr_mimebundle_(), **plain}


def _make_widgets(picker: ModelPicker) -> "ipywidgets.VBox":
    import ipywidgets as widgets

    said = widgets.HTML("".join(tag("p", line).source for line in picker.served()))

    def make_choice(role: str, now: str) -> "ipywidgets.Dropdown":
        options = [(name, name) for name in picker.names]
        if now not in picker.names:
            options.append((f"{now} (not there)", now))
        choice = widgets.Dropdown(
            options=options, value=now, description=role, layout=widgets.Layout(width="32em")
        )

        def save(change: Any) -> None:
            try:
                picker.save(role, change["new"])
            except (ConfigError, RunFolderError) as error:
                said.value = tag("p", str(error)).source
            else:
                note = f"{picker.file.name}: models.{role}.gguf is now {change['new']}"
                said.value = tag("p", note).source

        choice.observe(save, "value")
        return choice

    return widgets.VBox([*(make_choice(*one) for one in picker.chosen().items()), said])
