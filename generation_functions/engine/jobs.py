"""A request as the engine's process takes it: rendered with the model's chat template."""

from dataclasses import asdict
from typing import Any

from generation_functions.engine.chat import open_thinking, render_chat, render_head, render_text
from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.protocol import Request


def make_job(model: ModelFile, request: Request, seconds: float) -> dict[str, Any]:
    """Return the values of a `task.Job`, all but its id; `seconds` is the most it may take."""
    head, thinking = request.messages[: request.shared], request.thinking > 0
    think_end = ""
    if request.completion_mode:
        prompt, prefix = render_text(request.messages), render_text(head) if head else ""
    else:
        prompt = render_chat(model, request.messages, thinking=thinking)
        prefix = render_head(model, head, thinking)
        prompt, think_end = open_thinking(model, prompt, thinking)
    return {
        "prompt": prompt,
        "shared": len(prefix) if prompt.startswith(prefix) else 0,
        "grammar": request.grammar,
        "sampling": asdict(request.sampling),
        "seed": request.seed,
        "max_tokens": request.max_tokens,
        "stop": request.stop,
        "thinking": request.thinking if think_end else 0,
        "think_end": think_end,
        "seconds": seconds,
    }
