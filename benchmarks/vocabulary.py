"""Vocabularies of random models: taken out of a GGUF, cut off or padded, put into another."""

from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from gguf import GGUFReader, GGUFWriter, TokenType

from generation_functions.errors import ModelError


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A byte-level BPE vocabulary as a GGUF holds it; `first` and `last` open and end a text."""

    kind: str
    pre: str
    tokens: list[str]
    types: list[int]
    merges: list[str]
    first: int
    last: int


def read_vocabulary(path: Path) -> Vocabulary:
    """Read the vocabulary out of a GGUF."""
    if not path.is_file():
        raise ModelError(f"{path}: no GGUF to take a vocabulary from. `make model` fetches one.")
    reader = GGUFReader(path)

    def get(name: str) -> Any:
        field = reader.get_field(f"tokenizer.ggml.{name}")
        if field is None:
            raise ModelError(f"{path}: no tokenizer.ggml.{name}; a byte-level BPE model is needed.")
        return field.contents()

    first, last = get("bos_token_id"), get("eos_token_id")
    arrays = get("tokens"), get("token_type"), get("merges")
    return Vocabulary(get("model"), get("pre"), *arrays, first=first, last=last)


def resize_vocabulary(vocabulary: Vocabulary, count: int) -> Vocabulary:
    """Return the first `count` tokens with their merges, or more tokens, of invented words.

    The words are ordinary tokens, so that a grammar treats them like any other.
    """
    tokens, types = vocabulary.tokens[:count], vocabulary.types[:count]
    known = set(tokens)
    merges = [
        one for one in vocabulary.merges if known.issuperset([*one.split(), one.replace(" ", "")])
    ]
    for letters in product(ascii_lowercase, repeat=5):
        if len(tokens) == count:
            break
        word = "Ġ" + "".join(letters)
        if word not in known:
            tokens.append(word)
            types.append(TokenType.NORMAL)
    return replace(vocabulary, tokens=tokens, types=types, merges=merges)


def add_vocabulary(writer: GGUFWriter, vocabulary: Vocabulary) -> None:
    """Add a vocabulary to a GGUF's metadata."""
    writer.add_tokenizer_model(vocabulary.kind)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    writer.add_token_merges(vocabulary.merges)
    writer.add_bos_token_id(vocabulary.first)
    writer.add_eos_token_id(vocabulary.last)


def write_vocabulary(path: Path, vocabulary: Vocabulary) -> None:
    """Write a GGUF that holds a vocabulary and no tensors."""
    writer = GGUFWriter(path, "llama")
    add_vocabulary(writer, vocabulary)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
