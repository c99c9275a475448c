"""The tokenizer of the model that is to be trained, as Axolotl uses it on segments."""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from generation_functions.errors import ModelError

Count = Callable[[str], int]

_TOKENIZER = "tokenizer_config.json"  # the file that every tokenizer of transformers has


class Tokenizer(Protocol):
    """Text to token ids and back; neither adds BOS, EOS or anything else.

    `bos` and `eos` are the texts of its tokens that begin and end a text, "" where it has none.
    """

    @property
    def bos(self) -> str: ...

    @property
    def eos(self) -> str: ...

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: list[int]) -> str: ...


class HubTokenizer:
    """A tokenizer that transformers has loaded, called as Axolotl's input_output strategy does."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    @property
    def bos(self) -> str:
        return str(self._inner.bos_token or "")

    @property
    def eos(self) -> str:
        return str(self._inner.eos_token or "")

    def encode(self, text: str) -> list[int]:
        return list(self._inner(text, add_special_tokens=False)["input_ids"])

    def decode(self, ids: list[int]) -> str:
        decoded = self._inner.decode(
            ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return str(decoded)


def is_of_hub(name: str) -> bool:
    """Whether a tokenizer is one of the Hugging Face hub, by its name: no file, no folder here."""
    here = Path(name).exists() or Path(name).suffix == ".gguf"
    return not here and re.fullmatch(r"[\w-][\w.-]*(/[\w.-]+)?", name) is not None


def find_cached(model: str) -> str | None:
    """Return the folder that this machine has a model's tokenizer in: its own, or in the cache of
    the Hugging Face hub, which is not asked. None where there is none.
    """
    from huggingface_hub import try_to_load_from_cache

    if (Path(model) / _TOKENIZER).is_file():
        return model
    if not is_of_hub(model):
        return None
    try:
        found = try_to_load_from_cache(model, _TOKENIZER)
    except ValueError:  # no id of the hub
        return None
    return str(Path(found).parent) if isinstance(found, str) else None


def load_tokenizer(name: str) -> HubTokenizer:
    """Load a tokenizer with transformers: a folder, a GGUF, or an id of the Hugging Face hub.

    Raises ModelError, which names it, for one that cannot be loaded.
    """
    from transformers import AutoTokenizer  # takes seconds

    path = Path(name)
    file = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
    place = str(path.parent) if file else name
    try:
        return HubTokenizer(AutoTokenizer.from_pretrained(place, **file))
    except (OSError, ValueError, ImportError) as error:
        hint = " Of a GGUF transformers needs PyTorch and the package gguf." if file else ""
        raise ModelError(
            f"{name}: no tokenizer that transformers can load ({error}). Give the folder of the "
            f"model to be trained, with its tokenizer.json, or its Hugging Face id.{hint}"
        ) from error


def count_tokens(tokenizer: Tokenizer) -> Count:
    """Return a counter of a text's tokens, which remembers the last texts."""
    return lru_cache(maxsize=4096)(lambda text: len(tokenizer.encode(text)))
