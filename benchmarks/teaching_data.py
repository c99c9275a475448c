"""What benchmarks/teaches.py trains on: rows as tokens, packed into blocks of one length.

Pure: no torch. A block is `length` tokens, of which those that are not trained on are marked.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation_functions.choosing import rank
from generation_functions.datasets.pretraining import CHUNKS
from generation_functions.datasets.row_texts import list_trained, read_file_rows

Encode = Callable[[str], list[int]]
UNTRAINED = -100  # the label that the loss leaves out


@dataclass(frozen=True, slots=True)
class Sample:
    """A row: its tokens, and for each the token to be learnt, or UNTRAINED."""

    tokens: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Phase:
    """A training with an optimizer of its own: its rows, and how many blocks of them."""

    name: str
    samples: Sequence[Sample]
    blocks: int


def read_samples(
    files: Iterable[Path], encode: Encode, bos: Sequence[int], eos: Sequence[int]
) -> list[Sample]:
    """Return the rows of files as Axolotl would see them, in their order.

    BOS and EOS are set around a text; rows of segments carry their own.
    """
    return [make_sample(row, encode, bos, eos) for file in files for row in read_file_rows(file)]


def make_sample(
    row: Mapping[str, Any], encode: Encode, bos: Sequence[int], eos: Sequence[int]
) -> Sample:
    """Return a row's tokens; of segments, those with a false label are not trained on."""
    if "segments" not in row:
        tokens = (*bos, *encode(str(row["text"])), *eos)
        return Sample(tokens, tokens)
    tokens, labels = [], []
    for segment in row["segments"]:
        own = encode(str(segment["text"]))
        tokens += own
        labels += own if segment["label"] else [UNTRAINED] * len(own)
    return Sample(tuple(tokens), tuple(labels))


def pack(samples: Sequence[Sample], length: int, seed: int) -> Iterator[Sample]:
    """Yield blocks of `length` tokens without end: the rows in a new order in every epoch.

    Rows follow each other and may go on in the next block, so that no token is lost or padded.
    Raises ValueError where there is no token.
    """
    if not any(sample.tokens for sample in samples):
        raise ValueError("no row has a token: there is nothing to train on")
    tokens: list[int] = []
    labels: list[int] = []
    epoch = 0
    while True:
        for place in rank(map(str, range(len(samples))), seed, "epoch", epoch):
            tokens += samples[int(place)].tokens
            labels += samples[int(place)].labels
            while len(tokens) >= length:
                yield Sample(tuple(tokens[:length]), tuple(labels[:length]))
                del tokens[:length], labels[:length]
        epoch += 1


def plan_raw(run: Path, read: Callable[[list[Path]], list[Sample]], blocks: int) -> list[Phase]:
    """Return the training on raw chunks alone: all blocks are of the documents' own text."""
    files = [file for file in list_trained(run / "pretraining_run") if file.name.startswith(CHUNKS)]
    return [Phase("chunks", read(files), blocks)]


def plan_mix(run: Path, read: Callable[[list[Path]], list[Sample]], blocks: int) -> list[Phase]:
    """Return the training on our mix: pretraining_run, then sft_run, by the share of their tokens.

    Both configs have as many epochs, so that is how long each would take.
    """
    names = ("pretraining_run", "sft_run")
    rows = {name: read(list_trained(run / name)) for name in names}
    sizes = {name: count_tokens(samples) for name, samples in rows.items()}
    first = round(blocks * sizes[names[0]] / max(1, sum(sizes.values())))
    return [
        Phase(name, rows[name], count)
        for name, count in zip(names, (first, blocks - first), strict=True)
        if count
    ]


def count_tokens(samples: Iterable[Sample]) -> int:
    """Return the tokens of rows."""
    return sum(len(sample.tokens) for sample in samples)


def find_budget(minutes: float, tokens_per_second: float, length: int, batch: int) -> int:
    """Return how many blocks each of two models is trained on, a whole number of batches.

    A tenth of the time is kept back, since a machine's speed wanders.
    """
    tokens = 0.9 * minutes * 60 / 2 * tokens_per_second
    return max(1, int(tokens // (length * batch))) * batch


def warm_up(step: int, steps: int, ratio: float) -> float:
    """Return the share of the learning rate at a step from 0: it rises, and then stays."""
    rising = max(1, round(ratio * steps))
    return min(1.0, (step + 1) / rising)
