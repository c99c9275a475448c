"""The bodies that are sent to a server, and the replies that come back.

Grammars: llama-server takes GBNF in `grammar`. vLLM takes it in `structured_outputs` from
0.11 on; before, in `guided_grammar`, which 0.12 removed. Either is ignored in silence by a
version that does not know it. vLLM's xgrammar reads our dialect with these limits:
`{,n}` is written `{0,n}`; the hex digits of `\\x` go on as long as there are any, so that
`\\x20a` is one character; two repetitions on one element need parentheses.

Sampling: llama-server draws in our own order (`samplers`); vLLM always applies the
temperature first, then min-p, then top-k and top-p. Thinking: llama-server has
`thinking_budget_tokens`, but binds the thinking too with a request's grammar
(ggml-org/llama.cpp#22537), so that both together are refused here. vLLM begins the grammar
after the thinking when it is started with --reasoning-parser, and bounds it with
`thinking_token_budget`, where it has that (0.20).
"""

from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from generation_functions.engine.chat import render_text
from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.server_settings import ServerKind
from generation_functions.errors import PromptTooLong, ServerError

GrammarField = Literal["grammar", "structured_outputs", "guided_grammar"]

_RANDOM_SEED = 2**32 - 1  # llama.cpp takes this one as "any"
_CHAT, _COMPLETION = "/v1/chat/completions", "/v1/completions"


class _PromptDetails(BaseModel):
    cached_tokens: int | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None


class _Timings(BaseModel):
    cache_n: int | None = None


class _Message(BaseModel):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(BaseModel):
    message: _Message = _Message()
    text: str | None = None
    finish_reason: str | None = None


class _Details(BaseModel):
    truncated: bool = False


class _Reply(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage = _Usage()
    timings: _Timings = _Timings()
    truncated: bool = False
    details: _Details = Field(default=_Details(), alias="__verbose")


def write_body(
    request: Request, kind: ServerKind, model: str, grammar_field: GrammarField
) -> tuple[str, dict[str, Any]]:
    """Return the path that a request is sent to, and its JSON."""
    sampling = request.sampling
    body: dict[str, Any] = {
        "model": model,
        "stream": False,
        "max_tokens": most_tokens(request),
        "seed": request.seed,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
    }
    if request.stop:
        body["stop"] = list(request.stop)
    if request.grammar:
        in_object = grammar_field == "structured_outputs"
        body[grammar_field] = {"grammar": request.grammar} if in_object else request.grammar
    if request.completion_mode:
        body["prompt"] = render_text(request.messages)
    else:
        body["messages"] = [{"role": one.role, "content": one.content} for one in request.messages]
        body["chat_template_kwargs"] = {"enable_thinking": request.thinking > 0}
    body.update(_for_llama_server(request) if kind == "llama-server" else _for_vllm(request))
    return (_COMPLETION if request.completion_mode else _CHAT), body


def most_tokens(request: Request) -> int:
    """Return the most tokens of a reply, with the thinking before it."""
    return request.max_tokens + (0 if request.completion_mode else request.thinking)


def _for_llama_server(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {
        "samplers": ["top_k", "min_p", "top_p", "temperature"],
        "cache_prompt": True,
        "seed": min(request.seed, _RANDOM_SEED - 1),
    }
    if request.completion_mode:
        return body
    if request.thinking and request.grammar:
        raise ServerError(
            "llama-server binds the thinking too with a grammar: set `thinking: 0` for this "
            "model, or use it as a `gguf`."
        )
    if request.thinking:
        body["thinking_budget_tokens"] = request.thinking
    elif request.grammar:
        body["reasoning_format"] = "none"  # the reply as it is, not searched for thinking
    return body


def _for_vllm(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = {"repetition_penalty": 1.0}  # a model's generation_config may differ
    if request.thinking and not request.completion_mode:
        body["thinking_token_budget"] = request.thinking
    return body


def read_reply(content: bytes, request: Request, context: int, seconds: float) -> Completion:
    """Read a server's answer; `context` is what its slot holds, 0 when it did not say.

    Raises PromptTooLong when the server cut the prompt, or the reply for want of room,
    and ServerError for what is no completion.
    """
    try:
        reply = _Reply.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ServerError(f"no completion in the answer: {place}: {first['msg']}") from None
    choice, usage = reply.choices[0], reply.usage
    full = 0 < context < usage.prompt_tokens + usage.completion_tokens
    if reply.truncated or reply.details.truncated or full:
        raise PromptTooLong(
            f"the server cut the prompt ({usage.prompt_tokens} tokens). Start it with a larger "
            "context and without context shift, or cut smaller chunks."
        )
    if choice.finish_reason not in ("stop", "length"):
        raise ServerError(f"the reply ended with {choice.finish_reason!r}, not `stop` or `length`.")
    most = most_tokens(request)
    if choice.finish_reason == "length" and 0 < usage.completion_tokens < most:
        raise PromptTooLong(
            f"a prompt of {usage.prompt_tokens} tokens left room for {usage.completion_tokens} "
            f"of {most} tokens. Start the server with a larger context, or cut smaller chunks."
        )
    details = usage.prompt_tokens_details
    cached = details.cached_tokens if details else None
    message = choice.message
    return Completion(
        text=(choice.text if request.completion_mode else message.content) or "",
        finish_reason="stop" if choice.finish_reason == "stop" else "length",
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=(cached if cached is not None else reply.timings.cache_n) or 0,
        completion_tokens=usage.completion_tokens,
        seconds=seconds,
        thinking=message.reasoning_content or message.reasoning or "",
    )
