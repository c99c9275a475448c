"""Fit the weights of pipelines/aligning.py on the tuned half of tests/labelled_pairs.

`python -m benchmarks.alignment` prints them, with what they accept in cross-validation over
chunks. Right are the labelled turns in groups of one to four pairs; wrong is each turn replaced
by that of another pair of the chunk, which stands among the group's pairs or does not.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipelines.aligning import Subject
from generation_functions.records import Chunk, QAPair

FOLDER = Path(__file__).parents[1] / "tests" / "labelled_pairs"
FOLDS = 10
# Share of the right turns that may be rejected, of chunks that were not fitted: many of the right
# questions say little ("And the other one?").
REJECTED = {"asked": 0.003, "told": 0.001}
# Added to that: other people put a question and an answer into words that no labelled turn has.
ROOM = {"asked": 0.5, "told": 0.8}
RIDGE = 3.0  # of the weights, in standard deviations of their features


@dataclass(frozen=True, slots=True)
class Labelled:
    """A chunk with right pairs, and what is asked and told about each in a conversation."""

    chunk: Chunk
    pairs: tuple[QAPair, ...]
    asked: tuple[str, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """The features of one turn, and whether it is the right one."""

    chunk: int
    turn: str
    right: bool
    absent: bool  # the pair that a wrong turn is taken from is not in the conversation
    features: dict[str, float]


def read_labelled(name: str) -> Iterator[Labelled]:
    """Yield the chunks of tests/labelled_pairs/<name>.jsonl."""
    for number, line in enumerate((FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()):
        row = json.loads(line)
        chunk = Chunk(f"{name}-{number}", name, "texts", row["source"], row["text"], 0, 1, 1)
        sentences = [one.strip() for one in number_sentences(chunk.text)]
        pairs = tuple(
            QAPair(
                uuid=f"{chunk.uuid}-{place}",
                question=one["question"],
                answer=one["answer"],
                sentences=tuple(one["sentences"]),
                quote=" ".join(sentences[cited - 1] for cited in one["sentences"]),
                chunk=chunk,
            )
            for place, one in enumerate(row["pairs"])
        )
        asked, told = (tuple(one[key] for one in row["pairs"]) for key in ("asked", "told"))
        yield Labelled(chunk, pairs, asked, told)


def list_examples() -> Iterator[Example]:
    """Yield right and wrong turns of the tuned chunks."""
    rows = [row for name in ("tuned_1", "tuned_2") for row in read_labelled(name)]
    for number, row in enumerate(rows):
        everyone = range(len(row.pairs))
        for here in everyone:
            for size in (1, 2, 3, 4):
                start = here // size * size
                group = list(everyone)[start : start + size]
                yield from _show(number, row, group, here, here)
            for other in set(everyone) - {here}:
                rest = [one for one in everyone if one not in (here, other)]
                second = rest[(here + other) % len(rest)]
                for group in (sorted([here, second]), [here, other], [other, here]):
                    yield from _show(number, row, group, here, other)


def _show(number: int, row: Labelled, group: list[int], here: int, taken: int) -> Iterator[Example]:
    """Yield the turns of pair `here` in its group, once asked and once told as pair `taken`."""
    subject = Subject(row.chunk, [row.pairs[one] for one in group])
    place = group.index(here)
    said = " ".join(f"{row.asked[one]} {row.told[one]}" for one in group[:place])
    asked, told = row.asked[here], row.told[here]
    question = subject.question_features(place, row.asked[taken], told, said)
    answer = subject.answer_features(place, asked, row.told[taken], said)
    yield Example(number, "asked", here == taken, taken not in group, question)
    yield Example(number, "told", here == taken, taken not in group, answer)


def fit(values: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weights of an L2-regularised logistic regression, both classes weighing the same.

    Newton's method; the first column is the bias.
    """
    weights = np.where(right, (~right).sum() / right.sum(), 1.0)
    spread = values.std(axis=0)
    spread[spread == 0] = 1.0
    scaled = values / spread
    found = np.zeros(values.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(scaled @ found, -30, 30)))
        hessian = (scaled * (weights * chance * (1 - chance))[:, None]).T @ scaled
        slope = scaled.T @ (weights * (right - chance)) - RIDGE * found
        found += np.linalg.solve(hessian + RIDGE * np.eye(len(found)), slope)
    return np.asarray(found / spread)


def main() -> None:
    """Print the weights, and the wrong turns that get past a given share of the right ones."""
    examples = list(list_examples())
    for turn in ("asked", "told"):
        own = [one for one in examples if one.turn == turn]
        names = list(own[0].features)
        values = np.array([[one.features[name] for name in names] for one in own])
        right = np.array([one.right for one in own])
        fold = np.array([one.chunk % FOLDS for one in own])
        fits = np.zeros(len(own))
        for number in range(FOLDS):
            kept = fold != number
            fits[~kept] = values[~kept] @ fit(values[kept], right[kept])
        absent = np.array([one.absent for one in own])
        for share in (0.003, 0.005, 0.01, 0.02, 0.03):
            least = np.quantile(fits[right], share)
            wrong = [(fits[~right & here] >= least).mean() for here in (absent, ~absent)]
            print(f"{turn}: {share:.1%} rejected, {wrong[0]:.2%} and {wrong[1]:.2%} accepted")
        weights = fit(values, right)
        # Of chunks that were not fitted.
        weights[0] += ROOM[turn] - np.quantile(fits[right], REJECTED[turn])
        for name, weight in zip(names, weights, strict=True):
            print(f'    "{name}": {weight:.2f},')


if __name__ == "__main__":
    main()
