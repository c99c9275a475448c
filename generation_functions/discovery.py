"""The pipelines that are found by the names of their modules: `style`, and those in pipelines/own/.

A module is imported when a config or a command names it, not before: one that is half written
stops nothing but itself.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from generation_functions.errors import ConfigError

OWN = Path(__file__).parent / "pipelines" / "own"
PIPELINES = "generation_functions.pipelines"
BUILT_IN = ("style",)


def list_own() -> list[str]:
    """Return the names of the pipelines that a person has put into pipelines/own/."""
    names = (file.stem for file in OWN.glob("[a-z]*.py"))
    return sorted(name for name in names if name.isidentifier())  # no "cards (copy)"


def list_pipelines() -> list[str]:
    """Return the names of all pipelines that are found by their names."""
    return [*BUILT_IN, *list_own()]


def load_pipeline(name: str) -> Any:
    """Return what a pipeline's module calls PIPELINE, a `pipelines.pipeline.Pipeline`.

    It is not typed so here, because config.py asks for its section, and pipelines know config.py.
    Raises ConfigError for a module that cannot be imported, and for one without a PIPELINE or with
    one of another name.
    """
    place = f"{PIPELINES}.{name}" if name in BUILT_IN else f"{PIPELINES}.own.{name}"
    try:
        module = import_module(place)
    except Exception as error:  # a half-written module may raise anything
        raise ConfigError(
            f"{place.replace('.', '/')}.py: it cannot be imported"
            f" ({type(error).__name__}: {error}). Mend it, or move the file out of its folder."
        ) from error
    pipeline = getattr(module, "PIPELINE", None)
    if pipeline is None:
        raise ConfigError(f"{module.__file__}: no PIPELINE. Give it one, as style.py has.")
    if pipeline.name != name:
        raise ConfigError(
            f"{module.__file__}: PIPELINE is named {pipeline.name!r}. Name it {name!r}, as its "
            "module is, or rename the module."
        )
    return pipeline
