"""models.json: what is known about every model that a run folder was opened with."""

from collections.abc import Iterable
from pathlib import Path

from generation_functions.engine.model_facts import ModelFacts
from generation_functions.engine.plan import say_size
from generation_functions.records import from_json, to_json
from generation_functions.steps.files import Writer, dump, read_json

NAME = "models.json"


def read_models(folder: Path) -> dict[str, ModelFacts]:
    """Return the models by fingerprint; none before the run was opened."""
    found = (from_json(ModelFacts, one) for one in read_json(folder / NAME) or ())
    return {one.fingerprint: one for one in found}


def note_models(folder: Path, opened: Iterable[ModelFacts]) -> list[str]:
    """Add models to those that are known; return a warning for each whose file has changed."""
    known = read_models(folder)
    noted, warnings = dict(known), []
    for one in opened:
        others = [old.fingerprint for old in known.values() if old.file == one.file]
        if one.file and others and one.fingerprint not in known:
            warnings.append(
                f"{one.file} is another file than the one of this name that the run was opened "
                f"with before (fingerprint {one.fingerprint}, before {', '.join(others)}): what "
                "that one answered is asked again."
            )
        noted[one.fingerprint] = one
    if noted != known:
        ordered = sorted(noted.values(), key=lambda one: (one.file, one.fingerprint))
        Writer().write(folder / NAME, dump(to_json(ordered)))
    return warnings


def tell_model(model: ModelFacts) -> str:
    """Return a line that tells which model it is, as far as that is known."""
    size = say_size(model.size) if model.size else ""
    what = [model.name, model.quantisation, size, f"fingerprint {model.fingerprint}"]
    said = ", ".join(one for one in what if one)
    return f"{model.file} ({said})" if model.file else said


def tell_wanted(folder: Path, missing: Iterable[str]) -> str:
    """Return which models the run folder was opened with under these file names, "" if none."""
    names = set(missing)
    known = [tell_model(one) for one in read_models(folder).values() if one.file in names]
    if not known:
        return ""
    return f" This run was opened with {' and '.join(known)}: with that nothing is asked again."
