"""How like each other texts are that were made: their self-similarity, and the nearest pairs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from generation_functions.choosing import rank
from generation_functions.display.markup import Html, join, tag
from generation_functions.display.tables import show_table
from generation_functions.documents.retrieval import find_terms

MOST_COMPARED = 500  # texts of a group, drawn by their words; their pairs are their square
NEARLY_THE_SAME = 0.8
ALL = "all"


def show_likeness(groups: Mapping[str, Sequence[str]], most: int = 5) -> Html:
    """Return for each group of texts how like each other they are, then the `most` nearest pairs.

    Cosines of word counts weighted by how rare a word is among the texts (tf-idf; Salton and
    Buckley, 1988): 1 for the same words, 0 for no word in common. `mean cosine` is that of all
    pairs, `nearest` of each text with the one that is most like it.
    """
    together = [text for texts in groups.values() for text in texts]
    named = {**groups, **({ALL: together} if len(groups) > 1 else {})}
    rows = [_describe(name, compare(draw_texts(texts))) for name, texts in named.items()]
    pairs = find_nearest(draw_texts(together), most)
    shown = [
        {"cosine": f"{cosine:.2f}", "one": one, "other": other} for cosine, one, other in pairs
    ]
    return join(
        [
            show_table(rows, empty="No text to compare."),
            *(
                (tag("p", "The pairs that are most like each other:"), show_table(shown))
                * bool(shown)
            ),
        ]
    )


def draw_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts, or so many as are compared, whichever order they come in."""
    drawn = rank(dict.fromkeys(texts), "likeness")[:MOST_COMPARED]
    chosen = set(drawn)
    return [text for text in texts if text in chosen][:MOST_COMPARED]


def compare(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the cosine of every two texts, (texts, texts); the diagonal is 0."""
    said = [find_terms(text) for text in texts]
    numbers = {term: n for n, term in enumerate(dict.fromkeys(t for one in said for t in one))}
    counts = np.zeros((len(texts), len(numbers)), np.float32)
    for row, terms in zip(counts, said, strict=True):
        np.add.at(row, [numbers[term] for term in terms], 1)
    having = np.count_nonzero(counts, axis=0)
    weighed = counts * np.log((1 + len(texts)) / (1 + having) + 1).astype(np.float32)
    weighed /= np.maximum(np.linalg.norm(weighed, axis=1, keepdims=True), 1e-9)
    cosines = np.asarray(weighed @ weighed.T, np.float32)
    np.fill_diagonal(cosines, 0)
    return cosines


def find_nearest(texts: Sequence[str], most: int) -> list[tuple[float, str, str]]:
    """Return the pairs of texts with the greatest cosines, the greatest first."""
    cosines = np.triu(compare(texts))
    order = np.argsort(-cosines, axis=None, kind="stable")[:most]
    places = [divmod(int(place), max(len(texts), 1)) for place in order]
    return [(float(cosines[a, b]), texts[a], texts[b]) for a, b in places if cosines[a, b] > 0]


def _describe(name: str, cosines: npt.NDArray[np.float32]) -> dict[str, Any]:
    count = len(cosines)
    told: dict[str, Any] = {"of": name.replace("_", " "), "compared": count}
    if count < 2:
        return {**told, "mean_cosine": "", "nearest": "", "nearly_the_same": ""}
    nearest = cosines.max(axis=1)
    return {
        **told,
        "mean_cosine": f"{cosines.sum() / (count * (count - 1)):.2f}",
        "nearest": f"{nearest.mean():.2f}",
        "nearly_the_same": f"{np.mean(nearest >= NEARLY_THE_SAME):.0%}",
    }
