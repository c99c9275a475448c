"""What fits this machine: the slots of every model that is there; nothing is loaded."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from generation_functions.config import Config
from generation_functions.display.markup import Html
from generation_functions.display.tables import show_table
from generation_functions.engine.devices import Machine, read_machine
from generation_functions.engine.fitting import check_gpus, check_settings, choose_plan, ways_out
from generation_functions.engine.footprint import read_footprint
from generation_functions.engine.gguf import ModelFile, list_models
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.plan import Plan, lay_out, say_size
from generation_functions.errors import ConfigError, ModelError
from generation_functions.model_sections import Model
from generation_functions.opening import read_wanted
from generation_functions.session import read_config

_COLUMNS = ("file", "settings_of", "context", "slots_that_fit", "memory", "free", "note")


def show_fit(config_file: Path | str) -> Html:
    """Return how many slots fit what is free now, for each GGUF and each role's settings.

    Each model is planned as if it were loaded alone: the roles take turns. `slots` in the
    config is left out of account. Roles with the same settings share a row.
    """
    config = read_config(config_file)
    folder = Path(config.path.models_dir)
    rows = [
        {"file": path.name, "settings_of": roles, "context": wanted.context}
        | _describe(wanted, folder)
        for path in list_models(folder)
        for roles, wanted in _as_configured(config, path.name)
    ]
    return show_table(rows, _COLUMNS, empty=f"No GGUF in {folder}.")


def _as_configured(config: Config, name: str) -> Iterator[tuple[str, Model]]:
    """Yield a GGUF with the settings of each role; with the defaults if all are servers."""
    roles = {"small": config.models.small, "large": config.models.large}
    ways: list[tuple[str, Model]] = []
    for role, one in roles.items():
        wanted = one.model_copy(update={"gguf": name, "slots": None})
        if one.gguf and ways and ways[-1][1] == wanted:
            ways[-1] = (f"{ways[-1][0]}, {role}", wanted)
        elif one.gguf:
            ways.append((role, wanted))
    yield from ways or [("defaults", Model(gguf=name))]


def _describe(wanted: Model, folder: Path) -> dict[str, Any]:
    machine = read_machine(wanted.gpu_layers)
    try:
        model, settings = read_wanted(wanted, folder)
        for one in settings:
            check_settings(model, one)
            check_gpus(one, machine)
    except (ConfigError, ModelError) as error:
        return {"note": str(error).removeprefix(f"{folder / str(wanted.gguf)}: ")}
    shape = read_footprint(model)
    for one in settings:
        least = lay_out(shape, replace(one, slots=1), machine)
        if not least.fits:
            return {"slots_that_fit": 0, **_sum(least), "note": _say_why(model, one, machine)}
    plans = [choose_plan(model, one, machine) for one in settings]
    fewest = min(plans, key=lambda plan: plan.slots)
    return {"slots_that_fit": fewest.slots, **_sum(fewest), "note": _say_notes(plans)}


def _sum(plan: Plan) -> dict[str, str]:
    """Return what a plan takes and what is free, for each device."""
    return {
        "memory": "\n".join(say_size(share.need) for share in plan.shares),
        "free": "\n".join(
            f"{say_size(share.memory.free)}, {share.memory.name}" for share in plan.shares
        ),
    }


def _say_why(model: ModelFile, settings: LoadSettings, machine: Machine) -> str:
    ways = list(ways_out(read_footprint(model), replace(settings, slots=1), machine))
    advice = " or ".join(ways) + " would fit" if ways else "take a smaller quantisation"
    return f"not even one slot: {advice}"


def _say_notes(plans: list[Plan]) -> str:
    notes = []
    if len(plans) > 1:
        notes.append(f"on each of {len(plans)} GPUs")
    if plans[0].estimate:
        notes.append(f"an estimate: {plans[0].estimate}")
    if any(plan.spills for plan in plans):
        notes.append("its weights do not fit into memory: very slow")
    return "; ".join(notes)
