"""llama.cpp's grammar sampler beside llguidance: what they allow, and what asking costs.

    pip install llguidance
    python -m benchmarks.grammar_engines [GGUF]

Only a vocabulary is loaded. Over the worked examples of every step (their answers, token by
token, under the step's grammar) it prints: the median microseconds to ask about one token
and to accept it, the median milliseconds to mask the vocabulary and to compile, and at how
many places the two masks differ. Then how many texts of tests/gbnf_conformance.yaml each
takes and refuses as llama.cpp's notation says.
"""

import argparse
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt
import yaml

from benchmarks.engine import EMBEDDED, ROOT
from generation_functions.checking import STEPS
from generation_functions.engine.llama import Llama
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.sampling import GrammarState
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.steps.prompts import load_prompt

CONFORMANCE = ROOT / "tests" / "gbnf_conformance.yaml"
Mask = npt.NDArray[np.bool_]


class LlamaCpp:
    """llama.cpp's sampler, as our engine uses it."""

    def __init__(self, llama: Llama) -> None:
        self._llama = llama
        self._tokens = np.arange(llama.vocabulary.size)

    def start(self, grammar: str) -> None:
        self._llama._grammars.clear()
        self._state = GrammarState(self._llama.grammar(grammar), self._llama.vocabulary.silent)

    def allows(self, token: int) -> bool:
        return self._state.allows(token)

    def accept(self, token: int) -> None:
        self._state.accept(token)

    def mask(self) -> Mask:
        mask = np.zeros(self._llama.vocabulary.size, np.bool_)
        mask[self._state.filter(self._tokens)] = True
        return mask


class LlGuidance:
    """llguidance, by way of its translation of the notation."""

    def __init__(self, llama: Llama) -> None:
        import llguidance
        from llguidance.gbnf_to_lark import gbnf_to_lark
        from llguidance.llamacpp import lltokenizer_from_vocab

        self._llguidance, self._translate = llguidance, gbnf_to_lark
        self._tokenizer = lltokenizer_from_vocab(llama.vocabulary.pointer)
        self._count = llama.vocabulary.size
        self._ends = llama.vocabulary.ends

    def start(self, grammar: str) -> None:
        # Its translation does not know the escape \\-, and writes \\u00A1 as \\uA1.
        known = re.sub(r"\\[uU]([0-9A-F]{8}|[0-9A-F]{4})", lambda m: chr(int(m[1], 16)), grammar)
        known = known.replace("\\-", "\\x2d")
        lark = self._llguidance.LLMatcher.grammar_from_lark(self._translate(known))
        self._matcher = self._llguidance.LLMatcher(self._tokenizer, lark)
        if self._matcher.is_error():
            raise ValueError(self._matcher.get_error())

    def allows(self, token: int) -> bool:
        return bool(self._matcher.validate_tokens([token]))

    def accept(self, token: int) -> None:
        self._matcher.consume_token(token)

    def mask(self) -> Mask:
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        mask = np.unpackbits(bits, bitorder="little")[: self._count].astype(np.bool_)
        mask[self._ends] = mask[self._ends].any()  # it knows one end, llama.cpp every one
        return mask


def time_call(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of a call, and its result."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def find_examples() -> Iterator[tuple[str, str, str]]:
    """Yield step, grammar and answer of each worked example."""
    for step in STEPS:
        prompt = load_prompt(step.name)
        for example in prompt.content.examples:
            rules = step.rules(SAMPLES[step.name].read(example.fields))
            grammar = prompt.grammar.replace(rules) if rules else prompt.grammar
            yield step.name, grammar.text, example.answer


def walk(
    llama: Llama, engines: dict[str, Any], grammar: str, answer: str, seconds: dict[str, Any]
) -> tuple[int, int]:
    """Follow an answer with both; return the places looked at, and where the masks differ."""
    for name, engine in engines.items():
        seconds[name]["compile"].append(time_call(partial(engine.start, grammar))[0])
    places = differing = 0
    for token in llama.vocabulary.tokenize(answer.strip(), special=False):
        masks = []
        for name, engine in engines.items():
            for what, call in (
                ("ask", partial(engine.allows, token)),
                ("mask", engine.mask),
            ):
                spent, result = time_call(call)
                seconds[name][what].append(spent)
            masks.append(result)
        places += 1
        wrong = np.flatnonzero(masks[0] != masks[1])
        differing += bool(len(wrong))
        if len(wrong) and differing < 3:
            pieces = [
                llama.vocabulary.pieces[int(other)].decode(errors="replace") for other in wrong[:12]
            ]
            print(json.dumps({"an example of differing tokens": pieces}))
        for name, engine in engines.items():
            seconds[name]["accept"].append(time_call(partial(engine.accept, token))[0])
    return places, differing


def count_conforming(llama: Llama, engine: Any) -> dict[str, int]:
    """Return how many texts of the conformance set are decided as they should be."""
    counts = {"right": 0, "wrong": 0, "grammars not taken": 0}
    end = llama_cpp.llama_vocab_eos(llama.vocabulary.pointer)
    for case in yaml.safe_load(CONFORMANCE.read_text(encoding="utf-8")):
        if case.get("apart"):
            continue
        for text, wanted in [(t, True) for t in case["takes"]] + [
            (t, False) for t in case["refuses"]
        ]:
            try:
                engine.start(case["grammar"])
            except Exception:  # whatever a foreign library says no with
                counts["grammars not taken"] += 1
                break
            taken = True
            for token in [*llama.vocabulary.tokenize(text, special=False), end]:
                taken = taken and engine.allows(token)
                if taken and token != end:
                    engine.accept(token)
            counts["right" if taken is wanted else "wrong"] += 1
    return counts


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", type=Path, nargs="?", default=EMBEDDED)
    options = parser.parse_args()
    settings = LoadSettings(str(options.gguf.resolve()), 1, 512, 256, 0, 1, vocab_only=True)
    llama = Llama(settings)
    engines = {"llama.cpp": LlamaCpp(llama), "llguidance": LlGuidance(llama)}
    seconds: dict[str, Any] = {
        name: {what: [] for what in ("compile", "ask", "accept", "mask")} for name in engines
    }
    places = differing = 0
    for _, grammar, answer in find_examples():
        some = walk(llama, engines, grammar, answer, seconds)
        places, differing = places + some[0], differing + some[1]
    print(
        json.dumps(
            {"model": options.gguf.name, "vocabulary": llama.vocabulary.size, "places": places}
        )
    )
    print(json.dumps({"places where the masks differ": differing}))
    for name, spent in seconds.items():
        medians = {what: statistics.median(all_) for what, all_ in spent.items()}
        worst = {what: max(all_) for what, all_ in spent.items()}
        line = {
            "engine": name,
            "ask_microseconds": round(1e6 * medians["ask"], 1),
            "accept_microseconds": round(1e6 * medians["accept"], 1),
            "mask_milliseconds": round(1e3 * medians["mask"], 2),
            "mask_milliseconds_at_most": round(1e3 * worst["mask"], 2),
            "compile_milliseconds": round(1e3 * medians["compile"], 2),
            **count_conforming(llama, engines[name]),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
