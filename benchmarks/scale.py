"""Much text through reading and cutting: how fast, and how much memory it takes.

Each measurement is a process of its own, on one core, so that its peak is its own.
"""

import argparse
import itertools
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from generation_functions.documents.cutting import CutSettings, cut
from generation_functions.documents.folders import Problem
from generation_functions.documents.reading import raise_problems, stream_documents
from generation_functions.documents.survey import SurveyMaker
from generation_functions.engine.tokens import count_words

CHUNK_SIZE = 290  # words and marks: chunks of about 1,540 characters, 650,000 in 1 GB
VOCABULARY = 60_000
COPIED = 0.03  # share of paragraphs that stand in the text a second time, half of them changed
WORDS_IN_A_LINE = 11  # in every second file; in the others a paragraph is one line
REMEMBERED = 2000  # paragraphs of which one may be copied

_ONSETS = "b bl br c ch cl d dr f fl g gr h j k l m n p pl pr qu r s sc sh sl sp st str t th tr v w"
_VOWELS = "a e i o u ai ea ee ie oa ou"
_ENDS = "b ck d ft g l ll m n nd ng nt p r rd s ss st t th x"
_SHORT = "the of and to in a is that it was for on are as with be by at from his or which"


def make_vocabulary(source: random.Random) -> list[str]:
    """Return made-up words, the short and common ones of English first."""
    syllables = [
        one + two + three
        for one, two, three in itertools.product(_ONSETS.split(), _VOWELS.split(), _ENDS.split())
    ]
    words = dict.fromkeys(_SHORT.split())
    while len(words) < VOCABULARY:
        words["".join(source.choices(syllables, k=source.choice((1, 1, 2, 2, 3))))] = None
    return list(words)


class Writer:
    """Writes prose without end: paragraphs, headings, lists, a few tables, some copies."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)
        self._words = make_vocabulary(self._source)
        self._weights = list(
            itertools.accumulate(1 / (rank + 8) for rank in range(len(self._words)))
        )
        self._written: list[str] = []

    def blocks(self) -> Iterator[str]:
        """Yield blocks, which blank lines are to set apart."""
        source = self._source
        while True:
            kind = source.random()
            if kind < 0.06:
                yield "# " + " ".join(self._take(source.randint(1, 5))).capitalize()
            elif kind < 0.11:
                yield "\n".join(f"- {self._sentence()}" for _ in range(source.randint(3, 7)))
            elif kind < 0.12:
                rows = range(source.randint(4, 9))
                yield "\n".join(f"| {source.random():.3f} | {row * 17} | 4.25 |" for row in rows)
            elif kind < 0.12 + COPIED and self._written:
                yield self._copy(source.choice(self._written))
            else:
                block = " ".join(self._sentence() for _ in range(source.randint(6, 16)))
                self._remember(block)
                yield block

    def _take(self, number: int) -> list[str]:
        return self._source.choices(self._words, cum_weights=self._weights, k=number)

    def _sentence(self) -> str:
        words = self._take(self._source.randint(7, 25))
        words[0] = words[0].capitalize()
        if len(words) > 12:
            words[5] += ","
        return " ".join(words) + "."

    def _copy(self, block: str) -> str:
        if self._source.random() < 0.5:
            return block
        words = block.split(" ")
        words[len(words) // 2] = "otherwise"
        return " ".join(words)

    def _remember(self, block: str) -> None:
        if len(self._written) < REMEMBERED:
            self._written.append(block)
        else:
            self._written[self._source.randrange(REMEMBERED)] = block


def write_files(folder: Path, files: int, size: int) -> int:
    """Write `files` text files of about `size` characters each; return the bytes in all."""
    blocks = Writer(0).blocks()
    total = 0
    for number in range(files):
        place = folder / f"{number // 1000:03}" / f"{number:06}.txt"
        place.parent.mkdir(exist_ok=True)
        written = 0
        with place.open("w", encoding="utf-8") as file:
            while written < size:
                block = next(blocks)
                written += file.write((wrap(block) if number % 2 else block) + "\n\n")
        total += written
    return total


def wrap(block: str) -> str:
    """Break a paragraph into lines, as printed books are transcribed."""
    if "\n" in block:
        return block
    words = block.split(" ")
    starts = range(0, len(words), WORDS_IN_A_LINE)
    return "\n".join(" ".join(words[start : start + WORDS_IN_A_LINE]) for start in starts)


def measure(folder: Path, drop_duplicates: bool) -> dict[str, float]:
    """Read and cut what is in `folder`; return seconds, bytes of memory, and counts."""
    settings = CutSettings(CHUNK_SIZE, drop_duplicates=drop_duplicates)
    maker = SurveyMaker()
    problems: list[Problem] = []
    documents = stream_documents([folder], ["texts"], problems)
    wall, cpu = time.perf_counter(), time.process_time()
    characters = 0
    for decision in cut(documents, settings, count_words):
        maker.add(decision)
        characters += decision.chunk.end - decision.chunk.start
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    raise_problems(problems)
    survey = maker.finish()
    megabytes = characters / 1e6
    return {
        "files": len(survey.documents),
        "megabytes": round(megabytes, 1),
        "duplicates_dropped": drop_duplicates,
        "wall_seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "megabytes_per_cpu_second": round(megabytes / cpu, 2),
        "peak_resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "chunks": sum(map(len, survey.lengths.values())),
        **{f"dropped: {reason}": one.count for reason, one in sorted(survey.dropped.items())},
    }


def run_scale(gigabytes: float, files: int, folder: Path | None = None) -> None:
    """Write the text, measure with duplicates dropped and without; print a line of JSON each."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        write_files(Path(made), files, int(gigabytes * 1e9 / files))
        for how in ("--drop-duplicates", "--keep-duplicates"):
            command = [sys.executable, "-m", "benchmarks.scale", made, how]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--drop-duplicates", action="store_true")
    parser.add_argument("--keep-duplicates", dest="drop_duplicates", action="store_false")
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, options.drop_duplicates)), flush=True)
