"""What models of common shapes take in memory, by the program's own planner; nothing is loaded.

python -m benchmarks.model_memory        # prints the tables of docs/models.md
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.random_models import Q6_K, SHAPES, Shape, Tensor, list_tensors
from generation_functions.engine.devices import Machine, Memory
from generation_functions.engine.fitting import choose_plan
from generation_functions.engine.footprint import cache_bytes, count_cells, read_footprint
from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.plan import lay_out, say_size
from generation_functions.errors import ModelError

_GIB = 1 << 30
CARDS = (8, 12, 16, 24, 48, 80)  # GiB of a GPU
SLOTS = (1, 4, 16)
DEFAULTS = LoadSettings("", slots=0, context=4096, batch=512, gpu_layers=-1, threads=4)
_HOST = Memory("this machine", 1000 * _GIB, 1000 * _GIB)


@dataclass(frozen=True, slots=True)
class Known:
    """A shape by the name of a model that has it; `tied`: input and output share their weights."""

    name: str
    shape: Shape
    tied: bool = False


MODELS = (
    Known("1.5B (Qwen2.5)", Shape(28, 1536, 12, 2, 8960, 151936, 32768, 1e6), tied=True),
    Known("7B (Mistral v0.3)", SHAPES["7b"]),
    Known("8B (Llama 3.1)", replace(SHAPES["7b"], vocabulary=128256, context=131072)),
    Known("14B (Qwen2.5)", Shape(48, 5120, 40, 8, 13824, 152064, 32768, 1e6)),
    Known("32B (Qwen2.5)", Shape(64, 5120, 40, 8, 27648, 152064, 32768, 1e6)),
    Known("70B (Llama 3.3)", replace(SHAPES["70b"], context=131072)),
)


def make_model(known: Known) -> ModelFile:
    """Return the header that a Q4_K_M of the shape would have."""
    shape, tensors = known.shape, list_tensors(known.shape)
    sizes = {one.name: one.bytes for one in tensors}
    if known.tied:
        del sizes["output.weight"]
        tied = Tensor("token_embd.weight", shape.vocabulary, shape.width, Q6_K)
        sizes[tied.name] = tied.bytes
    entries = {
        "block_count": shape.layers,
        "context_length": shape.context,
        "embedding_length": shape.width,
        "feed_forward_length": shape.feed_forward,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
    }
    return ModelFile(
        path=Path(known.name),
        parts=(),
        metadata={"general.architecture": "llama"}
        | {f"llama.{name}": value for name, value in entries.items()},
        special_tokens=frozenset(),
        bos="",
        eos="",
        fingerprint="",
        size=sum(sizes.values()),
        tensors=sizes,
        parameters=0,
        vocabulary=shape.vocabulary,
    )


def list_needs(known: Known) -> list[str]:
    """Return a row: weights, cache of a token, a GPU's sum for each of SLOTS, and with q8_0."""
    model = make_model(known)
    shape = read_footprint(model)
    one = replace(DEFAULTS, slots=1)
    cells, _ = count_cells(one)
    cache = sum(cache_bytes(layer, one) for layer in shape.layers) // cells

    def need(slots: int, kv_type: str = "f16") -> str:
        settings = replace(DEFAULTS, slots=slots, kv_type=kv_type)
        machine = Machine(_HOST, (Memory("GPU", 1000 * _GIB, 1000 * _GIB),), True)
        return say_size(lay_out(shape, settings, machine).shares[-1].need)

    sums = [need(slots) for slots in SLOTS]
    return [known.name, say_size(model.size), f"{cache:,}", *sums, need(SLOTS[-1], "q8_0")]


def list_slots(known: Known) -> list[str]:
    """Return a row: the slots that the program chooses on each of CARDS, all of it being free."""
    row = [known.name]
    for size in CARDS:
        gpu = Memory("GPU", size * _GIB, size * _GIB)
        try:
            plan = choose_plan(make_model(known), DEFAULTS, Machine(_HOST, (gpu,), True))
        except ModelError:
            row.append("–")
        else:
            row.append(str(plan.slots))
    return row


def make_tables() -> str:
    """Return both tables as Markdown."""
    sums = (f"a GPU, {slots} slot{'s' if slots > 1 else ''}" for slots in SLOTS)
    needs = ["model, Q4_K_M", "weights", "cache of a token, bytes", *sums]
    needs.append(f"{SLOTS[-1]} slots, `q8_0`")
    cards = ["slots of 4096 tokens on a GPU of", *(f"{size} GiB" for size in CARDS)]
    parts = (
        _draw(needs, map(list_needs, MODELS)),
        _draw(cards, map(list_slots, MODELS)),
    )
    return "\n\n".join(parts)


def _draw(head: list[str], rows: Iterator[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(make_tables())
