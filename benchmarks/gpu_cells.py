"""What the GPU benchmark measures, in which order, and what it leaves out when time is short."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from generation_functions.engine.protocol import Load

SLOTS = (1, 2, 4, 8, 16, 32, 64)
_MOST_TELLING = (16, 64, 1, 32, 8, 4, 2)
_MARGIN = 1.25  # by which a cell may take longer than the slowest one like it


@dataclass(frozen=True, slots=True)
class Cell:
    """One load of a model and what is measured with it.

    `kind` is "engine" (our engine, under a grammar and without), "loop" (llama_cpp.Llama),
    "server" (llama-server) or "swap" (from the first model to `model` and back).
    """

    kind: str
    model: str
    slots: int = 1
    unified: bool = False

    def __str__(self) -> str:
        cache = "" if self.kind != "engine" else ", unified" if self.unified else ", streams"
        slots = f", {self.slots} slots" if self.kind in ("engine", "server") else ""
        return f"{self.kind} {self.model}{slots}{cache}"


def list_cells(models: Sequence[str], slots: Sequence[int], server: bool) -> list[Cell]:
    """Return all cells, the most telling ones first: they are measured in this order.

    A cell for each count of slots comes first with streams, which is how the program runs;
    the swap comes after the first of them, then the loop; unified caches and server later.
    """
    ranked: list[tuple[float, Cell]] = []
    for rank, count in enumerate(one for one in _MOST_TELLING if one in slots):
        for model in models:
            ranked.append((rank, Cell("engine", model, count)))
            ranked.append((rank + 2.5, Cell("engine", model, count, unified=True)))
            if server:
                ranked.append((rank + 1.5, Cell("server", model, count)))
    ranked += [(0.1, Cell("swap", model)) for model in models[1:]]
    ranked += [(1.2, Cell("loop", model)) for model in models]
    return [cell for _, cell in sorted(ranked, key=lambda pair: pair[0])]


def fits(cell: Cell, left: float, done: Sequence[tuple[Cell, float]]) -> bool:
    """Whether a cell can be expected to end within `left` seconds.

    It is taken to be as slow as the slowest cell like it so far: of its kind and model; else
    of its model; else, for the first of a model, as any. Nothing known is taken to fit.
    """
    seconds = (
        [taken for one, taken in done if (one.kind, one.model) == (cell.kind, cell.model)]
        or [taken for one, taken in done if one.model == cell.model]
        or [taken for _, taken in done]
    )
    return left > 0 and max(seconds, default=0.0) * _MARGIN <= left


@dataclass(frozen=True, slots=True)
class Decode:
    """What was decoded while every slot drew a token in every step."""

    steps: int
    tokens: int
    seconds: float
    own_share: float


def find_full_steps(loads: Sequence[Load], slots: int) -> Decode | None:
    """Return what happened between readings of the load in which all slots decoded.

    Steps that evaluated prompts draw fewer tokens than there are slots, and drop out.
    `own_share` is the part of the time that was not llama.cpp's. None: there was no such time.
    """
    counted, tokens, busy, decode = 0, 0, 0.0, 0.0
    for before, after in pairwise(loads):
        steps, drawn = after.steps - before.steps, after.drawn_tokens - before.drawn_tokens
        if steps and drawn == steps * slots:
            counted += steps
            tokens += drawn
            busy += after.busy_seconds - before.busy_seconds
            decode += after.decode_seconds - before.decode_seconds
    return Decode(counted, tokens, busy, 1 - decode / busy) if busy else None
