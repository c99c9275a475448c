"""How a model is loaded: what the parent tells the child."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """How a model is loaded. `context` is tokens for each of `slots`; -1 GPU layers: all."""

    path: str
    slots: int
    context: int
    batch: int
    gpu_layers: int
    threads: int
    extra_bufts: bool
    vocab_only: bool = False
