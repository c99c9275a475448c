"""Whether the engine's outputs are right, and whether its process keeps its size.

    python -m benchmarks.soundness [GGUF] [--agree 200] [--endure 2000]

1. Agreement: requests are answered greedily under a grammar, once with 8 slots and once one
   at a time. Sums of floats depend on the batch, so near ties may fall differently: for each
   differing reply the two tokens' gap in logits is printed, in nats.
2. Language: every finished reply is matched by our own matcher, which shares no code with
   llama.cpp's.
3. Endurance: the child's resident memory after a tenth of the requests and after all.
"""

import argparse
import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

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
    for n in differing:
        print(json.dumps(explain(llama, settings, requests[n], texts[0][n], texts[1][n])))


def explain(
    llama: Llama, settings: LoadSettings, request: Request, one: str, other: str
) -> dict[str, object]:
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
    llama.clear()
    batch = Batch(settings.batch)
    tokens = np.array(head + tails[0][:size], np.int32)
    for start in range(0, len(tokens), settings.batch):
        batch.clear()
        batch.add(0, start, tokens[start : start + settings.batch], True)
        llama.decode(batch)
    logits = llama.logits(1)[0]
    parting = [tail[size] if size < len(tail) else None for tail in tails]
    known = [float(logits[token]) for token in parting if token is not None]
    gap = abs(known[0] - known[1]) if len(known) == 2 else None
    return {"after_tokens": size, "gap_in_logits": gap, "tokens": parting}


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
    """Print the child's resident memory after a tenth of the requests and after all."""
    engine = LocalEngine(read_model(Path(settings.path)), settings)
    tenth = len(requests) // 10
    memory = []
    for part in (requests[:tenth], requests[tenth:]):
        async for _ in stream(engine, part):
            pass
        memory.append((await engine.load()).memory)
    await engine.close()
    line = {"requests": len(requests), "memory": memory, "growth": memory[1] / memory[0] - 1}
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
