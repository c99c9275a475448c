"""From the models that a config names to engines: looked at and planned, not yet loaded."""

from dataclasses import replace
from pathlib import Path

from generation_functions.addresses import parse_address
from generation_functions.config import Config
from generation_functions.engine.devices import physical_cores, read_machine
from generation_functions.engine.fitting import choose_plan
from generation_functions.engine.gguf import ModelFile, read_model
from generation_functions.engine.group import EngineGroup
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.protocol import Embedder, Engine
from generation_functions.engine.server import open_server
from generation_functions.engine.server_settings import ApiKey, ServerSettings
from generation_functions.errors import ConfigError
from generation_functions.model_sections import EmbeddingModel, Model


def make_engines(config: Config) -> dict[str, Engine]:
    """Return an engine for each role; roles with the same settings share one.

    Servers are asked about their model. Raises ConfigError, ModelError and ServerError,
    naming the file or URL and what to do.
    """
    folder = Path(config.path.models_dir)
    small, large = config.models.small, config.models.large
    first = make_engine(small, folder)
    return {"small": first, "large": first if large == small else make_engine(large, folder)}


def make_embedder(config: Config) -> Embedder | None:
    """Return what makes the vectors that `system.retriever` compares; None where it needs none.

    Raises ConfigError and ModelError.
    """
    if config.system.retriever == "bm25":
        return None
    wanted = config.models.embedding
    model, (settings,) = read_embedding(wanted, Path(config.path.models_dir))
    choose_plan(model, settings, read_machine(wanted.gpu_layers).emptied())
    return LocalEngine(model, settings)


def read_embedding(wanted: EmbeddingModel, folder: Path) -> tuple[ModelFile, tuple[LoadSettings]]:
    """Return the GGUF that makes vectors and how it is loaded: its texts share one batch."""
    if not wanted.gguf:
        raise ConfigError(
            "`system.retriever` compares vectors of texts: name a GGUF that makes them in "
            "`models.embedding.gguf`, or set it to bm25."
        )
    model = read_model(folder / wanted.gguf)
    settings = LoadSettings(
        path=str(model.path.resolve()),
        slots=wanted.slots or 0,
        context=wanted.context,
        batch=max(wanted.batch, wanted.context),
        gpu_layers=wanted.gpu_layers,
        threads=wanted.threads or physical_cores(),
        unified=True,
        embeddings=True,
    )
    return model, (settings,)


def make_engine(wanted: Model, folder: Path) -> Engine:
    return _make_local(wanted, folder) if wanted.gguf else _make_server(wanted)


def read_wanted(wanted: Model, folder: Path) -> tuple[ModelFile, tuple[LoadSettings, ...]]:
    """Return a role's GGUF and how it is loaded: once, or once on each of its `gpus`."""
    gpus: tuple[int | None, ...] = wanted.gpus or (None,)
    if wanted.gpus is not None and (
        not wanted.gpus or len(set(wanted.gpus)) < len(wanted.gpus) or min(wanted.gpus) < 0
    ):
        raise ConfigError(f"`gpus: {list(wanted.gpus)}`: numbers of GPUs from 0 on, each once.")
    if wanted.gpus and (wanted.tensor_split or not wanted.gpu_layers):
        other = "tensor_split" if wanted.tensor_split else "gpu_layers: 0"
        raise ConfigError(f"`gpus` (a process on each) and `{other}` exclude each other.")
    model = read_model(folder / str(wanted.gguf))
    settings = LoadSettings(
        path=str(model.path.resolve()),
        slots=wanted.slots or 0,
        context=wanted.context,
        batch=wanted.batch,
        gpu_layers=wanted.gpu_layers,
        threads=wanted.threads or physical_cores(),
        tensor_split=wanted.tensor_split,
        kv_type=wanted.kv_type,
        unified=wanted.kv_unified,
        flash_attention=wanted.flash_attention,
        rope_scaling=wanted.rope_scaling,
        rope_scale=wanted.rope_scale,
    )
    return model, tuple(replace(settings, gpu=gpu) for gpu in gpus)


def _make_local(wanted: Model, folder: Path) -> Engine:
    """Refuse here what could not be loaded even if nothing else ran on the machine."""
    model, settings = read_wanted(wanted, folder)
    engines = [LocalEngine(model, one, wanted.request_seconds, wanted.restarts) for one in settings]
    machine = read_machine(wanted.gpu_layers).emptied()
    for one in settings:
        choose_plan(model, one, machine)
    return engines[0] if len(engines) == 1 else EngineGroup(engines)


def _make_server(wanted: Model) -> Engine:
    if wanted.server == "llama-server" and wanted.thinking:
        raise ConfigError(
            f"`thinking: {wanted.thinking}`: llama-server binds the thinking too with a grammar. "
            "Set it to 0, use the model as a `gguf`, or serve it with vLLM."
        )
    urls = (wanted.url,) if isinstance(wanted.url, str) else wanted.url or ()
    return open_server(
        ServerSettings(
            addresses=tuple(parse_address(url) for url in urls),
            kind=wanted.server,
            model=wanted.model,
            context=wanted.context,
            concurrency=wanted.concurrency,
            retries=wanted.retries,
            request_seconds=wanted.request_seconds,
            key=ApiKey(wanted.api_key_env),
        )
    )
