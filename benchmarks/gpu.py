"""Tokens per second on a GPU, with models of random weights in real models' shapes.

    python -m benchmarks.gpu [--shape 7b 70b] [--slots 1 2 4 8 16 32 64] [--minutes 25]
        [--out FILE] [--models FOLDER] [--vocabulary GGUF] [--tokens 128] [--gpu-layers -1]

For each model and count of slots, with a KV stream for each sequence and with one cache for
all, without a grammar and under one that never ends: the rate while all slots decode, the
rate of the whole (prompts included), Python's share of the time. Then llama_cpp.Llama's own
loop, llama-server where PALIMPSEST_LLAMA_SERVER names one, and the way from the first model
to the others and back. The most telling cells come first; those for which no time is left
are named. Prints JSON lines as it goes and a table at the end, both into `--out`, too.
"""

import argparse
import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.gpu_cells import SLOTS, Cell, fits, list_cells
from benchmarks.gpu_measures import MEASURES, Bench, Line
from benchmarks.gpu_table import make_tables
from benchmarks.random_models import (
    EMBEDDED,
    FOLDER,
    ROOT,
    SHAPES,
    ensure_model,
    file_name,
    size_of,
)
from generation_functions.engine.devices import physical_cores, read_machine
from generation_functions.engine.gguf import ModelFile, read_model
from generation_functions.errors import ModelError, PalimpsestError
from generation_functions.install import fetch_embedded_model

WRITE_SPEED = 0.4e9  # bytes/s, assumed until a model was written


async def measure_all(
    bench: Bench, cells: list[Cell], until: float, say: Callable[[Line], None]
) -> None:
    """Measure the cells in turn up to the time `until`; name those that are left out.

    No cell may take more than a quarter of the time for all.
    """
    longest = (until - time.monotonic()) / 4
    done: list[tuple[Cell, float]] = []
    for cell in cells:
        started = time.monotonic()
        if not fits(cell, until - started, done):
            say({"dropped": str(cell), "why": "no time left"})
            continue
        limit = min(until - started, longest)
        try:
            await asyncio.wait_for(MEASURES[cell.kind](bench, cell, say), limit)
        except asyncio.TimeoutError:
            say({"dropped": str(cell), "why": f"not done within {limit:.0f} s"})
        except PalimpsestError as error:
            say({"dropped": str(cell), "why": str(error)})
        done.append((cell, time.monotonic() - started))


def write_models(
    options: argparse.Namespace, until: float, say: Callable[[Line], None]
) -> dict[str, ModelFile]:
    """Write the models that are not there yet; leave out one that would take half the time."""
    vocabulary = options.vocabulary or (EMBEDDED if EMBEDDED.exists() else fetch_embedded_model())
    models: dict[str, ModelFile] = {}
    speed = WRITE_SPEED
    for name in options.shape:
        expected = size_of(name) / speed
        there = (options.models / file_name(name)).exists()
        try:
            if not there and expected > (until - time.monotonic()) / 2:
                raise ModelError(f"writing it takes about {expected:.0f} s")
            path, seconds = ensure_model(name, options.models, vocabulary)
        except ModelError as error:
            say({"dropped": f"model {name}", "why": str(error)})
            continue
        models[name] = read_model(path)
        if seconds > 10:
            speed = models[name].size / seconds
        gigabytes = round(models[name].size / 1e9, 2)
        say({"written": path.name, "gb": gigabytes, "seconds": round(seconds, 1)})
    return models


def main() -> None:
    """Measure and print."""
    options = parse_arguments()
    until = time.monotonic() + options.minutes * 60 - (time.time() - options.since)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    lines: list[Line] = []
    with options.out.open("w", encoding="utf-8") as out:

        def tell(text: str) -> None:
            print(text, flush=True)
            print(text, file=out, flush=True)

        def say(line: Line) -> None:
            lines.append(line)
            tell(json.dumps(line))

        say({"machine": [one.name for one in read_machine(0).gpus], "cores": physical_cores()})
        models = write_models(options, until, say)
        if not models:
            raise SystemExit("no model to measure")
        bench = Bench(models, options.tokens, options.gpu_layers, options.batch)
        server = bool(os.environ.get("PALIMPSEST_LLAMA_SERVER"))
        cells = list_cells([*models], options.slots, server)
        asyncio.run(measure_all(bench, cells, until, say))
        tell(make_tables(lines))
    print(f"\nWritten to {options.out}. The models stay in {options.models}: remove them.")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shape", nargs="+", choices=list(SHAPES), default=["7b", "70b"])
    parser.add_argument("--slots", nargs="+", type=int, choices=SLOTS, default=SLOTS)
    parser.add_argument("--minutes", type=float, default=25.0, help="in which it is to end")
    now, began = time.time(), "when that time began, in seconds since 1970; else now"
    parser.add_argument("--since", type=float, default=now, help=began)
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "bench_gpu.txt")
    parser.add_argument("--models", type=Path, default=FOLDER, help="folder for the models")
    parser.add_argument("--vocabulary", type=Path, help="GGUF with a vocabulary, else SmolLM2's")
    parser.add_argument("--tokens", type=int, default=128, help="of a reply")
    parser.add_argument("--batch", type=int, default=512, help="tokens evaluated in one go")
    parser.add_argument("--gpu-layers", type=int, default=-1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
