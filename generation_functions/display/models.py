"""The GGUFs that are there, and what the roles of a run are loaded with."""

import re
from pathlib import Path
from typing import Any

from generation_functions.config import Config, load_config
from generation_functions.display.markup import Html
from generation_functions.display.tables import show_table
from generation_functions.engine.chat import knows_thinking
from generation_functions.engine.download import list_unfinished
from generation_functions.engine.gguf import ModelFile, list_models, read_model
from generation_functions.engine.model_facts import describe_model
from generation_functions.errors import ModelError
from generation_functions.model_sections import Model

ROLES = ("small", "large")
_COLUMNS = (
    "file architecture parameters file_type gigabytes trained_context chat_template thinks "
    "licence note"
).split()
_NO_FIRST_PART = "not whole: this first part is missing, others are there"
_UNFINISHED = "not whole: its download was stopped; the same call goes on"
_FOR_SERVERS = {"url", "model", "server", "concurrency", "retries", "api_key_env"}
_FOR_GGUFS = {
    *("gguf", "slots", "gpu_layers", "gpus", "tensor_split", "threads", "batch", "kv_type"),
    *("flash_attention", "rope_scaling", "rope_scale", "restarts"),
}


def models_folder(config_file: Path | str) -> Path:
    """Return the folder of models that a config names."""
    file = Path(config_file).resolve()
    return (file.parent / load_config(file).path.models_dir).resolve()


def show_models(config_file: Path | str) -> Html:
    """Return a table of the GGUFs in the config's folder of models; only headers are read.

    What is not whole has a row too, which says what is amiss.
    """
    folder = models_folder(config_file)
    rows = [_describe(path) for path in list_models(folder)]
    rows += [{"file": name, "note": _NO_FIRST_PART} for name in _list_headless(folder)]
    rows += [{"file": name, "note": _UNFINISHED} for name in list_unfinished(folder)]
    empty = f"No GGUF in {folder}. Put one there, download one below, or run `make model`."
    return show_table(rows, _COLUMNS, empty=empty)


def show_roles(config: Config) -> Html:
    """Return what a run's roles are loaded with: the options that matter for either."""
    roles = {role: getattr(config.models, role).model_dump(mode="json") for role in ROLES}
    hidden = set() if any(one["url"] for one in roles.values()) else _FOR_SERVERS
    hidden = hidden if any(one["gguf"] for one in roles.values()) else _FOR_GGUFS
    rows = [
        {"option": name, **{role: _say(one[name]) for role, one in roles.items()}}
        for name in Model.model_fields
        if name not in hidden
    ]
    return show_table(rows)


def say_count(count: int) -> str:
    """Return a number of parameters in words."""
    return f"{count / 1e9:.1f} B" if count >= 0.95e9 else f"{count / 1e6:.0f} M"


def _say(value: object) -> str:
    return "" if value is None else str(value)


def _describe(path: Path) -> dict[str, Any]:
    try:
        model = read_model(path)
    except ModelError as error:
        return {"file": path.name, "note": str(error).removeprefix(f"{path}: ")}
    parts, facts = len(model.parts), describe_model(model)
    return {
        "file": path.name,
        "architecture": model.architecture,
        "parameters": _say_parameters(model),
        "file_type": facts.quantisation or "not said",
        "gigabytes": round(model.size / 1e9, 2),
        "trained_context": model.context_length,
        "chat_template": bool(model.chat_template),
        "thinks": knows_thinking(model),
        "licence": facts.licence or "not said",
        "note": f"in {parts} parts" if parts > 1 else "",
    }


def _say_parameters(model: ModelFile) -> str:
    """Return their number; of experts the file's own label too, as not all are used at once."""
    said = say_count(describe_model(model).parameters)
    experts = model.metadata.get(f"{model.architecture}.expert_count", 0)
    label = model.metadata.get("general.size_label", "")
    return f"{said} ({label})" if experts and label else said


def _list_headless(folder: Path) -> list[str]:
    """Return the split models of which there are parts, but not the first one."""
    firsts = {
        re.sub(r"-\d{5}-of-(\d{5}\.gguf)$", r"-00001-of-\1", path.name)
        for path in folder.glob("*-of-*.gguf")
    }
    return sorted(name for name in firsts if not (folder / name).exists())
