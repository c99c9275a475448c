"""Whether the engine's outputs are right, and whether its process keeps its size.

    python -m benchmarks.soundness [GGUF] [--agree 200] [--endure 2000]

1. Agreement: requests are answered greedily under a grammar, once with 8 slots and once one
   at a time. Sums of floats depend on the batch, so near ties may fall differently: for each
   differing reply the two tokens' gap in logits is printed, in nats.
2. Language: every finished reply is matched by our own matcher, which shares no code with
   llama.cpp's.
3. Endurance: the child's resident memory after each tenth of the requests.
"""

import argparse
import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.engine import EMBEDDED, GRAMMAR, make_requests, run_ours
from generation_functions.engine.chat import render_chat, render_text
from generation_functions.engine.gguf import read_model
from generation_functions.engine.grammar import parse_grammar
from generation_functions.engine.llama import Batch, Llama
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.local import LocalEngine
from generation_functions.engine.protocol import Completion, Message, Request, Sampling, stream

MATCHER = parse_grammar([("benchmarks", GRAMMAR)])


def compare(settings: LoadSettings, requests: list[Request]) -> None:
    """Print how many greedy replies of a batch differ from those given one at a time."""
    texts = []
    for slots in (8, 1):
        _, answers, _ = asyncio.run(run_ours(replace(settings, slots=slots), requests))
        by_request = dict(answers)
        texts.append([by_request[request].text for request in requests])
        check_language([completion for _, completion in answers])
    differing = [n for n in range(len(requests)) if texts[0][n] != texts[1][n]]
    print(json.dumps({"greedy_replies": len(requests), "differ": len(differing)}))
    if not differing:
        return
    llama = Llama(replace(settings, slots=1))
    gaps = []
    for n in differing:
        found = explain(llama, settings, requests[n], texts[0][n], texts[1][n])
        print(json.dumps(found), flush=True)
        if None not in found["gaps"]:
            gaps.append(found["gaps"])
    apart = np.abs(np.array(gaps))
    noise = np.abs(np.diff(np.array(gaps), axis=1))
    line = {
        "gap_at_most": float(apart.max()),
        "gap_mean": float(apart.mean()),
        "same_gap_by_other_kernels_differs_at_most": float(noise.max()),
        "on_average": float(noise.mean()),
    }
    print(json.dumps(line))


def explain(
    llama: Llama, settings: LoadSettings, request: Request, one: str, other: str
) -> dict[str, Any]:
    """Return where two replies part, and how far apart the two tokens' logits are there."""
    model = read_model(Path(settings.path))
    prompt = (
        render_text(request.messages)
        if request.completion_mode
        else render_chat(model, request.messages)
    )
    head = llama.vocabulary.tokenize(prompt, special=True)
    tails = [llama.vocabulary.tokenize(text, special=False) for text in (one, other)]
    size = next(
        (n for n, pair in enumerate(zip(*tails, strict=False)) if pair[0] != pair[1]),
        min(map(len, tails)),
    )
    parting = [tail[size] if size < len(tail) else None for tail in tails]
    gaps = []
    for alone in (False, True):
        logits = evaluate(llama, [head, tails[0][:size]], alone)
        known = [float(logits[token]) for token in parting if token is not None]
        gaps.append(round(known[0] - known[1], 4) if len(known) == 2 else None)
    return {"after_tokens": size, "gaps": gaps, "tokens": parting}


def evaluate(llama: Llama, parts: list[list[int]], alone: bool) -> npt.NDArray[np.float32]:
    """Return the logits after a prompt and a reply, the latter at once or token by token.

    llama.cpp has other kernels for one row than for many; their sums differ.
    """
    prompt, reply = parts
    pieces = [prompt, *([token] for token in reply)] if alone else [prompt + reply]
    llama.clear()
    batch = Batch(llama.settings.batch)
    start = 0
    for piece in pieces:
        for first in range(0, len(piece), llama.settings.batch):
            some = np.array(piece[first : first + llama.settings.batch], np.int32)
            batch.clear()
            batch.add(0, start, some, True)
            llama.decode(batch)
            start += len(some)
    logits: npt.NDArray[np.float32] = llama.logits(1)[0].copy()
    return logits


def check_language(completions: list[Completion]) -> None:
    """Print how many finished replies are in the grammar's language."""
    finished = [one for one in completions if one.finish_reason == "stop"]
    inside = sum(MATCHER.matches(one.text) for one in finished)
    print(json.dumps({"replies": len(completions), "finished": len(finished), "inside": inside}))


def shorten(request: Request, number: int, characters: int, most: int) -> Request:
    """Return the request with a shorter passage of its own and a reply of at most `most`."""
    passage = request.messages[-1].content[10 : 10 + characters]
    last = Message("user", f"Passage: {number}. {passage}")
    return replace(request, messages=(*request.messages[:-1], last), max_tokens=most)


async def endure(settings: LoadSettings, requests: list[Request]) -> None:
    """Print the child's resident memory after each tenth of the requests."""
    engine = LocalEngine(read_model(Path(settings.path)), settings)
    tenth = len(requests) // 10
    memory = []
    for start in range(0, len(requests), tenth):
        async for _ in stream(engine, requests[start : start + tenth]):
            pass
        memory.append((await engine.load()).memory)
    await engine.close()
    line = {"requests": len(requests), "memory": memory, "growth": memory[-1] / memory[0] - 1}
    print(json.dumps(line))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", type=Path, nargs="?", default=EMBEDDED)
    parser.add_argument("--agree", type=int, default=200)
    parser.add_argument("--endure", type=int, default=2000)
    parser.add_argument("--completion-mode", action="store_true", help="for base models")
    options = parser.parse_args()
    settings = LoadSettings(str(options.gguf.resolve()), 8, 1024, 512, -1, os.cpu_count() or 1)
    if options.agree:
        requests = make_requests(options.agree, options.completion_mode)
        greedy = [shorten(one, number, 300, 32) for number, one in enumerate(requests)]
        compare(settings, [replace(one, sampling=Sampling()) for one in greedy])
    if options.endure:
        requests = make_requests(options.endure, options.completion_mode)
        short = [shorten(one, number, 40, 4) for number, one in enumerate(requests)]
        asyncio.run(endure(settings, short))


if __name__ == "__main__":
    main()
