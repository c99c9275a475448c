"""Read a GGUF file's header: metadata, tensor table, completeness and a fingerprint.

Format: ggml-org/ggml, docs/gguf.md. Only the header is read, so a 40 GB file takes
well under a second; of the arrays only short ones of numbers are kept (values for each
layer), the others are skipped.
"""

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from generation_functions.errors import ModelError

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9
_WANTED_ARRAYS = {"tokenizer.ggml.tokens", "tokenizer.ggml.token_type"}
_SHORT_ARRAY = 1024  # entries; more than any model has layers
_CONTROL_TOKEN = 3
_SAMPLES, _SAMPLE_BYTES = 48, 4096

# ggml type -> (values in a block, bytes of a block), from ggml-common.h and ggml.c
_TYPE_SIZES = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    16: (256, 66),
    17: (256, 74),
    18: (256, 98),
    19: (256, 50),
    20: (32, 18),
    21: (256, 110),
    22: (256, 82),
    23: (256, 136),
    24: (1, 1),
    25: (1, 2),
    26: (1, 4),
    29: (256, 56),
    30: (1, 2),
    34: (256, 54),
    35: (256, 66),
    39: (32, 17),
    40: (64, 36),
    41: (128, 18),
}


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A GGUF with all its parts.

    `metadata` holds the scalar entries and short arrays of numbers of the first part,
    `tensors` the bytes that each tensor takes in the file, `parameters` the number of their
    values, `vocabulary` the number of tokens.
    """

    path: Path
    parts: tuple[Path, ...]
    metadata: dict[str, Any]
    special_tokens: frozenset[str]
    bos: str
    eos: str
    fingerprint: str
    size: int
    tensors: dict[str, int]
    parameters: int
    vocabulary: int

    @property
    def architecture(self) -> str:
        """The architecture's name, as llama.cpp has it."""
        return str(self.metadata.get("general.architecture", ""))

    @property
    def context_length(self) -> int | None:
        """Tokens of context that the model was trained with."""
        return self.metadata.get(f"{self.architecture}.context_length")

    @property
    def chat_template(self) -> str | None:
        """The Jinja chat template, or None for a base model."""
        return self.metadata.get("tokenizer.chat_template")


class _Reader:
    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path

    def take(self, layout: str) -> Any:
        size = struct.calcsize("<" + layout)
        data = self._file.read(size)
        if len(data) < size:
            raise ModelError(f"{self._path}: the file is cut short in its header. Copy it again.")
        return struct.unpack("<" + layout, data)[0]

    def text(self) -> str:
        size = self.take("Q")
        data = self._file.read(size)
        if len(data) < size:
            raise ModelError(f"{self._path}: the file is cut short in its header. Copy it again.")
        return data.decode("utf-8", "replace")

    def value(self, kind: int, wanted: bool) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            if kind not in _SCALARS:
                raise ModelError(f"{self._path}: unknown metadata type {kind}; a damaged file?")
            return self.take(_SCALARS[kind])
        inner, count = self.take("I"), self.take("Q")
        if inner in _SCALARS:
            width = struct.calcsize("<" + _SCALARS[inner])
            data = self._file.read(width * count)
            if len(data) < width * count:
                raise ModelError(f"{self._path}: cut short in its header. Copy it again.")
            short = count <= _SHORT_ARRAY
            return struct.unpack(f"<{count}{_SCALARS[inner]}", data) if wanted or short else None
        items = [self.value(inner, wanted) for _ in range(count)]
        return items if wanted else None


def read_model(path: Path) -> ModelFile:
    """Read a GGUF's header and check that the file (all parts of a split one) is whole.

    Raises ModelError naming the file and what to do.
    """
    parts = _find_parts(path)
    digest = hashlib.sha256()
    first: dict[str, Any] = {}
    tensors: dict[str, int] = {}
    parameters = 0
    for part in parts:
        metadata, sizes, values = _read_part(part, digest)
        first = first or metadata
        tensors |= sizes
        parameters += values
    tokens = first.pop("tokenizer.ggml.tokens", None) or []
    types = first.pop("tokenizer.ggml.token_type", None) or []
    return ModelFile(
        path=path,
        parts=parts,
        metadata=first,
        special_tokens=frozenset(
            token
            for token, kind in zip(tokens, types, strict=False)
            if kind == _CONTROL_TOKEN and token
        ),
        bos=_token(tokens, first.get("tokenizer.ggml.bos_token_id")),
        eos=_token(tokens, first.get("tokenizer.ggml.eos_token_id")),
        fingerprint=digest.hexdigest()[:32],
        size=sum(part.stat().st_size for part in parts),
        tensors=tensors,
        parameters=parameters,
        vocabulary=len(tokens),
    )


def list_models(folder: Path) -> Iterator[Path]:
    """Yield the GGUFs of a folder, of a split one its first part only."""
    for path in sorted(folder.glob("*.gguf")):
        match = re.search(r"-(\d{5})-of-\d{5}\.gguf$", path.name)
        if not match or int(match[1]) == 1:
            yield path


def _find_parts(path: Path) -> tuple[Path, ...]:
    if not path.is_file():
        there = ", ".join(one.name for one in list_models(path.parent)) or "no GGUF at all"
        raise ModelError(f"{path}: no such model. In {path.parent} there is: {there}.")
    match = re.fullmatch(r"(.*)-(\d{5})-of-(\d{5})\.gguf", path.name)
    if not match:
        return (path,)
    names = [
        f"{match[1]}-{number:05d}-of-{match[3]}.gguf" for number in range(1, int(match[3]) + 1)
    ]
    parts = tuple(path.with_name(name) for name in names)
    missing = [part.name for part in parts if not part.is_file()]
    if missing:
        raise ModelError(f"{path}: parts of this split model are missing: {', '.join(missing)}.")
    return parts


def _read_part(path: Path, digest: Any) -> tuple[dict[str, Any], dict[str, int], int]:
    """Return a part's metadata, the bytes of each of its tensors, and the values in all."""
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise ModelError(f"{path}: not a GGUF file (it does not begin with the letters GGUF).")
        reader = _Reader(file, path)
        version = reader.take("I")
        if version not in (2, 3):
            raise ModelError(f"{path}: GGUF version {version} is not supported (2 and 3 are).")
        tensor_count, entry_count = reader.take("Q"), reader.take("Q")
        metadata: dict[str, Any] = {}
        for _ in range(entry_count):
            key = reader.text()
            value = reader.value(reader.take("I"), key in _WANTED_ARRAYS)
            if value is not None:
                metadata[key] = value
        end = together = 0
        offsets: dict[str, int] = {}
        for _ in range(tensor_count):
            name = reader.text()
            values = 1
            for _ in range(reader.take("I")):
                values *= reader.take("Q")
            together += values
            block, width = _TYPE_SIZES.get(reader.take("I"), (1, 0))
            offsets[name] = reader.take("Q")
            end = max(end, offsets[name] + values // block * width)
        header_end = file.tell()
        align = int(metadata.get("general.alignment", 32))
        data_start = (header_end + align - 1) // align * align
        size = path.stat().st_size
        if size < data_start + end:
            raise ModelError(
                f"{path}: the file is cut short: {size:,} bytes of at least {data_start + end:,}. "
                "Copy or download it again."
            )
        file.seek(0)
        digest.update(file.read(header_end))
        for number in range(_SAMPLES):
            file.seek(data_start + (size - data_start) * number // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
    return metadata, _sizes(offsets, size - data_start), together


def _sizes(offsets: dict[str, int], end: int) -> dict[str, int]:
    """Return the bytes from each tensor to the next: right for types not known here, too."""
    names = sorted(offsets, key=offsets.__getitem__)
    starts = [offsets[name] for name in names]
    return {name: b - a for name, (a, b) in zip(names, pairwise([*starts, end]), strict=True)}


def _token(tokens: list[str], number: int | None) -> str:
    return tokens[number] if number is not None and number < len(tokens) else ""
