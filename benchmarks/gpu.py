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
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.engine import answer_all, run_loop, run_server
from benchmarks.gpu_cells import SLOTS, Cell, find_full_steps, fits, list_cells
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
from generation_functions.engine.fitting import choose_plan
from generation_functions.engine.gguf import ModelFile, read_model
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.pool import Engines
from generation_functions.engine.protocol import Load, Message, Request, Sampling
from generation_functions.errors import ModelError, PalimpsestError
from generation_functions.install import fetch_embedded_model

Line = dict[str, Any]

CONTEXTS = (4096, 2048, 1024)  # tokens of a slot: the first that fits
GRAMMAR = r"root ::= [^\x00] root"  # never ends, so that replies are as long as they may be
SAMPLING = Sampling(temperature=0.7, top_k=40, min_p=0.05)
LOOP_REQUESTS = 2
HEAD_WORDS, OWN_WORDS = 250, 100  # of a prompt: shared by all, and its own
WRITE_SPEED = 0.4e9  # bytes/s, assumed until a model was written
_READ_EVERY = 0.05  # seconds between readings of the load


@dataclass(frozen=True, slots=True)
class Bench:
    """What all cells share: the models by shape, and how they are loaded."""

    models: dict[str, ModelFile]
    tokens: int
    gpu_layers: int
    batch: int

    def settings(self, cell: Cell) -> LoadSettings:
        """Return how a cell's model is loaded, with the longest context that fits."""
        model, refusal = self.models[cell.model], ModelError("no context to try")
        for context in CONTEXTS:
            settings = LoadSettings(
                path=str(model.path.resolve()),
                slots=cell.slots,
                context=context,
                batch=max(self.batch, cell.slots),
                gpu_layers=self.gpu_layers,
                threads=physical_cores(),
                unified=cell.unified,
            )
            try:
                choose_plan(model, settings, read_machine(self.gpu_layers))
            except ModelError as error:
                refusal = error
            else:
                return settings
        raise refusal


def make_requests(title: str, count: int, tokens: int, grammar: str) -> list[Request]:
    """Return requests that share a beginning with each other and with no other `title`."""
    words = " ".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "input_texts" / "samples").iterdir())
        if path.suffix in (".txt", ".md")
    ).split()
    head = Message("system", " ".join([f"{title}:", *words[:HEAD_WORDS]]))
    starts = [HEAD_WORDS + n * 37 % (len(words) - HEAD_WORDS - OWN_WORDS) for n in range(count)]
    return [
        Request(
            messages=(head, Message("user", " ".join(words[start : start + OWN_WORDS]))),
            grammar=grammar,
            sampling=SAMPLING,
            seed=number,
            max_tokens=tokens,
            completion_mode=True,
            shared=1,
        )
        for number, start in enumerate(starts)
    ]


async def measure_engine(bench: Bench, cell: Cell, say: Callable[[Line], None]) -> None:
    """Load the model as the cell says, and answer requests under a grammar and without one."""
    settings = bench.settings(cell)
    engine = LocalEngine(bench.models[cell.model], settings)
    try:
        started = time.monotonic()
        await engine.start()
        loading = time.monotonic() - started
        for name, grammar in (("grammar", GRAMMAR), ("free", "")):
            requests = make_requests(name, cell.slots, bench.tokens, grammar)
            line = await watch(engine, requests)
            say(
                {
                    "kind": cell.kind,
                    "model": cell.model,
                    "slots": cell.slots,
                    "cache": "unified" if cell.unified else "streams",
                    "replies": name,
                    "context": settings.context,
                    **line,
                    "load_seconds": round(loading, 1),
                    "memory": read_memory(),
                }
            )
    finally:
        await engine.close()


async def watch(engine: LocalEngine, requests: list[Request]) -> Line:
    """Answer one request in each slot while reading the engine's load."""
    loads: list[Load] = [await engine.load()]

    async def read() -> None:
        while True:
            loads.append(await engine.load())
            await asyncio.sleep(_READ_EVERY)

    reader = asyncio.ensure_future(read())
    try:
        seconds, answers = await answer_all(engine, requests)
    finally:
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader
    decode = find_full_steps(loads, len(requests))
    tokens = sum(one.completion_tokens for _, one in answers)
    prompts = sum(one.prompt_tokens - one.cached_tokens for _, one in answers)
    return {
        "decode_tokens_per_second": round(decode.tokens / decode.seconds, 1) if decode else None,
        "own_share": round(decode.own_share, 4) if decode else None,
        "tokens_per_second": round(tokens / seconds, 1),
        "tokens": tokens,
        "prompt_tokens_evaluated": prompts,
        "seconds": round(seconds, 2),
    }


async def measure_other(bench: Bench, cell: Cell, say: Callable[[Line], None]) -> None:
    """Answer the same requests with llama_cpp.Llama, one by one, or with llama-server."""
    run, count = (run_loop, LOOP_REQUESTS) if cell.kind == "loop" else (run_server, cell.slots)
    settings = bench.settings(cell)
    for name, grammar in (("grammar", GRAMMAR), ("free", "")):
        requests = make_requests(name, count, bench.tokens, grammar)
        seconds, answers, _ = await run(settings, requests)
        tokens = sum(one.completion_tokens for _, one in answers)
        say(
            {
                "kind": cell.kind,
                "model": cell.model,
                "slots": cell.slots,
                "replies": name,
                "context": settings.context,
                "tokens_per_second": round(tokens / seconds, 1),
                "tokens": tokens,
                "seconds": round(seconds, 2),
            }
        )


async def measure_swap(bench: Bench, cell: Cell, say: Callable[[Line], None]) -> None:
    """Go from the first model to the cell's and back, one token each; say the memory taken."""
    first = next(iter(bench.models))
    engines = Engines(
        {
            name: LocalEngine(bench.models[name], bench.settings(replace(cell, model=name)))
            for name in (first, cell.model)
        }
    )
    say({"kind": "swap", "model": cell.model, "now": "nothing", "memory": read_memory()})
    try:
        for name in (first, cell.model, first):
            started = time.monotonic()
            await engines.complete(name, make_requests("swap", 1, 1, "")[0])
            seconds = round(time.monotonic() - started, 2)
            line = {"kind": "swap", "model": cell.model, "now": name, "seconds": seconds}
            say({**line, "memory": read_memory()})
    finally:
        await engines.release()
    say({"kind": "swap", "model": cell.model, "now": "nothing", "memory": read_memory()})


def read_memory() -> dict[str, float]:
    """Return the memory in use, in GB: of the GPUs (NVML), or of the machine if it has none."""
    machine = read_machine(0)
    return {
        one.name: round((one.total - one.free) / 1e9, 2) for one in machine.gpus or (machine.host,)
    }


MEASURES = {
    "engine": measure_engine,
    "loop": measure_other,
    "server": measure_other,
    "swap": measure_swap,
}


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
    until = time.monotonic() + options.minutes * 60
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
    parser.add_argument("--out", type=Path, default=ROOT / "outputs" / "bench_gpu.txt")
    parser.add_argument("--models", type=Path, default=FOLDER, help="folder for the models")
    parser.add_argument("--vocabulary", type=Path, help="GGUF with a vocabulary, else SmolLM2's")
    parser.add_argument("--tokens", type=int, default=128, help="of a reply")
    parser.add_argument("--batch", type=int, default=512, help="tokens evaluated in one go")
    parser.add_argument("--gpu-layers", type=int, default=-1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
