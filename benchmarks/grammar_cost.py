"""What a grammar costs: tokens per second with one and without, on full slots, in one run.

    python -m benchmarks.grammar_cost [GGUF ...] [--slots 8] [--steps 40] [--rounds 3]

All slots decode at once while the steps are timed; the modes take turns. Prints a JSON line
for each model: tokens/s of each mode, its ratio to none, and the share of a step that is
not llama_decode (drawing, grammar and Python together). On a machine with other work the
decodes themselves differ more than the modes do; `of_none_at_equal_decode` is the ratio if
they did not.

    none        free text            followed    sentences of words, as models write anyway
    unfollowed  letters and digits in an order that no model wants to write
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

from generation_functions.engine.grammar import parse_grammar
from generation_functions.engine.llama import Llama
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.protocol import Load, Sampling
from generation_functions.engine.slots import Slots
from generation_functions.engine.task import Job

ROOT = Path(__file__).resolve().parents[1]
EMBEDDED = ROOT / "logical_models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
SHARED = (ROOT / "grammars" / "shared.gbnf").read_text(encoding="utf-8")
GRAMMARS = {
    "none": "",
    "followed": 'root ::= sentence (" " sentence){40,60}',
    "unfollowed": 'root ::= ([A-Z] [A-Z] [0-9] [0-9] "-"){80}',
}
PROMPT = (
    "The history of the sea clock is a long one. A clock that keeps time at sea tells the "
    "navigator how far east or west he is. "
)
SAMPLING = Sampling(temperature=0.7, top_k=40, min_p=0.05)
CONTEXT = 512


def measure(llama: Llama, grammar: str, steps: int, seed: int) -> tuple[list[float], Load]:
    """Return the seconds of `steps` steps in which every slot draws a token, and their load."""
    llama.clear()
    slots = Slots(llama)
    count = llama.settings.slots
    for number in range(count):
        prompt = PROMPT + f"Part {number} of this history tells what was found in that year. "
        failure = slots.add(
            Job(number, prompt, 0, grammar, SAMPLING, seed + number, CONTEXT - 100, ())
        )
        assert not failure, failure
    while slots.load.drawn_tokens < 2 * count:
        list(slots.step())
    slots.load = Load()
    seconds = []
    for _ in range(steps):
        started = time.monotonic()
        ended = list(slots.step())
        seconds.append(time.monotonic() - started)
        if ended:
            break
    load = slots.load
    for number in range(count):
        slots.cancel(number)
    return seconds[:-1], load


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", type=Path, nargs="*", default=[EMBEDDED])
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--gpu-layers", type=int, default=-1)
    options = parser.parse_args()
    for path in options.gguf:
        settings = LoadSettings(
            path=str(path.resolve()),
            slots=options.slots,
            context=CONTEXT,
            batch=512,
            gpu_layers=options.gpu_layers,
            threads=options.threads,
        )
        llama = Llama(settings)
        seconds: dict[str, list[float]] = {name: [] for name in GRAMMARS}
        loads: dict[str, list[Load]] = {name: [] for name in GRAMMARS}
        for round_number in range(options.rounds):
            for name, root in GRAMMARS.items():
                text = parse_grammar([("root", root), ("shared", SHARED)]).text if root else ""
                some, load = measure(llama, text, options.steps, 100 * round_number)
                seconds[name] += some
                loads[name].append(load)
        shares = {
            name: 1
            - sum(one.decode_seconds for one in some) / sum(one.busy_seconds for one in some)
            for name, some in loads.items()
        }
        means = {name: statistics.fmean(all_) for name, all_ in seconds.items()}
        print(
            json.dumps(
                {"model": path.name, "vocabulary": llama.vocabulary.size, **asdict_of(options)}
            )
        )
        for name, mean in means.items():
            own = shares[name]
            line = {
                "mode": name,
                "tokens_per_second": round(options.slots / mean, 1),
                "of_none": round(means["none"] / mean, 3),
                "of_none_by_median_step": round(
                    statistics.median(seconds["none"]) / statistics.median(seconds[name]), 3
                ),
                "of_none_at_equal_decode": round((1 - own) / (1 - shares["none"]), 3),
                "share_outside_llama_decode": round(own, 4),
                "steps": len(seconds[name]),
            }
            print(json.dumps(line), flush=True)


def asdict_of(options: argparse.Namespace) -> dict[str, int]:
    """Return what was asked for, as it is printed."""
    return {name: value for name, value in vars(options).items() if isinstance(value, int)}


if __name__ == "__main__":
    main()
