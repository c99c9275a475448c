"""Requests per second under a grammar: our engine beside others, in one run.

    python -m benchmarks.engine [GGUF] [--slots 8] [--requests 32] [--rounds 2]
        [--contenders streams unified free loop server] [--completion-mode]

Every contender answers the same requests: a shared few-shot beginning, a passage of its own,
and up to 80 tokens under a grammar. They take turns, round by round, so that other work on
the machine meets all of them. Prints one JSON line for each contender and round, then the
medians as a table. Contenders:

    streams  our engine, a KV stream for each sequence     unified  ours, one KV cache for all
    free     as streams, without a grammar                 loop     llama_cpp.Llama, one by one
    server   llama-server, named by PALIMPSEST_LLAMA_SERVER
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from generation_functions.documents.sentences import number_sentences
from generation_functions.engine.chat import render_chat, render_text
from generation_functions.engine.gguf import read_model
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.protocol import (
    Completion,
    Engine,
    Load,
    Message,
    Request,
    Sampling,
    stream,
)
from generation_functions.errors import EngineCrash

ROOT = Path(__file__).resolve().parents[1]
EMBEDDED = ROOT / "logical_models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
CONTEXT = 1024  # tokens of a slot
MOST = 80  # new tokens of a reply
SAMPLING = Sampling(temperature=0.7, top_k=40, min_p=0.05)
GRAMMAR = r"""root ::= "Fact: " sentence ("\nFact: " sentence){0,2}
sentence ::= word (","? " " word){3,40} "."
word ::= [A-Za-z0-9'()-]{1,24}
"""
TASK = "Write up to three facts that the passage states, each as one sentence after `Fact:`."
EXAMPLES = (
    (
        "A tide is the slow rise and fall of the sea that the Moon and the Sun bring about. The "
        "Moon's share is about twice as large as the Sun's, because the Moon is so much nearer. "
        "When both pull in one line, at new and at full Moon, the range is largest, and sailors "
        "speak of spring tides. At the half Moons the pulls work across each other, and the neap "
        "tides that follow rise and fall least of all.",
        "Fact: The Moon's share of the tides is about twice as large as the Sun's.\n"
        "Fact: Spring tides come at new and at full Moon.\n"
        "Fact: Neap tides rise and fall least.",
    ),
    (
        "Rennet is taken from the fourth stomach of a calf. A spoonful of it is enough to curdle "
        "a hundred litres of milk within the hour. The curd is cut into grains as large as a "
        "pea, so that the whey can run off, and the finer it is cut the harder the cheese will "
        "be. Pressed and salted, a wheel of forty kilograms ripens for two years in a cool cellar "
        "and loses about a tenth of its weight there.",
        "Fact: Rennet is taken from the fourth stomach of a calf.\n"
        "Fact: The finer the curd is cut, the harder the cheese will be.\n"
        "Fact: A wheel of cheese loses about a tenth of its weight in two years.",
    ),
    (
        "The first harbour lamp was lit with whale oil. In 1841 gas was laid, and the keeper "
        "no longer had to climb the stairs every three hours. Since 1902 the light has been "
        "electric, and a clock turns the lens once in twenty seconds.",
        "Fact: The first lamp of the harbour was lit with whale oil.\n"
        "Fact: Since 1902 the light of the harbour has been electric.",
    ),
)

Answers = list[tuple[Request, Completion]]


def make_requests(count: int, completion_mode: bool) -> list[Request]:
    """Return requests with one shared beginning and passages of about 150 words."""
    head = [Message("system", TASK)]
    for passage, facts in EXAMPLES:
        head += [Message("user", f"Passage: {passage}"), Message("assistant", facts)]
    words = " ".join(
        " ".join(number_sentences(path.read_text(encoding="utf-8")))
        for path in sorted((ROOT / "input_texts" / "samples").iterdir())
        if path.suffix in (".txt", ".md")
    ).split()
    starts = [97 * number % (len(words) - 125) for number in range(count)]
    return [
        Request(
            messages=(*head, Message("user", f"Passage: {' '.join(words[start : start + 125])}")),
            grammar=GRAMMAR,
            sampling=SAMPLING,
            seed=n,
            max_tokens=MOST,
            completion_mode=completion_mode,
            shared=len(head),
        )
        for n, start in enumerate(starts)
    ]


async def run_ours(
    settings: LoadSettings, requests: list[Request]
) -> tuple[float, Answers, dict[str, Any]]:
    """Answer the requests with our engine; the load says what the time went into."""
    engine = LocalEngine(read_model(Path(settings.path)), settings)
    await engine.start()
    seconds, answers = await answer_all(engine, requests)
    load = await engine.load()
    await engine.close()
    return seconds, answers, describe_load(load, seconds)


async def answer_all(engine: Engine, requests: list[Request]) -> tuple[float, Answers]:
    """Return the seconds that the engine took for all, and the completions."""
    started = time.monotonic()
    answers = [pair async for pair in stream(engine, requests)]
    return time.monotonic() - started, answers


def describe_load(load: Load, seconds: float) -> dict[str, Any]:
    """Return the share of the time inside llama_decode, and the prompt tokens saved."""
    return {
        "decode_share": round(load.decode_seconds / seconds, 3),
        "own_share": round(1 - load.decode_seconds / load.busy_seconds, 4),
        "steps": load.steps,
        "prompt_tokens_evaluated": load.prompt_tokens - load.cached_tokens,
        "prompt_tokens_saved": load.cached_tokens,
    }


async def run_loop(
    settings: LoadSettings, requests: list[Request]
) -> tuple[float, Answers, dict[str, Any]]:
    """Answer the requests one by one with llama_cpp.Llama, in a process of its own."""
    model = read_model(Path(settings.path))
    prompts = [
        render_text(one.messages) if one.completion_mode else render_chat(model, one.messages)
        for one in requests
    ]
    work = {
        "settings": asdict(settings),
        "prompts": prompts,
        "grammar": requests[0].grammar,
        "max_tokens": requests[0].max_tokens,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.engine", "--high-level-loop"),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        output, words = await process.communicate(json.dumps(work).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = words.decode(errors="replace").strip().rpartition("\n")[2]
        raise EngineCrash(f"llama_cpp.Llama: exit status {process.returncode}: {last}")
    result = json.loads(output.splitlines()[-1])
    answers = [
        (request, Completion(**completion))
        for request, completion in zip(requests, result["completions"], strict=True)
    ]
    return result["seconds"], answers, {}


def serve_high_level_loop() -> None:
    """Be the process of `loop`: read the work from stdin, print the result to stdout."""
    import llama_cpp
    from llama_cpp.llama_grammar import LlamaGrammar

    work = json.loads(sys.stdin.read())
    settings = work["settings"]
    make_grammar = partial(LlamaGrammar.from_string, verbose=False)
    llama = llama_cpp.Llama(
        settings["path"],
        n_ctx=settings["context"],
        n_threads=settings["threads"],
        n_threads_batch=settings["threads"],
        n_gpu_layers=settings["gpu_layers"],
        n_batch=settings["batch"],
        verbose=False,
    )
    completions = []
    started = time.monotonic()
    for seed, prompt in enumerate(work["prompts"]):
        answer: Any = llama.create_completion(
            prompt,
            max_tokens=work["max_tokens"],
            grammar=make_grammar(work["grammar"]) if work["grammar"] else None,
            temperature=SAMPLING.temperature,
            top_k=SAMPLING.top_k,
            top_p=1.0,
            min_p=SAMPLING.min_p,
            repeat_penalty=1.0,
            seed=seed,
        )
        choice, usage = answer["choices"][0], answer["usage"]
        completion = Completion(
            choice["text"],
            choice["finish_reason"],
            usage["prompt_tokens"],
            0,
            usage["completion_tokens"],
            0.0,
        )
        completions.append(asdict(completion))
    print(json.dumps({"seconds": time.monotonic() - started, "completions": completions}))


async def run_server(
    settings: LoadSettings, requests: list[Request]
) -> tuple[float, Answers, dict[str, Any]]:
    """Answer the requests with llama-server, by our client, with as many slots."""
    from generation_functions.model_sections import Model
    from generation_functions.opening import make_engine

    async with serve(settings) as url:
        wanted = Model(url=url, context=settings.context, concurrency=settings.slots)
        engine = make_engine(wanted, ROOT)
        await engine.start()
        seconds, answers = await answer_all(engine, requests)
        await engine.close()
    return seconds, answers, {}


@asynccontextmanager
async def serve(settings: LoadSettings) -> AsyncIterator[str]:
    """Run llama-server on loopback; yield its address when it answers."""
    import httpx2

    port = 18_080
    command = [os.environ["PALIMPSEST_LLAMA_SERVER"], "-m", settings.path]
    command += ["-c", str(settings.context * settings.slots), "-np", str(settings.slots)]
    command += ["-t", str(settings.threads), "-ngl", str(max(settings.gpu_layers, 0) or 999)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--no-webui"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        while server.poll() is None:
            await asyncio.sleep(0.5)
            try:
                if httpx2.get(f"{url}/health").status_code == 200:
                    break
            except httpx2.TransportError:
                continue
        yield url
    finally:
        server.terminate()
        server.wait()


Contender = Callable[
    [LoadSettings, list[Request]], Coroutine[Any, Any, tuple[float, Answers, dict[str, Any]]]
]


def make_contenders() -> dict[str, Contender]:
    """Return what can take part here, by name."""

    async def streams(settings: LoadSettings, requests: list[Request]) -> Any:
        return await run_ours(replace(settings, unified=False), requests)

    async def unified(settings: LoadSettings, requests: list[Request]) -> Any:
        return await run_ours(replace(settings, unified=True), requests)

    async def free(settings: LoadSettings, requests: list[Request]) -> Any:
        return await run_ours(settings, [replace(one, grammar="") for one in requests])

    contenders: dict[str, Contender] = {"streams": streams, "unified": unified, "free": free}
    contenders["loop"] = run_loop
    if os.environ.get("PALIMPSEST_LLAMA_SERVER"):
        contenders["server"] = run_server
    return contenders


def main() -> None:
    """Measure and print."""
    if sys.argv[1:] == ["--high-level-loop"]:
        return serve_high_level_loop()
    contenders = make_contenders()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", type=Path, nargs="?", default=EMBEDDED)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--requests", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--gpu-layers", type=int, default=-1)
    parser.add_argument("--contenders", nargs="+", choices=list(contenders), default=[*contenders])
    parser.add_argument("--completion-mode", action="store_true", help="for base models")
    options = parser.parse_args()
    requests = make_requests(options.requests, options.completion_mode)
    settings = LoadSettings(
        path=str(options.gguf.resolve()),
        slots=options.slots,
        context=CONTEXT,
        batch=512,
        gpu_layers=options.gpu_layers,
        threads=options.threads,
    )
    print(json.dumps({"machine": platform.processor() or platform.machine(), "argv": sys.argv[1:]}))
    lines: dict[str, list[dict[str, Any]]] = {name: [] for name in options.contenders}
    for _ in range(options.rounds):
        for name in options.contenders:
            seconds, answers, more = asyncio.run(contenders[name](settings, requests))
            tokens = sum(completion.completion_tokens for _, completion in answers)
            line = {
                "contender": name,
                "model": options.gguf.name,
                "slots": 1 if name == "loop" else options.slots,
                "requests_per_second": round(len(requests) / seconds, 3),
                "tokens_per_second": round(tokens / seconds, 2),
                "tokens_per_reply": round(tokens / len(requests), 1),
                "prompt_tokens": answers[0][1].prompt_tokens,
                **more,
            }
            print(json.dumps(line), flush=True)
            lines[name].append(line)
    print_table(lines)


def print_table(lines: dict[str, list[dict[str, Any]]]) -> None:
    """Print the medians over the rounds, with the ratio to the first contender."""
    medians = {
        name: tuple(
            statistics.median(line[key] for line in rounds)
            for key in ("requests_per_second", "tokens_per_second")
        )
        for name, rounds in lines.items()
    }
    first = next(iter(medians.values()))
    print(f"{'contender':<12}{'requests/s':>12}{'tokens/s':>12}{'requests/s of first':>22}")
    for name, (requests, tokens) in medians.items():
        print(f"{name:<12}{requests:>12.3f}{tokens:>12.2f}{requests / first[0]:>22.2f}")


if __name__ == "__main__":
    main()
