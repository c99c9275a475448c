"""From messages to the text that a model reads, by the chat template inside its GGUF."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NoReturn

from jinja2 import Template, TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.protocol import Message
from generation_functions.errors import ModelError

_SEPARATOR = "\n\n----\n\n"
_TODAY = date(2026, 1, 1)  # for templates that tell the date: the same prompt every day


@dataclass(frozen=True, slots=True)
class _Thinking:
    """How a family of models marks its thinking: what opens it, ends it, and leaves it out."""

    opening: str
    ending: str
    skipping: str


_THINKING = (
    *(
        _Thinking(f"{opening}\n", f"{ending}\n\n", f"{opening}\n\n{ending}\n\n")
        for opening, ending in (
            ("<think>", "</think>"),
            ("<thinking>", "</thinking>"),
            ("[THINK]", "[/THINK]"),
            ("<seed:think>", "</seed:think>"),
        )
    ),
    _Thinking(
        "<|START_THINKING|>",
        "<|END_THINKING|><|START_RESPONSE|>",
        "<|START_THINKING|><|END_THINKING|><|START_RESPONSE|>",
    ),
    _Thinking(
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
    ),
)


def _raise(message: str) -> NoReturn:
    raise TemplateError(message)


def render_chat(
    model: ModelFile,
    messages: Iterable[Message],
    open_reply: bool = True,
    thinking: bool = False,
) -> str:
    """Render messages with the model's template, up to where the reply begins.

    The template comes from a file of unknown origin, so it runs in Jinja's sandbox.
    Control tokens that stand in the messages are broken up by a space, so that no
    document can end a turn. Templates without a system role get it with the first
    user message. Raises ModelError for a model without a template, or a broken one.
    """
    if not model.chat_template:
        raise ModelError(
            f"{model.path}: no chat template in this GGUF; it looks like a base model. "
            "Set `completion_mode: true`, or take an instruction-tuned model."
        )
    safe = [Message(one.role, disarm(one.content, model.special_tokens)) for one in messages]
    try:
        return _apply(model, safe, open_reply, thinking)
    except TemplateError:
        merged = merge_system(safe)
        try:
            return _apply(model, merged, open_reply, thinking)
        except TemplateError as error:
            raise ModelError(f"{model.path}: its chat template fails: {error}") from error


def open_thinking(model: ModelFile, prompt: str, wanted: bool) -> tuple[str, str]:
    """Return the prompt with the thinking opened, or left out, and the text that ends it.

    For a model whose template knows no thinking, the prompt stays as it is. Raises
    ModelError when thinking is wanted of such a model.
    """
    template = model.chat_template or ""
    kind = _find_thinking(model)
    if not kind:
        if wanted:
            raise ModelError(
                f"{model.path}: its chat template has no thinking block. Set `thinking: 0`."
            )
        return prompt, ""
    opened = prompt.rstrip().endswith(kind.opening.strip())
    if wanted:
        skipped = prompt.removesuffix(kind.skipping)
        return (prompt if opened else skipped + kind.opening), kind.ending
    if opened:
        return prompt + kind.ending, ""
    if kind.ending.strip() in prompt[-len(kind.skipping) :] or "enable_thinking" in template:
        return prompt, ""
    return prompt + kind.skipping, ""


def knows_thinking(model: ModelFile) -> bool:
    """Whether the model's chat template has a thinking block that can be opened or left out."""
    return _find_thinking(model) is not None


def render_text(messages: Iterable[Message]) -> str:
    """Render messages as plain text for base models: the examples stand before the task."""
    return _SEPARATOR.join(one.content.strip() for one in messages) + _SEPARATOR


def disarm(text: str, special_tokens: frozenset[str]) -> str:
    """Break up control tokens in `text`, so that they are read as plain characters."""
    present = [token for token in special_tokens if token in text]
    if not present:
        return text
    pattern = "|".join(re.escape(token) for token in sorted(present, key=len, reverse=True))
    return re.sub(pattern, lambda match: match[0][:1] + " " + match[0][1:], text)


def _find_thinking(model: ModelFile) -> _Thinking | None:
    template = model.chat_template or ""
    return next((one for one in _THINKING if one.opening.strip() in template), None)


def render_head(model: ModelFile, head: Sequence[Message], thinking: bool) -> str:
    """Render the messages that a step's prompts begin with, or "" where that cannot be done.

    Some templates refuse messages without a user's; the whole prompt renders all the same.
    """
    try:
        return render_chat(model, head, False, thinking) if head else ""
    except ModelError:
        return ""


def _apply(model: ModelFile, messages: Sequence[Message], open_reply: bool, thinking: bool) -> str:
    values: dict[str, Any] = {
        "messages": [{"role": one.role, "content": one.content} for one in messages],
        "add_generation_prompt": open_reply,
        "bos_token": model.bos,
        "eos_token": model.eos,
        "enable_thinking": thinking,  # Qwen3 and what follows it
        "thinking": thinking,  # DeepSeek V3.1, Granite
    }
    return _compile(model.chat_template or "").render(values)


class _Generation(Extension):
    """`{% generation %}`: marks what the model writes, for training; here it does nothing."""

    tags = frozenset({"generation"})  # type: ignore[assignment]

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@lru_cache(maxsize=8)
def _compile(template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
    )
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = _TODAY.strftime
    return environment.from_string(template)


def merge_system(messages: Sequence[Message]) -> Sequence[Message]:
    """Return messages with the system's text before the first user's, as some templates want."""
    if len(messages) < 2 or messages[0].role != "system":
        return messages
    first = Message("user", messages[0].content + "\n\n" + messages[1].content)
    return [first, *messages[2:]]
