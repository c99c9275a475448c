"""What a server's refusal means, in words that say what to do."""

import json

from generation_functions.addresses import Address, hide_logins
from generation_functions.engine.server_settings import ServerSettings
from generation_functions.errors import GrammarError, PalimpsestError, PromptTooLong, ServerError

# llama.cpp: type exceed_context_size_error; vLLM and OpenAI: maximum context length.
_CONTEXT_WORDS = ("exceed_context_size", "context size", "context length", "maximum model length")
# llama.cpp: Failed to initialize samplers: failed to parse grammar; xgrammar: EBNF parser error.
_GRAMMAR_WORDS = ("grammar", "initialize samplers", "ebnf", "structured_outputs")
_MOST_CHARACTERS = 400


def explain_refusal(
    settings: ServerSettings, address: Address, path: str, status: int, body: str
) -> PalimpsestError:
    """Return the error that an HTTP status of 300 or more is."""
    said = settings.key.scrub(read_message(body))
    lower = body.lower()
    if status in (401, 403):
        return ServerError(f"{address.root}: refused ({status}). {_explain_key(settings, address)}")
    if status == 404:
        return ServerError(
            f"{address.root}{path}: not found (404), asked for the model {settings.model!r}: "
            f"{said} Check `url`, `server` and `model`."
        )
    if 300 <= status < 400:
        return ServerError(f"{address.root}{path}: redirects ({status}). Give the final `url`.")
    if status in (400, 413, 422):
        if status == 413 or any(word in lower for word in _CONTEXT_WORDS):
            return PromptTooLong(
                f"{address.root}: {said} Start the server with a larger context, or cut "
                "smaller chunks."
            )
        if any(word in lower for word in _GRAMMAR_WORDS):
            return GrammarError(f"{address.root} ({settings.kind}) takes no such grammar: {said}")
    return ServerError(f"{address.root}{path}: answered {status}: {said}")


def read_message(body: str) -> str:
    """Return the message in an error's JSON, or the beginning of another body."""
    try:
        value = json.loads(body)
    except ValueError:
        value = body
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and name in value:
            value = value[name]
    text = hide_logins(" ".join(str(value).split()))
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + " ..."


def _explain_key(settings: ServerSettings, address: Address) -> str:
    if settings.key.variable:
        return f"The key is read from the environment variable {settings.key.variable}."
    if address.login:
        return "The login in `url` is not accepted."
    return "No key was sent: name its environment variable in `api_key_env`."
