"""Many generic rows through the mix: rows a second, and how much memory that takes.

`python -m benchmarks.mix --rows 5000000`: writes so many made-up conversations into a file of
JSON lines, then, in a process of its own, has a share of their tokens taken for sft_run/. Prints
a line of JSON. Tokens are words here.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import accumulate
from pathlib import Path

from benchmarks.scale import make_vocabulary
from generation_functions.config import Config
from generation_functions.datasets.generic_sources import prepare_generic
from generation_functions.datasets.mix import Material, write_datasets
from generation_functions.engine.tokens import count_words
from generation_functions.records import Chunk, QAPair, make_uuid

DOMAIN_PAIRS = 100
FEWEST_WORDS, MOST_WORDS = 5, 35  # of a turn
TURNS = (2, 2, 2, 4)  # of a conversation; one is drawn
POOL = 200_000  # words that turns are cut from


def write_conversations(file: Path, rows: int) -> int:
    """Write made-up conversations as ShareGPT, every second one as messages; return their words."""
    source = random.Random(0)
    words = make_vocabulary(source)
    weights = list(accumulate(1 / (rank + 8) for rank in range(len(words))))
    pool = source.choices(words, cum_weights=weights, k=POOL)
    total = 0
    with file.open("w", encoding="utf-8") as opened:
        for number in range(rows):
            turns = []
            for turn in range(source.choice(TURNS)):
                length = source.randint(FEWEST_WORDS, MOST_WORDS)
                start = source.randrange(POOL - length)
                total += length
                who = "gpt" if turn % 2 else "human"
                turns.append((who, f"{number}: " + " ".join(pool[start : start + length])))
            opened.write(json.dumps(_make_row(turns, number)) + "\n")
    return total


def measure(file: Path, tokens: int) -> dict[str, float]:
    """Mix a small domain with `tokens` of a file's rows; return seconds, rows and bytes."""
    small = {"gguf": "none.gguf"}
    config = Config.model_validate(
        {
            "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run"},
            "models": {"small": small, "large": small},
            "dataset_context": "Bridges",
            "system": {"what_percent_of_sft_is_pretrain": 1},
            "final_datasaving_settings": {
                "generic_dataset_paths": [{"path": str(file)}],
                "generic_dataset_percentages": [100],
                "minimum_generic_sft": tokens,
                "max_samples_per_dataset": None,
            },
        }
    )
    chunks = [_make_chunk(number) for number in range(DOMAIN_PAIRS)]
    pairs = [_make_pair(chunk) for chunk in chunks]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    wall = time.perf_counter()
    material = Material(chunks, pairs, [], generic=prepare_generic(config))
    manifest = write_datasets(file.parent / "run", material, config, count_words)
    wall = time.perf_counter() - wall
    assert manifest.sft.balance
    generic = manifest.sft.balance.lines[1]
    return {
        "megabytes": round(file.stat().st_size / 1e6, 1),
        "rows_taken": generic.rows,
        "tokens_asked": generic.asked_tokens or 0,
        "tokens_taken": generic.tokens,
        "wall_seconds": round(wall, 1),
        "resident_bytes_before": before,
        "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def run_mix(rows: int, share: float, folder: Path | None = None) -> None:
    """Write the rows, measure in a process of its own, and print a line of JSON."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        file = Path(made) / "generic.jsonl"
        tokens = int(write_conversations(file, rows) * share)
        command = [sys.executable, "-m", "benchmarks.mix", "--measure", str(file)]
        done = subprocess.run(
            [*command, "--tokens", str(tokens)], check=True, stdout=subprocess.PIPE, text=True
        )
    found = json.loads(done.stdout)
    speed = round(rows / found["wall_seconds"]) if found["wall_seconds"] else None
    print(json.dumps({"rows": rows, **found, "rows_per_second": speed}), flush=True)


def _make_row(turns: list[tuple[str, str]], number: int) -> dict[str, object]:
    if number % 2:
        return {"conversations": [{"from": who, "value": text} for who, text in turns]}
    roles = {"human": "user", "gpt": "assistant"}
    return {"messages": [{"role": roles[who], "content": text} for who, text in turns]}


def _make_chunk(number: int) -> Chunk:
    text = f"Bridge {number} is {number} metres long and stands on {number % 9 + 2} piers."
    uuid = make_uuid("texts", text)
    return Chunk(uuid, uuid, "texts", "Bridges", text, 0, len(text), 12)


def _make_pair(chunk: Chunk) -> QAPair:
    question = f"What is told in {chunk.uuid}?"
    return QAPair(make_uuid(chunk.uuid, question), question, chunk.text, (1,), chunk.text, chunk)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--share", type=float, default=0.1, help="of the tokens that are taken")
    parser.add_argument("--folder", type=Path, help="for the file, which has 0.5 kB a row")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--tokens", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.tokens)), flush=True)
    else:
        run_mix(options.rows, options.share, options.folder)
