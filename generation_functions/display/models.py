"""The GGUFs that are there, and choosing one for each role."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generation_functions.config import Config, load_config
from generation_functions.display.config_text import save_option
from generation_functions.display.markup import Html, tag
from generation_functions.display.tables import show_table
from generation_functions.engine.gguf import ModelFile, list_models, read_model
from generation_functions.errors import ConfigError, ModelError, RunFolderError

if TYPE_CHECKING:
    import ipywidgets

ROLES = ("small", "large")

# general.file_type, from the enum llama_ftype in llama.h
FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4",
    39: "NVFP4",
    40: "Q1_0",
    41: "Q2_0",
}


def models_folder(config_file: Path | str) -> Path:
    """Return the folder of models that a config names."""
    file = Path(config_file).resolve()
    return (file.parent / load_config(file).path.models_dir).resolve()


def show_models(config_file: Path | str) -> Html:
    """Return a table of the GGUFs in the config's folder of models; only headers are read."""
    folder = models_folder(config_file)
    rows = [_describe(path) for path in list_models(folder)]
    return show_table(rows, empty=f"No GGUF in {folder}. Put one there, or run `make model`.")


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
        """Return the GGUF that the config names for each role."""
        models = load_config(self.file).models
        return {"small": models.small.gguf or "", "large": models.large.gguf or ""}

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
            show_table(rows),
            tag("p", "Set these in ", tag("code", str(self.file)), f". There are: {there}"),
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = {"text/html": self.show_plain().source, "text/plain": f"models of {self.file}"}
        if not self.names:
            return plain
        return {**_make_widgets(self)._repr_mimebundle_(), **plain}


def _make_widgets(picker: ModelPicker) -> "ipywidgets.VBox":
    import ipywidgets as widgets

    said = widgets.HTML()

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


def show_roles(config: Config) -> Html:
    """Return what a run's roles are loaded with."""
    rows = [
        {"role": role, **getattr(config.models, role).model_dump(mode="json")} for role in ROLES
    ]
    return show_table(rows)


def _describe(path: Path) -> dict[str, Any]:
    try:
        model = read_model(path)
    except ModelError as error:
        return {**_row(path.name), "note": str(error)}
    return _row(
        path.name,
        architecture=model.architecture,
        file_type=_file_type(model),
        gigabytes=model.size / 1e9,
        parts=len(model.parts),
        trained_context=model.context_length,
        chat_template=bool(model.chat_template),
        licence=model.metadata.get("general.license", "not said"),
    )


def _row(file: str, **known: Any) -> dict[str, Any]:
    names = ("architecture", "file_type", "gigabytes", "parts", "trained_context")
    empty = dict.fromkeys((*names, "chat_template", "licence", "note"))
    return {"file": file, **empty, **known}


def _file_type(model: ModelFile) -> str:
    number = model.metadata.get("general.file_type")
    return "not said" if number is None else FILE_TYPES.get(number, f"type {number}")
