"""GGUF files for tests: real headers, and holes or zeros for weights.

The format: github.com/ggml-org/ggml/blob/master/docs/gguf.md.
"""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LLAMA_8B = {
    "block_count": 32,
    "context_length": 8192,
    "embedding_length": 4096,
    "feed_forward_length": 14336,
    "attention.head_count": 32,
    "attention.head_count_kv": 8,
}
ALIGNMENT = 32  # of the weights, which follow the header
_UINT32, _BOOL, _STRING, _ARRAY = 4, 7, 8, 9
_INT8 = 24  # as the type of a tensor


def shape_llama(shape: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a model of llama's architecture."""
    named = {f"llama.{key}": value for key, value in shape.items()}
    return {"general.architecture": "llama", **named}


def make_header(entries: Mapping[str, Any], tensors: Mapping[str, int] | None = None) -> bytes:
    """Return a header with its padding; `tensors` are of 8-bit values, by their size in bytes."""
    tensors = tensors or {}
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries))
    for key, value in entries.items():
        header += _text(key) + _value(value)
    offset = 0
    for name, size in tensors.items():
        header += _text(name) + struct.pack("<IQIQ", 1, size, _INT8, offset)
        offset += size
    return header + bytes(-len(header) % ALIGNMENT)


def write_gguf(
    path: Path, entries: Mapping[str, Any], tensors: Mapping[str, int] | None = None
) -> None:
    """Write a header, and a hole for the weights, which takes no room on the disk."""
    header = make_header(entries, tensors)
    path.write_bytes(header)
    with path.open("r+b") as file:
        file.truncate(len(header) + sum((tensors or {}).values()))


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, list):
        kind, layout = (_BOOL, "?") if isinstance(value[0], bool) else (_UINT32, "I")
        return struct.pack(f"<IIQ{len(value)}{layout}", _ARRAY, kind, len(value), *value)
    return struct.pack("<II", _UINT32, value)
