"""What a server says about its model, asked once before anything is generated."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import httpx2

from generation_functions.addresses import Address
from generation_functions.engine.server_refusals import explain_refusal, read_message
from generation_functions.engine.server_settings import ServerSettings, trust
from generation_functions.engine.server_wire import GrammarField
from generation_functions.errors import ConfigError, ServerError

_SECONDS = 15
_STABLE = ("n_params", "n_vocab", "n_embd", "vocab_type", "size")  # of llama-server's `meta`


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model behind servers. `context` is the smallest slot's, 0 when none says."""

    name: str
    fingerprint: str
    context: int
    grammar_field: GrammarField


@dataclass(frozen=True, slots=True)
class _Said:
    name: str
    identity: dict[str, Any]
    context: int
    grammar_field: GrammarField


def ask_servers(settings: ServerSettings) -> ServedModel:
    """Ask every address which model it serves; all must serve the same one.

    The fingerprint is made of the kind of server, the model's name and what is stable
    of its description: its file, sizes and chat template; not of the URL. Raises
    ServerError and ConfigError.
    """
    headers = settings.key.headers()
    with httpx2.Client(headers=headers, timeout=_SECONDS, verify=trust()) as client:
        said = [_ask(client, settings, address) for address in settings.addresses]
    first = said[0]
    for address, other in zip(settings.addresses, said, strict=True):
        if (other.identity, other.grammar_field) != (first.identity, first.grammar_field):
            raise ConfigError(
                f"{settings.addresses[0].root} and {address.root} serve different models, or by "
                "different versions; the `url`s of one model must agree."
            )
    text = json.dumps([settings.kind, first.identity], sort_keys=True, ensure_ascii=False)
    contexts = [one.context for one in said if one.context]
    return ServedModel(
        name=first.name,
        fingerprint=hashlib.sha256(text.encode()).hexdigest()[:32],
        context=min(contexts, default=0),
        grammar_field=first.grammar_field,
    )


def _ask(client: httpx2.Client, settings: ServerSettings, address: Address) -> _Said:
    listed = _get(client, settings, address, "/v1/models").get("data")
    entries = [one for one in listed or [] if isinstance(one, dict)]
    entry = _choose(entries, settings, address)
    name = settings.model or str(entry.get("id"))
    identity: dict[str, Any] = {"model": _basename(name)}
    if settings.kind == "vllm":
        identity["root"] = _basename(str(entry.get("root", "")))
        field = _grammar_field(_get(client, settings, address, "/version", optional=True))
        return _Said(name, identity, _count(entry.get("max_model_len")), field)
    props = _get(client, settings, address, "/props", optional=True)
    meta, slot = _object(entry.get("meta")), _object(props.get("default_generation_settings"))
    identity |= {key: meta.get(key) for key in _STABLE}
    identity["file"] = _basename(str(props.get("model_path", "")))
    identity["chat_template"] = props.get("chat_template")
    return _Said(name, identity, _count(slot.get("n_ctx")), "grammar")


def _choose(
    entries: list[dict[str, Any]], settings: ServerSettings, address: Address
) -> dict[str, Any]:
    named = [one for one in entries if one.get("id") == settings.model]
    if named:
        return named[0]
    # llama-server with one model answers to every name
    if len(entries) == 1 and (not settings.model or settings.kind == "llama-server"):
        return entries[0]
    names = ", ".join(str(one.get("id")) for one in entries) or "none"
    raise ConfigError(
        f"`model: {settings.model}`: {address.root} serves other models ({names}). "
        "Name one of them."
    )


def _get(
    client: httpx2.Client,
    settings: ServerSettings,
    address: Address,
    path: str,
    optional: bool = False,
) -> dict[str, Any]:
    params = {"model": settings.model} if path == "/props" and settings.model else None
    try:
        response = client.get(address.root + path, params=params, auth=address.login)
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        raise ServerError(
            f"{address.root}: not reachable ({type(error).__name__}). Start the server, or "
            "correct `url`."
        ) from None
    if optional and response.status_code in (404, 405, 501):
        return {}
    if response.status_code == 503:
        raise ServerError(
            f"{address.root}: not ready yet (503: {settings.key.scrub(read_message(response.text))}"
            "). Wait until its model is loaded."
        )
    if response.status_code >= 300:
        raise explain_refusal(settings, address, path, response.status_code, response.text)
    try:
        value = response.json()
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ServerError(f"{address.root}{path}: not a model server's answer. Check `url`.")
    return value


def _grammar_field(version: dict[str, Any]) -> GrammarField:
    found = re.match(r"(\d+)\.(\d+)", str(version.get("version", "")))
    old = found is not None and (int(found[1]), int(found[2])) < (0, 11)
    return "guided_grammar" if old else "structured_outputs"


def _basename(path: str) -> str:
    return re.split(r"[/\\]", path)[-1]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
