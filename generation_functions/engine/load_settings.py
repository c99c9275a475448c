"""How a model is loaded: what the parent tells the child."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a model is loaded. `context` is tokens for each of `slots`; -1 GPU layers: all.

    Zero slots are as many as fit; that is settled before the child is told (fitting.py).
    With `unified` all sequences share one KV cache, in which every token looks over
    every cell; without, each has cells of its own. `gpu` is the one device to use, None
    all that llama.cpp sees; `rope_scaling` None is what the GGUF says. `extra_bufts` lets
    llama.cpp repack weights for the CPU.
    """

    path: str
    slots: int
    context: int
    batch: int
    gpu_layers: int
    threads: int
    extra_bufts: bool = True
    vocab_only: bool = False
    unified: bool = False
    gpu: int | None = None
    tensor_split: tuple[float, ...] | None = None
    kv_type: str = "f16"
    flash_attention: str = "auto"
    rope_scaling: str | None = None
    rope_scale: float | None = None

    @property
    def sequences(self) -> int:
        """Texts in the KV cache: one in each slot, and a few to go on from.

        These are spare: the beginnings of steps that no slot is at work on just now.
        """
        return self.slots + min(max(self.slots // 4, 1), 8)

    @property
    def cells(self) -> int:
        """Tokens for which the KV cache has room."""
        return self.context * (self.slots + 1 if self.unified else self.sequences)
