"""From a config file to an open run: paths resolved, models looked at, nothing loaded yet."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import yaml

from generation_functions.config import Config, load_config
from generation_functions.engine.gguf import read_model
from generation_functions.engine.pool import Engines
from generation_functions.engine.protocol import Embedder, Engine
from generation_functions.engine.tokens import Count, VocabularyCounter, count_words
from generation_functions.errors import ConfigError, ModelError, PromptError
from generation_functions.opening import make_embedder, make_engines
from generation_functions.special_instructions import PACKS
from generation_functions.steps.files import Writer
from generation_functions.steps.models_used import note_models, tell_wanted
from generation_functions.steps.prompts import find_prompt
from generation_functions.steps.run import Run

WORDS = "words"
_log = logging.getLogger(__name__)


def open_run(
    config_file: Path | str,
    engines: Mapping[str, Engine] | None = None,
    embedder: Embedder | None = None,
) -> Run:
    """Open the run folder that a config names, and write the resolved config into it.

    Paths in the config are relative to the config file. Models are checked (header,
    completeness) but not loaded. `engines` by role replace the configured models, and `embedder`
    the one for vectors.
    Raises ConfigError and ModelError, naming the file and what to do.
    """
    config = read_config(config_file)
    _check_steps(config)
    folder = Path(config.path.output_dir)
    config = _pin_counter(config, folder)
    by_role = dict(engines) if engines else _make_engines(config, folder)
    embedder = embedder or make_embedder(config)
    run = Run(config, folder, Engines(by_role, embedder))
    opened = [*by_role.values(), *([embedder] if embedder else [])]
    for warning in note_models(folder, [one.facts for one in opened]):
        _log.warning(warning)
    write_config(config)
    return run


def write_config(config: Config) -> None:
    """Write a resolved config into its run folder."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    Writer().write(Path(config.path.output_dir) / "config.yaml", text)


def read_config(config_file: Path | str) -> Config:
    """Return a checked config with every path absolute; nothing is opened."""
    file = Path(config_file).resolve()
    return _resolve(load_config(file), file.parent)


def run_folder(config_file: Path | str) -> Path:
    """Return the run folder that a config names; nothing is opened or made."""
    file = Path(config_file).resolve()
    return (file.parent / load_config(file).path.output_dir).resolve()


@contextmanager
def open_counter(config: Config) -> Iterator[Count]:
    """Lend the run's token counter; its process starts with the first count."""
    name = config.system.token_counter
    if name == WORDS:
        yield count_words
        return
    with closing(VocabularyCounter(read_model(Path(config.path.models_dir) / str(name)))) as count:
        yield count


def _resolve(config: Config, base: Path) -> Config:
    """Make every path absolute."""

    def full(path: str | None) -> str | None:
        return str((base / path).resolve()) if path else None

    path = config.path
    names = [one.name or Path(one.path).as_posix() for one in path.input_dirs]
    for number, name in enumerate(names):
        if name in names[:number]:
            first = path.input_dirs[names.index(name)].path
            raise ConfigError(
                f"`path.input_dirs`: {first} and {path.input_dirs[number].path} have the same "
                f"name {name!r}; give one of them another `name`."
            )
    dirs = tuple(
        one.model_copy(
            update={"path": full(one.path), "name": one.name or Path(one.path).as_posix()}
        )
        for one in path.input_dirs
    )
    resolved = path.model_copy(
        update={
            "input_dirs": dirs,
            "input_dir": full(path.input_dir),
            "output_dir": full(path.output_dir),
            "models_dir": full(path.models_dir),
            "prompts": full(path.prompts),
            "default_prompts": full(path.default_prompts),
            "huggingface_cache_dir": full(path.huggingface_cache_dir),
        }
    )
    talk = config.conversations
    traits = talk.traits if talk.traits in PACKS else str(full(talk.traits))
    ways = {
        name: way.model_copy(
            update={"prompts": full(way.prompts), "default_prompts": full(way.default_prompts)}
        )
        for name, way in config.factual_sft.items()
    }
    training, saving = config.model_training, config.final_datasaving_settings
    named = training.tokenizer
    tokenizer = full(named) if named and (base / named).exists() else named  # else of the hub
    generic = tuple(
        one.model_copy(update={"path": full(one.path)})
        if one.is_file or (base / one.path).exists()
        else one
        for one in saving.generic_dataset_paths
    )
    return config.model_copy(
        update={
            "path": resolved,
            "conversations": talk.model_copy(update={"traits": traits}),
            "factual_sft": ways,
            "final_datasaving_settings": saving.model_copy(
                update={"generic_dataset_paths": generic}
            ),
            "model_training": training.model_copy(update={"tokenizer": tokenizer}),
        }
    )


def _make_engines(config: Config, folder: Path) -> dict[str, Engine]:
    """Open the models; where one is missing, say which it was that the run began with."""
    try:
        return make_engines(config)
    except ModelError as error:
        names = [one for one in (config.models.small.gguf, config.models.large.gguf) if one]
        missing = [one for one in names if not (Path(config.path.models_dir) / one).exists()]
        raise ModelError(f"{error}{tell_wanted(folder, missing)}") from error


def _check_steps(config: Config) -> None:
    own = [Path(one) for way in config.factual_sft.values() for one in way.prompt_folders]
    for name in config.models.steps:
        try:
            find_prompt(name, [*own, *config.path.prompt_folders])
        except PromptError as error:
            raise ConfigError(f"`models.steps.{name}` is no step: {error}") from error


def _pin_counter(config: Config, folder: Path) -> Config:
    """Settle the run's token counter: as configured, as at its first run, or the small model's."""
    name = config.system.token_counter
    saved = folder / "config.yaml"
    if not name and saved.exists():
        earlier = yaml.safe_load(saved.read_text(encoding="utf-8")) or {}
        name = earlier.get("system", {}).get("token_counter")
    name = name or config.models.small.gguf
    if not name:
        raise ConfigError(
            "the small model is behind a server, which cannot count tokens: set "
            "`system.token_counter` to a GGUF in models_dir, or to `words`."
        )
    if name != WORDS and not (Path(config.path.models_dir) / name).exists():
        raise ConfigError(
            f"{saved if saved.exists() else folder}: the run counts tokens with the vocabulary of "
            f"{name}, which is not in {config.path.models_dir}. Put it there (`make model` gets "
            "the embedded one), or set `system.token_counter` (a GGUF's name, or `words`): other "
            "tokens are other chunks."
        )
    return config.model_copy(
        update={"system": config.system.model_copy(update={"token_counter": name})}
    )
