"""How a model is loaded: what the parent tells the child."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a model is loaded. `context` is tokens for each of `slots`; -1 GPU layers: all.

    Zero slots are as many as fit; that is settled before the child is told (fitting.py).
    With `unified` all sequences share one KV cache, in which every token looks over
    every cell; without, each has cells of its own. `gpu` is the one device to use, None
    all that llama.cpp sees; `rope_scaling` None is what the GGUF says. `extra_bufts` lets
    llama.cpp repack weights for the CPU. With `embeddings` the model makes vectors of texts, of
    at most `context` tokens each, as many at once as fit `batch`; nothing stays in its cache.
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
    embeddings: bool = False

    @property
    def sequences(self) -> int:
        """Texts in the KV cache: one in each slot, and a few to go on from.

        These are spare: the beginnings of steps that no slot is at work on just now.
        """
        return self.slots + (0 if self.embeddings else min(max(self.slots // 4, 1), 8))

    @property
    def cells(self) -> int:
        """Tokens for which the KV cache has room."""
        if self.embeddings:
            return self.batch
        return self.context * (self.slots + 1 if self.unified else self.sequences)

    @property
    def spare(self) -> int:
        """Whole contexts for which the KV cache has room beside those of the slots."""
        return 0 if self.embeddings else self.cells // self.context - self.slots

    @property
    def outputs(self) -> int:
        """Tokens of a batch that may have logits: of each sequence one, for vectors all."""
        return self.batch if self.embeddings else min(self.sequences, self.batch)
