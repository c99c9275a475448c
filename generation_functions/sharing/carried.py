"""Where a run's config says that things are, and where they are in a bundle.

Every absolute path in a resolved config is one of these: the run folder, a folder of documents,
the folder of models, or a file or folder of another kind (prompts, traits, local datasets). What
goes to the trainer as it stands may name places there, which this program neither reads nor writes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation_functions.config import Config
from generation_functions.sharing.bundle_format import FILES, INPUTS, MODELS, RUNS

_NEVER = ("gguf", "token_counter", "tokenizer", "huggingface_cache_dir")  # large, had elsewhere
_OF_TRAINER = ("base_model", "other_pretrain_kwargs", "other_finetune_kwargs")  # only written down
_WITH_REPLIES = ("prompts", "default_prompts", "traits")  # parts of what was asked
_NO_PLACE = "name"  # of a folder of documents: their identity, whatever it looks like


@dataclass(frozen=True, slots=True)
class Carried:
    """A file or folder on this machine, and its name in the bundle.

    `needed` is one without which a replay would ask anew, `document` one that is only read by
    stages before the datasets; with neither it never comes along. `what` tells a person.
    """

    path: Path
    name: str
    what: str
    needed: bool = False
    document: bool = False


def carry_config(config: Config, run: str) -> tuple[dict[str, Any], list[Carried]]:
    """Return a resolved config as values with the bundle's names for paths, and what they name.

    The run folder, whose name is `run`, and the folder of models are not among the latter.
    """
    path = config.path
    carried = {
        folder.path: Carried(
            Path(folder.path), f"{INPUTS}/{number}", f"the documents of {folder.name}", False, True
        )
        for number, folder in enumerate(path.input_dirs)
    }
    known = {path.output_dir: f"{RUNS}/{run}", path.models_dir: MODELS}

    def rename(key: str, value: str) -> str:
        if value in known:
            return known[value]
        known_key = key in (*_NEVER, *_WITH_REPLIES)
        if value not in carried and not known_key and not Path(value).exists():
            return value  # looks like a path and is none
        if value not in carried:
            name = f"{FILES}/{len(carried)}/{Path(value).name}"
            needed = key in _WITH_REPLIES
            other = not needed and key not in _NEVER
            carried[value] = Carried(Path(value), name, f"`{key}`", needed, other)
        return carried[value].name

    values = _change(config.model_dump(mode="json"), "", rename)
    return _put_into_models(values), list(carried.values())


def _put_into_models(value: Any) -> Any:
    """Return values with each GGUF beside the folder of models ("../x.gguf") put into it, by its
    name: there it is looked for on the other machine."""
    if not isinstance(value, Mapping):
        return value
    changed = {name: _put_into_models(one) for name, one in value.items()}
    named = changed.get("gguf")
    if isinstance(named, str) and ".." in Path(named).parts:
        changed["gguf"] = Path(named).name
    return changed


def find_outside(config: Config, folder: Path) -> list[str]:
    """Return the places outside of a folder that a resolved config names.

    What looks like a path and is none (a prompt's "/no_think") counts only under `path`.
    """
    found: list[str] = []

    def note(key: str, value: str) -> str:
        if not Path(value).resolve().is_relative_to(folder.resolve()):
            found.append(value)
        return value

    def note_existing(key: str, value: str) -> str:
        return note(key, value) if Path(value).exists() else value

    values = config.model_dump(mode="json")
    _change(values.pop("path"), "", note)
    _change(values, "", note_existing)
    models = Path(config.path.models_dir).resolve()
    named = (name for name in _list_named(values, "gguf") if not Path(name).is_absolute())
    found += [name for name in named if not (models / name).resolve().is_relative_to(models)]
    return found


def _list_named(value: Any, key: str) -> Iterator[str]:
    """Yield the texts that values have under a key, at any depth."""
    if isinstance(value, Mapping):
        for name, one in value.items():
            if name == key and isinstance(one, str):
                yield one
            yield from _list_named(one, key)


def _change(value: Any, key: str, change: Callable[[str, str], str]) -> Any:
    """Return values with each absolute path in them changed; `change` is told its key too."""
    if isinstance(value, Mapping):
        return {
            name: one if name in _OF_TRAINER else _change(one, str(name), change)
            for name, one in value.items()
        }
    if isinstance(value, list):
        return [_change(one, key, change) for one in value]
    if not isinstance(value, str) or key == _NO_PLACE or "\n" in value or "{" in value:
        return value
    return change(key, value) if Path(value).is_absolute() else value
