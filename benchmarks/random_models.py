"""Writes GGUFs with random weights in the shapes of real models, for measuring speed only.

    python -m benchmarks.random_models 7b [--models FOLDER] [--vocabulary GGUF]

A model costs as much as a real one of its shape and answers nonsense. Weights are random
bytes in blocks of the types that llama.cpp's Q4_K_M uses, at the same places; the scale of
the blocks is chosen so that weights have a standard deviation of 1/sqrt(width). RMSNorm
hands each matrix inputs near 1, so what a layer adds is near 1 too, and nothing overflows
however many layers there are. Vocabulary and merges come from the embedded model, cut off
or padded with invented words to the shape's size.
"""

import argparse
import math
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from benchmarks.vocabulary import (
    Vocabulary,
    add_vocabulary,
    read_vocabulary,
    resize_vocabulary,
)
from generation_functions.engine.gguf import read_model
from generation_functions.errors import ModelError

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "outputs" / "random_models"
EMBEDDED = ROOT / "logical_models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
Q4_K, Q6_K = GGMLQuantizationType.Q4_K, GGMLQuantizationType.Q6_K
Q8_0 = GGMLQuantizationType.Q8_0
# Blocks in the pattern that fills the tensors: odd, so that rows of 2^n blocks begin at
# another place each, and more than the rows of any tensor.
_BLOCKS = 131_101
# Standard deviation of a weight whose block has scale 1 and random bytes for the rest.
# Q4_K: d sc q - dmin m with dmin = 7.5 d; q in 0..15, sc and m in 0..63. Q6_K: d sc (q - 32);
# q in 0..63, sc in -128..127. Q8_0: d q; q in -128..127.
_SPREAD = {Q4_K: 257.8, Q6_K: 1365.4, Q8_0: 73.9}


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a Llama-like model decides its cost."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int
    context: int
    rope_base: float


SHAPES = {
    "tiny": Shape(2, 256, 4, 2, 512, 2048, 8192, 1e4),  # for tests
    "135m": Shape(30, 576, 9, 3, 1536, 49152, 8192, 1e5),  # SmolLM2-135M
    "1b": Shape(16, 2048, 32, 8, 8192, 128256, 131072, 5e5),  # Llama-3.2-1B
    "7b": Shape(32, 4096, 32, 8, 14336, 32000, 32768, 1e4),  # Mistral-7B
    "70b": Shape(80, 8192, 64, 8, 28672, 128256, 8192, 5e5),  # Llama-3-70B
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of random blocks, or, without a type, of ones in 32 bits."""

    name: str
    rows: int
    width: int
    type: GGMLQuantizationType | None

    @property
    def bytes(self) -> int:
        """Bytes in the file."""
        return self.row_bytes * self.rows

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        if self.type is None:
            return self.width * 4
        values, size = GGML_QUANT_SIZES[self.type]
        return self.width // values * size


def list_tensors(shape: Shape) -> list[Tensor]:
    """Return the tensors of a Llama, with types as llama.cpp's Q4_K_M has them."""
    cache = shape.width // shape.heads * shape.kv_heads
    tensors = [_matrix("token_embd", shape.vocabulary, shape.width, False)]
    for layer in range(shape.layers):
        better = _deserves_more_bits(layer, shape.layers)
        name = f"blk.{layer}"
        tensors += [
            Tensor(f"{name}.attn_norm.weight", 1, shape.width, None),
            _matrix(f"{name}.attn_q", shape.width, shape.width, False),
            _matrix(f"{name}.attn_k", cache, shape.width, False),
            _matrix(f"{name}.attn_v", cache, shape.width, better),
            _matrix(f"{name}.attn_output", shape.width, shape.width, False),
            Tensor(f"{name}.ffn_norm.weight", 1, shape.width, None),
            _matrix(f"{name}.ffn_gate", shape.feed_forward, shape.width, False),
            _matrix(f"{name}.ffn_up", shape.feed_forward, shape.width, False),
            _matrix(f"{name}.ffn_down", shape.width, shape.feed_forward, better),
        ]
    tensors.append(Tensor("output_norm.weight", 1, shape.width, None))
    return [*tensors, _matrix("output", shape.vocabulary, shape.width, True)]


def _matrix(name: str, rows: int, width: int, better: bool) -> Tensor:
    fits = width % 256 == 0  # else llama.cpp, too, takes a type with blocks of 32
    return Tensor(f"{name}.weight", rows, width, (Q6_K if better else Q4_K) if fits else Q8_0)


def _deserves_more_bits(layer: int, layers: int) -> bool:
    """As `use_more_bits` in llama.cpp's llama-quant.cpp: the first and last eighth, and a third."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def make_blocks(kind: GGMLQuantizationType, count: int, width: int) -> npt.NDArray[np.uint8]:
    """Return random blocks, (count, bytes of a block), laid out as in ggml-common.h."""
    size = GGML_QUANT_SIZES[kind][1]
    blocks = np.random.default_rng(kind).integers(0, 256, (count, size), np.uint8)
    scale = 1 / math.sqrt(width) / _SPREAD[kind]
    scales = [scale, 7.5 * scale] if kind == Q4_K else [scale]
    place = slice(size - 2, size) if kind == Q6_K else slice(0, 2 * len(scales))
    blocks[:, place] = np.array(scales, np.float16).view(np.uint8)
    return blocks


def write_model(path: Path, shape: Shape, vocabulary: Vocabulary) -> None:
    """Write a GGUF of the shape; it appears whole or not at all."""
    tensors = list_tensors(shape)
    partial = path.with_suffix(".partial")
    partial.parent.mkdir(parents=True, exist_ok=True)
    writer = GGUFWriter(partial, "llama")
    _add_shape(writer, path.stem, shape)
    add_vocabulary(writer, resize_vocabulary(vocabulary, shape.vocabulary))
    for one in tensors:
        if one.type is None:
            writer.add_tensor_info(one.name, [one.width], np.dtype(np.float32), one.bytes)
        else:
            byte_shape = [one.rows, one.row_bytes]
            writer.add_tensor_info(one.name, byte_shape, np.dtype(np.uint8), one.bytes, one.type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    align = writer.data_alignment
    writer.close()
    with partial.open("ab") as file:
        file.write(bytes(-file.tell() % align))
        patterns = {
            kind: make_blocks(kind, _BLOCKS, shape.width)
            for kind in {one.type for one in tensors if one.type is not None}
        }
        starts = np.random.default_rng(0).integers(0, _BLOCKS, len(tensors))
        for one, start in zip(tensors, starts, strict=True):
            if one.type is None:
                file.write(np.ones(one.width, np.float32).data)
            else:
                for piece in _fill(one.bytes, patterns[one.type], int(start)):
                    file.write(piece)
            file.write(bytes(-one.bytes % align))
    partial.replace(path)


def _fill(count: int, blocks: npt.NDArray[np.uint8], start: int) -> Iterator[memoryview]:
    """Yield `count` bytes of the pattern, from block `start` round and round."""
    whole = blocks.reshape(-1).data
    position = start * blocks.shape[1]
    while count:
        piece = whole[position : position + count]
        yield piece
        count -= len(piece)
        position = 0


def _add_shape(writer: GGUFWriter, name: str, shape: Shape) -> None:
    writer.add_name(f"{name} (random weights)")
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(shape.vocabulary)


def file_name(name: str) -> str:
    """Return the name of the file of a shape."""
    return f"random-{name}.gguf"


def size_of(name: str) -> int:
    """Return the bytes that the weights of a shape take."""
    return sum(one.bytes for one in list_tensors(SHAPES[name]))


def ensure_model(name: str, folder: Path, vocabulary: Path) -> tuple[Path, float]:
    """Return the model of a shape in `folder` and the seconds that writing it took, 0 if there.

    Raises ModelError where the disk lacks the room.
    """
    path, size = folder / file_name(name), size_of(name)
    if path.exists() and read_model(path).size >= size:
        return path, 0.0
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < size * 1.02:
        raise ModelError(f"{folder}: {path.name} takes {size:,} bytes, and {free:,} are free.")
    started = time.monotonic()
    write_model(path, SHAPES[name], read_vocabulary(vocabulary))
    return path, time.monotonic() - started


def main() -> None:
    """Write one model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shape", choices=list(SHAPES))
    parser.add_argument("--models", type=Path, default=FOLDER, help="folder to write into")
    parser.add_argument("--vocabulary", type=Path, default=EMBEDDED, help="GGUF to take it from")
    options = parser.parse_args()
    path, seconds = ensure_model(options.shape, options.models, options.vocabulary)
    size = path.stat().st_size
    speed = (
        f" in {seconds:.1f} s, {size / seconds / 1e9:.2f} GB/s" if seconds else ", there already"
    )
    print(f"{path}: {size / 1e9:.2f} GB{speed}")


if __name__ == "__main__":
    main()
