"""How a cell of the GPU benchmark is measured."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.engine import answer_all, run_loop, run_server
from benchmarks.gpu_cells import Cell, find_full_steps
from benchmarks.random_models import ROOT
from generation_functions.engine.devices import physical_cores, read_machine
from generation_functions.engine.fitting import choose_plan
from generation_functions.engine.gguf import ModelFile
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.pool import Engines
from generation_functions.engine.protocol import Load, Message, Request, Sampling
from generation_functions.errors import ModelError

Line = dict[str, Any]

CONTEXTS = (4096, 2048, 1024)  # tokens of a slot: the first that fits
GRAMMAR = r"root ::= [^\x00] root"  # never ends, so that replies are as long as they may be
SAMPLING = Sampling(temperature=0.7, top_k=40, min_p=0.05)
LOOP_REQUESTS = 2
HEAD_WORDS, OWN_WORDS = 250, 100  # of a prompt: shared by all, and its own
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
    if decode and decode.steps < requests[0].max_tokens / 4:
        decode = None  # a reply ended early, or there was hardly a reading: that is no rate
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
