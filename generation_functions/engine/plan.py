"""What a model takes on each device: weights, KV cache and buffers, laid out as llama.cpp does."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from itertools import accumulate

from generation_functions.engine.devices import Machine, Memory
from generation_functions.engine.footprint import (
    Footprint,
    buffer_bytes,
    cache_bytes,
    count_cells,
)
from generation_functions.engine.load_settings import LoadSettings

_LEFT_FREE = 0.05  # of each device, where slots are chosen
_MIB = 1024 * 1024
_PROCESS = 100 * _MIB  # Python, numpy and llama.cpp's libraries: 60 after loading
_CUDA = 600 * _MIB  # assumed: a CUDA context, cuBLAS and ggml's pool; not measured here
_COPIES = 4  # of a batch's inputs, where GPUs work in turn (GGML_SCHED_MAX_COPIES)


@dataclass(frozen=True, slots=True)
class Share:
    """What one device holds, in bytes. `mapped`: its weights are pages of the file."""

    memory: Memory
    weights: int
    cache: int
    buffers: int
    mapped: bool

    @property
    def need(self) -> int:
        return self.weights + self.cache + self.buffers

    @property
    def fits(self) -> bool:
        return self.need - (self.weights if self.mapped else 0) <= self.memory.free

    @property
    def fits_well(self) -> bool:
        return self.need <= self.memory.free * (1 - _LEFT_FREE)


@dataclass(frozen=True, slots=True)
class Plan:
    """A model's slots and what they take on each device that holds layers, the host first.

    `estimate` says why the sum is only about right; "" where the header settles it.
    """

    slots: int
    spare: int
    context: int
    shares: tuple[Share, ...]
    estimate: str

    @property
    def fits(self) -> bool:
        return all(share.fits for share in self.shares)

    @property
    def spills(self) -> bool:
        """Whether the weights on the host are more than its memory."""
        return any(share.mapped and share.need > share.memory.free for share in self.shares)

    def describe(self, share: Share) -> str:
        """Return a device's sum in words; beside the slots, some prompts are kept."""
        about = f" (an estimate: {self.estimate})" if self.estimate else ""
        slots = f"{self.slots}+{self.spare} slots x {self.context} tokens"
        parts = (
            f"weights {say_size(share.weights)}",
            f"KV cache {slots} {say_size(share.cache)}",
            f"buffers {say_size(share.buffers)}",
        )
        memory = share.memory
        return (
            f"{' + '.join(parts)} = {say_size(share.need)}{about}; free on {memory.name}: "
            f"{say_size(memory.free)} of {say_size(memory.total)}"
        )


def gpus_of(settings: LoadSettings, machine: Machine) -> tuple[Memory, ...]:
    """Return the GPUs that the settings use."""
    if settings.gpu_layers == 0:
        return ()
    return machine.gpus if settings.gpu is None else (machine.gpus[settings.gpu],)


def lay_out(shape: Footprint, settings: LoadSettings, machine: Machine) -> Plan:
    """Return what the settings, with their slots, take on the machine; it need not fit."""
    gpus, slots = gpus_of(settings, machine), settings.slots
    batch = max(settings.batch, slots)
    settings = replace(settings, batch=batch)
    cells, reach = count_cells(settings)
    places = _place(len(shape.layers), settings, gpus)
    weights, cache = [0] * (len(gpus) + 1), [0] * (len(gpus) + 1)
    for layer, place in zip(shape.layers, places, strict=False):
        weights[place] += layer.weights
        cache[place] += cache_bytes(layer, settings)
    weights[0] += shape.embedding
    if places[-1]:
        weights[places[-1]] += shape.output
    else:
        weights[0] += shape.output - shape.tied  # on the host both are the same pages
    flash = settings.flash_attention != "off"
    work = buffer_bytes(shape, settings)
    inputs = batch * reach * (2 if flash else 4) * (_COPIES if len(gpus) > 1 else 1)
    host = inputs if gpus and 0 not in places else work
    host += max(settings.sequences, settings.outputs) * shape.vocabulary * 4 + _PROCESS
    shares = [Share(machine.host, weights[0], cache[0], host, mapped=True)]
    for number, gpu in enumerate(gpus, 1):
        if number in places:
            buffers = work + (inputs if len(gpus) > 1 else 0) + _unpacked(shape, cells, settings)
            shares.append(Share(gpu, weights[number], cache[number], buffers + _CUDA, mapped=False))
    return Plan(
        slots,
        settings.spare,
        settings.context,
        tuple(shares),
        shape.estimate,
    )


def _place(count: int, settings: LoadSettings, gpus: tuple[Memory, ...]) -> list[int]:
    """Return the device of each layer and, last, of the output: 0 the host, 1 the first GPU.

    As llama.cpp does: the last `gpu_layers` of layers and output, shared out in turn by
    `tensor_split`, or by the free memory.
    """
    wanted = count + 1 if settings.gpu_layers < 0 else min(settings.gpu_layers, count + 1)
    if not gpus:
        return [0] * (count + 1)
    given = settings.tensor_split or ()
    split = given if any(given) else tuple(gpu.free + 1.0 for gpu in gpus)
    ends = list(accumulate(part / sum(split) for part in split))
    chosen = [1 + min(bisect_right(ends, i / wanted), len(ends) - 1) for i in range(wanted)]
    return [0] * (count + 1 - wanted) + chosen


def _unpacked(shape: Footprint, cells: int, settings: LoadSettings) -> int:
    """Return the bytes that CUDA takes to unpack a layer's quantised cache (fattn-common.cuh)."""
    if settings.kv_type == "f16":
        return 0
    return max((2 * cells * (layer.key + layer.value) for layer in shape.layers), default=0)


def say_size(count: int) -> str:
    """Return bytes in words, in decimal units."""
    return f"{count / 1e9:.1f} GB" if count >= 0.95e9 else f"{count / 1e6:.0f} MB"
