"""Calibration: what slots and grammar do to the speed of a role's model on this machine."""

import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from generation_functions.config import Config
from generation_functions.display.markup import Html, join, tag
from generation_functions.display.plots import Picture, plot_speeds
from generation_functions.display.tables import show_table
from generation_functions.documents.folders import TEXT_SUFFIXES, find_files
from generation_functions.engine.calibrating import (
    Speed,
    choose_slots,
    measure_speeds,
    suggest_slots,
)
from generation_functions.engine.devices import read_machine
from generation_functions.engine.fitting import choose_plan
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.errors import ConfigError
from generation_functions.model_sections import Model
from generation_functions.opening import read_wanted
from generation_functions.session import read_config
from generation_functions.steps.files import Writer, dump, read_json

NAME = "calibration.json"  # in the run folder
_LEAST = 0.25  # of the time is for measuring, however long loading took
_TEXT_BYTES = 200_000
_FALLBACK = (
    "A lighthouse keeper wrote down the weather four times a day. At six in the morning he read "
    "the barometer, then the thermometer on the north wall, and last the vane on the roof. Fog "
    "had a column of its own, since the horn used up a barrel of oil in every night of it. In "
    "forty years he missed nine readings, each with the reason noted in the margin: a wedding, "
    "two storms that took the ladder, and six days on which the ink was frozen. When the tower "
    "got its first telegraph, he went on with his book, and wrote that wires may break. "
)


async def calibrate(config_file: Path | str, role: str = "small", seconds: float = 120) -> Html:
    """Measure a role's GGUF for about `seconds`, loading included, and return the speeds.

    Each speed is kept in the run folder as soon as it is measured, so that what was done
    before an interruption stays. With 0 seconds, what was measured earlier is shown.
    Raises ModelError where the model does not fit.
    """
    config = read_config(config_file)
    wanted = _role(config, role)
    if not wanted.gguf:
        return tag("p", f"{role}: its server decides on slots; nothing is measured here.")
    if seconds > 0:
        await _calibrate(config, role, wanted, seconds)
    return _show(config, role)


def plot_calibration(config_file: Path | str, role: str = "small") -> Picture:
    """Draw what was last measured for a role: tokens per second by slots."""
    saved = _read(read_config(config_file)).get(role, {})
    speeds = _speeds(saved)
    lines = {
        name: {one.slots: one.tokens_per_second for one in speeds if one.grammar is grammar}
        for name, grammar in (("with grammar", True), ("without", False))
    }
    return plot_speeds(lines, suggest_slots(speeds))


async def _calibrate(config: Config, role: str, wanted: Model, seconds: float) -> None:
    started = time.monotonic()
    model, (settings, *_) = read_wanted(wanted, Path(config.path.models_dir))
    plan = choose_plan(model, replace(settings, slots=0), read_machine(wanted.gpu_layers))
    settings = replace(settings, slots=plan.slots)
    text = _read_text(config)
    slots = choose_slots(plan.slots, seconds)
    listed = ", ".join(map(str, slots))
    print(f"{role}: {wanted.gguf} with {listed} slots, about {seconds:.0f} s, loading included")
    engine = LocalEngine(model, settings, wanted.request_seconds, restarts=0)
    speeds: list[Speed] = []
    try:
        await engine.start()
        loading = time.monotonic() - started
        left = max(seconds - loading, seconds * _LEAST)
        measured = measure_speeds(engine, text, slots, left, config.system.completion_mode)
        async for speed in measured:
            speeds.append(speed)
            _keep(config, role, _describe(wanted, settings, loading, speeds))
    finally:
        await engine.close()
    if len(speeds) < 2 * len(slots):
        print("The time was over before all of them were measured; more seconds show more.")


def _show(config: Config, role: str) -> Html:
    saved = _read(config).get(role)
    if not saved:
        return tag("p", tag("em", f"{role}: nothing is measured yet; give it more seconds."))
    speeds = _speeds(saved)
    rows = [_row(slots, speeds) for slots in dict.fromkeys(one.slots for one in speeds)]
    said = f"{role}: {saved['model']}, {saved['context']:,} tokens a slot, {saved['threads']} "
    said += f"threads, measured {saved['measured']}, loaded in {saved['loading_seconds']:.0f} s"
    now = getattr(config.models, role).slots
    has = f"it says {now}" if now else "it leaves the number to what fits"
    note = f": the fewest within 5 % of the best, for models.{role} in the config; {has}."
    return join(
        [
            tag("p", said),
            show_table(rows),
            tag("p", "Suggested: ", tag("code", f"slots: {suggest_slots(speeds)}"), note),
        ]
    )


def _row(slots: int, speeds: Sequence[Speed]) -> dict[str, Any]:
    both = {one.grammar: one for one in speeds if one.slots == slots}
    row: dict[str, Any] = {"slots": slots}
    for name, grammar in (("with_grammar", True), ("without", False)):
        row[f"{name},_tokens/s"] = both[grammar].tokens_per_second if grammar in both else None
    row["replies"] = sum(one.replies for one in both.values())
    return row


def _describe(
    wanted: Model, settings: LoadSettings, loading: float, speeds: Sequence[Speed]
) -> dict[str, Any]:
    return {
        "model": wanted.gguf,
        "context": settings.context,
        "threads": settings.threads,
        "measured": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "loading_seconds": round(loading, 1),
        "suggested_slots": suggest_slots(speeds),
        "speeds": [asdict(one) for one in speeds],
    }


def _speeds(saved: dict[str, Any]) -> list[Speed]:
    return [Speed(**one) for one in saved.get("speeds", ())]


def _role(config: Config, role: str) -> Model:
    if role not in type(config.models).model_fields:
        raise ConfigError(f"{role!r} is no role: it is `small` or `large`.")
    wanted: Model = getattr(config.models, role)
    return wanted


def _read(config: Config) -> dict[str, Any]:
    return dict(read_json(Path(config.path.output_dir) / NAME) or {})


def _keep(config: Config, role: str, saved: dict[str, Any]) -> None:
    file = Path(config.path.output_dir) / NAME
    Writer().write(file, dump({**_read(config), role: saved}))


def _read_text(config: Config) -> str:
    """Return the beginning of the first documents, or a text of our own where there is none."""
    texts = []
    for one in config.path.input_dirs:
        files = find_files(Path(one.path)) if Path(one.path).is_dir() else []
        for file in [file for file in files if file.suffix.lower() in TEXT_SUFFIXES][:3]:
            with file.open(encoding="utf-8", errors="ignore") as opened:
                texts.append(opened.read(_TEXT_BYTES))
    text = "\n".join(texts)
    return text if len(text) > len(_FALLBACK) else _FALLBACK
