"""What the models of a config would take on this machine, as a table; nothing is loaded."""

from pathlib import Path

from generation_functions.config import Config
from generation_functions.engine.devices import read_machine
from generation_functions.engine.fitting import check_settings, choose_plan
from generation_functions.engine.plan import Plan, say_size
from generation_functions.errors import ConfigError, ModelError
from generation_functions.model_sections import EmbeddingModel, Model
from generation_functions.opening import read_embedding, read_wanted

_HEAD = "role model slots context device weights cache buffers sum free".split()


def describe_plans(config: Config) -> tuple[str, bool]:
    """Return a row for each role and device, and whether every model fits.

    Each model is planned with what is free now, as if it were loaded alone: the roles take
    turns. Paths in the config are resolved already.
    """
    rows, notes, fine = [_HEAD], [], True
    for role, wanted in _list_wanted(config).items():
        if isinstance(wanted, Model) and not wanted.gguf:
            notes.append(f"{role}: {wanted.url} has the model; nothing is loaded here.")
            continue
        try:
            plans = _plans(wanted, Path(config.path.models_dir))
        except (ConfigError, ModelError) as error:
            notes.append(f"{role}: {error}")
            fine = False
            continue
        for plan in plans:
            rows += _rows(role, str(wanted.gguf), plan)
        if plans[0].estimate:
            notes.append(f"{role}: an estimate: {plans[0].estimate}.")
        if any(plan.spills for plan in plans):
            notes.append(f"{role}: its weights do not fit into memory; it will be very slow.")
        if isinstance(wanted, Model) and (hint := _hint(wanted, Path(config.path.models_dir))):
            notes.append(f"{role}: {hint}")
    return "\n".join(([_align(rows)] if len(rows) > 1 else []) + notes), fine


def _list_wanted(config: Config) -> dict[str, Model | EmbeddingModel]:
    models = config.models
    roles: dict[str, Model | EmbeddingModel] = {"small": models.small, "large": models.large}
    return roles if config.system.retriever == "bm25" else {**roles, "embedding": models.embedding}


def _plans(wanted: Model | EmbeddingModel, folder: Path) -> list[Plan]:
    model, settings = (
        read_wanted(wanted, folder) if isinstance(wanted, Model) else read_embedding(wanted, folder)
    )
    machine = read_machine(wanted.gpu_layers)
    for one in settings:
        check_settings(model, one)
    return [choose_plan(model, one, machine) for one in settings]


def _hint(wanted: Model, folder: Path) -> str:
    """Say so where GPUs act as one although the model fits on each."""
    machine = read_machine(wanted.gpu_layers)
    count = len(machine.gpus)
    if count < 2 or wanted.gpus or wanted.tensor_split or not wanted.gpu_layers:
        return ""
    try:
        _plans(wanted.model_copy(update={"gpus": tuple(range(count))}), folder)
    except ModelError:
        return ""
    return f"it fits on each of {count} GPUs; `gpus: {list(range(count))}` is faster."


def _rows(role: str, name: str, plan: Plan) -> list[list[str]]:
    start = [role, name, str(plan.slots), str(plan.context)]
    return [
        [*start, share.memory.name]
        + [say_size(one) for one in (share.weights, share.cache, share.buffers, share.need)]
        + [say_size(share.memory.free)]
        for share in plan.shares
    ]


def _align(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)
