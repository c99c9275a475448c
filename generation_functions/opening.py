"""From the models that a config names to engines: looked at and planned, not yet loaded."""

import os
from pathlib import Path

from generation_functions.addresses import parse_address
from generation_functions.config import Config, Model
from generation_functions.engine.gguf import read_model
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.protocol import Engine
from generation_functions.engine.server import open_server
from generation_functions.engine.server_settings import ApiKey, ServerSettings
from generation_functions.errors import ConfigError


def make_engines(config: Config) -> dict[str, Engine]:
    """Return an engine for each role; roles with the same settings share one.

    Servers are asked about their model. Raises ConfigError, ModelError and ServerError,
    naming the file or URL and what to do.
    """
    folder = Path(config.path.models_dir)
    small, large = config.models.small, config.models.large
    first = make_engine(small, folder)
    return {"small": first, "large": first if large == small else make_engine(large, folder)}


def make_engine(wanted: Model, folder: Path) -> Engine:
    return _make_local(wanted, folder) if wanted.gguf else _make_server(wanted)


def _make_local(wanted: Model, folder: Path) -> Engine:
    model = read_model(folder / str(wanted.gguf))
    settings = LoadSettings(
        path=str(model.path.resolve()),
        slots=wanted.slots or 8,
        context=wanted.context,
        batch=wanted.batch,
        gpu_layers=wanted.gpu_layers,
        threads=wanted.threads or os.cpu_count() or 1,
    )
    return LocalEngine(model, settings, wanted.request_seconds, wanted.restarts)


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
