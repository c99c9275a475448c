"""How many optimizer steps a training makes, and what to do where they are few.

A step moves the model once. Where there are few of them it cannot move far enough to learn what
the data tells, however good that is.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generation_functions.datasets.settings import Setting, values_of

FEWEST_STEPS = 100  # a rule of thumb: at 2e-5, with a tenth of them warm-up, fewer change little
_LENGTH_KEYS = ("sequence_len", "num_epochs")


@dataclass(frozen=True, slots=True)
class Length:
    """How long a training is, on `gpus` GPUs.

    `batch`: sequences in an optimizer step. `tokens_per_epoch`: those that are not held out.
    `batch` and `steps` are None where the user's own settings leave them open (max_steps, a
    missing value, a `val_set_size` that is a number of rows).
    """

    gpus: int
    batch: int | None
    tokens_per_epoch: int
    steps: int | None


def share_accumulation(steps: int, gpus: int) -> int:
    """Return the gradient_accumulation_steps that on `gpus` do about what `steps` do on one."""
    return max(1, round(steps / gpus))


def measure_length(settings: Sequence[Setting], tokens: int, gpus: int) -> Length:
    """Return how long a training on `tokens` is, as if packing left no room in a sequence.

    Axolotl and TRL were seen to make up to a tenth more steps of short trainings.
    """
    values = values_of(settings)
    held_out = float(values.get("val_set_size") or 0)
    trained = int(tokens * (1 - held_out)) if held_out < 1 else tokens
    parts = _positive(values, ("micro_batch_size", "gradient_accumulation_steps"))
    batch = int(math.prod(parts)) * gpus if parts else None
    left_open = bool(values.get("max_steps")) or held_out >= 1
    if batch is None or left_open or not _positive(values, _LENGTH_KEYS):
        return Length(gpus, batch, trained, None)
    return Length(gpus, batch, trained, _count_steps(values, trained, batch))


def advise(length: Length, settings: Sequence[Setting], lever: str) -> str:
    """Return what to do where a training has few steps, "" where it has enough.

    `lever` says which option makes more data.
    """
    if length.steps is None or length.batch is None or length.steps >= FEWEST_STEPS:
        return ""
    values = values_of(settings)
    said = (
        f"About {length.steps:,} optimizer steps are few (fewer than {FEWEST_STEPS}): the model "
        f"may not move far enough to learn what the data tells. Best make more data: {lever}."
    )
    micro = int(values["micro_batch_size"] * length.gpus)
    in_an_epoch = math.ceil(FEWEST_STEPS / values["num_epochs"])
    sequences = length.tokens_per_epoch / values["sequence_len"]
    fewer = max(1, int(sequences / in_an_epoch / micro))
    steps = _count_steps(values, length.tokens_per_epoch, fewer * micro)
    if steps > length.steps:
        still = "" if steps >= FEWEST_STEPS else ", which is still few"
        said += (
            f" Next best, `gradient_accumulation_steps: {fewer}` in the config gives about "
            f"{steps:,} steps{still}, with an effective batch of {fewer * micro}; the smaller it "
            "is, the more single rows are learnt by rote."
        )
    return said


def _count_steps(values: Mapping[str, Any], tokens: int, batch: int) -> int:
    """Return the steps of all epochs; the last of each is made of what is left."""
    sequence_len, epochs = _positive(values, _LENGTH_KEYS)
    return int(max(1, math.ceil(tokens / (batch * sequence_len))) * epochs)


def _positive(values: Mapping[str, Any], keys: Sequence[str]) -> list[float]:
    """Return the values of the keys, nothing where one of them is no positive number."""
    found = [values.get(key) for key in keys]
    numbers = [one for one in found if isinstance(one, int | float) and one > 0]
    return numbers if len(numbers) == len(keys) else []
