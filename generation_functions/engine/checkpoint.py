"""A Hugging Face checkpoint in a folder, asked with transformers: for exams, and for nothing else.

It knows no grammar: a reply is the likeliest text up to the end of its first line. torch and
transformers are imported when the model is loaded; this program does not install torch.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from generation_functions.engine.chat import merge_system, render_text
from generation_functions.engine.model_facts import ModelFacts
from generation_functions.engine.protocol import Completion, Message, Request
from generation_functions.errors import ModelError, PromptTooLong

_SAMPLE = 1 << 20  # bytes at both ends of a file of weights that are looked at
_SUFFIXES = {".json", ".safetensors", ".bin", ".model", ".jinja"}
_DEFAULT_CONTEXT = 2048
_CONTEXTS = ("max_position_embeddings", "n_positions", "max_seq_len")  # what families call it


class CheckpointEngine:
    """Answers requests with a checkpoint, one at a time, by greedy decoding."""

    def __init__(self, folder: Path) -> None:
        """Raises ModelError for a folder without a model; nothing is loaded."""
        if not (folder / "config.json").is_file():
            raise ModelError(
                f"{folder}: no config.json in this folder, so it is no checkpoint. Give the folder "
                "that save_pretrained or Axolotl wrote; of a LoRA the merged model."
            )
        self.folder = folder
        self._context = read_context(folder)
        self._fingerprint = read_fingerprint(folder)
        self._model: Any = None
        self._tokenizer: Any = None
        self._turn = asyncio.Lock()

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(self._fingerprint, name=self.folder.name)

    @property
    def context(self) -> int:
        """Tokens of a prompt and its reply; the same before the model is loaded."""
        return self._context

    @property
    def takes_memory(self) -> bool:
        return True

    async def start(self) -> None:
        """Load model and tokenizer. Raises ModelError where torch is missing or loading fails."""
        if self._model is None:
            self._model, self._tokenizer = await asyncio.to_thread(load_checkpoint, self.folder)

    async def complete(self, request: Request) -> Completion:
        async with self._turn:
            return await asyncio.to_thread(self._generate, request)

    async def close(self) -> None:
        """Let the model go, and what the GPU kept for it."""
        self._model = self._tokenizer = None
        await asyncio.to_thread(_empty_cache)

    def _generate(self, request: Request) -> Completion:
        started = time.monotonic()
        inputs = self._read(request)
        length = int(inputs["input_ids"].shape[1])
        if length + request.max_tokens > self.context:
            raise PromptTooLong(f"a prompt of {length} tokens, a context of {self.context}")
        drawn = self._model.generate(
            **inputs,
            max_new_tokens=request.max_tokens,
            do_sample=False,
            pad_token_id=self._tokenizer.eos_token_id,
        )[0][length:]
        text = str(self._tokenizer.decode(drawn, skip_special_tokens=True))
        seconds = time.monotonic() - started
        return Completion(take_line(text), "stop", length, 0, len(drawn), seconds)

    def _read(self, request: Request) -> Any:
        """Return the prompt's tensors, by the tokenizer's chat template or as plain text."""
        if request.completion_mode:
            read = self._tokenizer(render_text(request.messages), return_tensors="pt")
        elif not self._tokenizer.chat_template:
            raise ModelError(
                f"{self.folder}: its tokenizer has no chat template. Score it with --plain."
            )
        else:
            try:
                read = self._render(request.messages)
            except TemplateError:  # a template that knows no system role
                read = self._render(merge_system(request.messages))
        return read.to(self._model.device)

    def _render(self, messages: Sequence[Message]) -> Any:
        return self._tokenizer.apply_chat_template(
            [{"role": one.role, "content": one.content} for one in messages],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
        )


def take_line(text: str) -> str:
    """Return the first line of a text that says something, "" where none does."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def read_context(folder: Path) -> int:
    """Return how many tokens a checkpoint takes, as its config.json says, 2048 where it does not.

    Raises ModelError for a config.json that is none.
    """
    try:
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        parts = (values, values.get("text_config") or {})
        told = [part[name] for part in parts for name in _CONTEXTS if part.get(name)]
        return int(told[0]) if told else _DEFAULT_CONTEXT
    except (ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / 'config.json'}: no config of a model: {error}") from error


def read_fingerprint(folder: Path) -> str:
    """Return a hash of a checkpoint's files: their names and sizes, and samples of their bytes."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in _SUFFIXES and file.is_file():
            size = file.stat().st_size
            digest.update(f"{file.name}\x1f{size}\x1f".encode())
            with file.open("rb") as content:
                digest.update(content.read(_SAMPLE))
                content.seek(max(0, size - _SAMPLE))
                digest.update(content.read())
    return f"checkpoint-{digest.hexdigest()[:32]}"


def load_checkpoint(folder: Path) -> tuple[Any, Any]:
    """Return model and tokenizer, on the GPU where torch sees one."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ModelError(
            f"{folder}: a checkpoint is asked with torch and transformers, and {error.name} cannot "
            "be imported. `pip install torch transformers`, or make a GGUF of it."
        ) from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, dtype=torch.bfloat16
        )
        model.to("cuda" if torch.cuda.is_available() else "cpu")
    except (OSError, ValueError, RuntimeError) as error:  # the last: of torch, also out of memory
        raise ModelError(f"{folder}: transformers cannot load it: {error}") from error
    return model.eval(), tokenizer


def _empty_cache() -> None:
    import sys

    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
