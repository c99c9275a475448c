"""How a model is loaded: what the parent tells the child."""

from dataclasses import dataclass

SPARE = 8  # sequences beyond the slots, whose prompts are kept for those that begin alike


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a model is loaded. `context` is tokens for each of `slots`; -1 GPU layers: all.

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
        """Texts that are kept in the KV cache: those of the slots, and some to go on from."""
        return self.slots + SPARE

    @property
    def cells(self) -> int:
        """Tokens for which the KV cache has room."""
        return self.context * (self.slots + 1 if self.unified else self.sequences)
