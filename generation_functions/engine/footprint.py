"""How many bytes a model takes, layer by layer, from its GGUF's header.

KV cache: llama.cpp's llama-kv-cache.cpp (a key and a value for each cell and layer; no
value where attention is latent, MLA). Recurrent state: llama-hparams.cpp (n_embd_r and
n_embd_s, 32-bit). Compute buffers: the tensors that live together at the widest places of
llama.cpp's graph, held against the sizes that it prints (tests/test_plan.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.load_settings import LoadSettings

_CELLS_PAD = 256  # llama.cpp rounds the context up

# kv_type -> (values in a block, bytes of a block), from ggml-common.h
KV_BLOCKS = {
    "f16": (1, 2),
    "bf16": (1, 2),
    "q8_0": (32, 34),
    "q5_1": (32, 24),
    "q5_0": (32, 22),
    "q4_1": (32, 20),
    "q4_0": (32, 18),
}


@dataclass(frozen=True, slots=True)
class Layer:
    """Bytes of weights, values of a key and a value in a cell, bytes of state of a sequence."""

    weights: int
    key: int
    value: int
    state: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """What of a model decides its memory.

    `embedding` and `output` are bytes of weights, `tied` those that the output shares with
    the embedding. `width` to `heads` are values of the widest layer for each token of a
    batch, `head_lengths` those of cached keys and values. `estimate` names what the header
    does not settle.
    """

    layers: tuple[Layer, ...]
    embedding: int
    output: int
    tied: int
    vocabulary: int
    width: int
    feed_forward: int
    heads: int
    head_lengths: tuple[int, ...]
    estimate: str = ""


def read_footprint(model: ModelFile) -> Footprint:
    """Read a model's shape from its header; `estimate` says where that is not enough."""
    get = _getter(model)
    count = int(get("block_count", 0))
    by_layer, embedding, output = _sum_weights(model, count)
    tied = 0 if "output.weight" in model.tensors else model.tensors.get("token_embd.weight", 0)
    width = int(get("embedding_length", 0))
    heads = [_at(get("attention.head_count", 0), i) for i in range(count)]
    lengths = [_head_lengths(get, i, width // (heads[i] or 1)) for i in range(count)]
    kv_heads = [_at(get("attention.head_count_kv", heads[i]), i) for i in range(count)]
    kept = count - int(get("attention.shared_kv_layers", 0))
    state, recurrent = _state_bytes(get), _recurrent(get, count)
    cached = [kv_heads[i] if recurrent[i] != "only" and i < kept else 0 for i in range(count)]
    layers = tuple(
        Layer(
            weights=by_layer[i],
            key=cached[i] * lengths[i][0],
            value=cached[i] * lengths[i][1],
            state=state if recurrent[i] else 0,
        )
        for i in range(count)
    )
    missing = not count or not width or not (any(heads) or any(recurrent))
    doubt = "the header lacks its shape" if missing else ""
    return Footprint(
        layers=layers,
        embedding=embedding,
        output=output + tied,
        tied=tied,
        vocabulary=model.vocabulary or int(get("vocab_size", 0)),
        width=width,
        feed_forward=_feed_forward(get, count),
        heads=max(heads, default=0),
        head_lengths=tuple({n for i in range(count) if cached[i] for n in lengths[i]}),
        estimate="it has recurrent layers" if any(recurrent) else doubt,
    )


def count_cells(settings: LoadSettings) -> tuple[int, int]:
    """Return the cells of the KV cache, and how many of them a token may look over."""
    streams = 1 if settings.unified else settings.sequences
    each = -(-settings.cells // streams // _CELLS_PAD) * _CELLS_PAD
    return each * streams, each


def cache_bytes(layer: Layer, settings: LoadSettings) -> int:
    """Return the bytes of a layer's KV cache and recurrent state.

    Windows do not make it smaller: with `swa_full` a sliding-window layer keeps all cells.
    """
    block, size = KV_BLOCKS[settings.kv_type]
    cells, _ = count_cells(settings)
    return (layer.key + layer.value) * cells // block * size + layer.state * settings.sequences


def buffer_bytes(shape: Footprint, settings: LoadSettings) -> int:
    """Return the bytes that llama.cpp needs beside weights and cache to compute one batch.

    The mask (batch x cells; 16 bits with flash attention), and the largest of: the logits
    (vocabulary x outputs), the activations of a
    feed-forward part, and, without flash attention, the scores (batch x cells x heads).
    """
    _, cells = count_cells(settings)
    batch, flash = settings.batch, settings.flash_attention != "off"
    logits = shape.vocabulary * settings.outputs * 4
    wide = 0 if flash else cells * shape.heads
    layer = batch * 4 * (4 * shape.width + max(3 * shape.feed_forward, wide))
    return batch * cells * (2 if flash else 4) + max(logits, layer)


def _getter(model: ModelFile) -> Callable[[str, Any], Any]:
    def get(key: str, default: Any) -> Any:
        return model.metadata.get(f"{model.architecture}.{key}", default)

    return get


def _at(value: Any, layer: int) -> int:
    """Return a layer's value of an entry that may be one number for all layers."""
    if isinstance(value, tuple):
        return int(value[layer]) if layer < len(value) else 0
    return int(value)


def _sum_weights(model: ModelFile, count: int) -> tuple[list[int], int, int]:
    """Return the bytes of each layer, of the input's tensors and of the output's."""
    layers, rest = [0] * count, {}
    for name, size in model.tensors.items():
        number = name.split(".")[1] if name.startswith("blk.") else ""
        if number.isdigit() and int(number) < count:
            layers[int(number)] += size
        else:
            rest[name] = size
    embedding = sum(size for name, size in rest.items() if "token_embd" in name)
    return layers, embedding, sum(rest.values()) - embedding


def _head_lengths(get: Callable[[str, Any], Any], i: int, default: int) -> tuple[int, int]:
    """Return the values of a head's key and value in layer `i`; windowed layers may differ."""
    window = get("attention.sliding_window_pattern", None)
    swa = "_swa" if isinstance(window, tuple) and _at(window, i) else ""
    key = get(f"attention.key_length{swa}", get("attention.key_length", default))
    value = get(f"attention.value_length{swa}", get("attention.value_length", default))
    return int(key), 0 if get("attention.key_length_mla", 0) else int(value)


def _feed_forward(get: Callable[[str, Any], Any], count: int) -> int:
    """Return the widest feed-forward part that one token passes; of experts, those it uses."""
    dense = max((_at(get("feed_forward_length", 0), i) for i in range(count)), default=0)
    expert = get("expert_feed_forward_length", dense)
    used = int(get("expert_used_count", 0)) + int(get("expert_shared_count", 0))
    return max(dense, used * int(expert))


def _recurrent(get: Callable[[str, Any], Any], count: int) -> list[str]:
    """Return for each layer "" (attention), "only" (state, no cache) or "both"."""
    names = ("ssm.state_size", "wkv.head_size", "shortconv.l_cache", "kda.head_dim")
    if not any(get(name, 0) for name in names):
        return [""] * count
    heads = get("attention.head_count_kv", get("attention.head_count", 0))
    interval = int(get("full_attention_interval", 0))
    listed = get("attention.recurrent_layers", None)
    if isinstance(listed, tuple):
        return ["only" if _at(listed, i) else "" for i in range(count)]
    if interval:
        return ["" if (i + 1) % interval == 0 else "only" for i in range(count)]
    if isinstance(heads, tuple):
        return ["" if _at(heads, i) else "only" for i in range(count)]
    return ["both" if heads and not get("wkv.head_size", 0) else "only"] * count


def _state_bytes(get: Callable[[str, Any], Any]) -> int:
    """Return a sequence's bytes of state in a recurrent layer."""
    width, conv = int(get("embedding_length", 0)), int(get("ssm.conv_kernel", 0))
    wkv, short = int(get("wkv.head_size", 0)), int(get("shortconv.l_cache", 0))
    inner, size = int(get("ssm.inner_size", 0)), int(get("ssm.state_size", 0))
    if wkv:
        return 4 * (2 * width + width * wkv)
    if short:
        return 4 * width * (short - 1)
    shifted = max(conv - 1, 0) * (inner + 2 * int(get("ssm.group_count", 0)) * size)
    return 4 * (shifted + size * inner)
