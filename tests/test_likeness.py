"""Self-similarity of what was made: the same words, none in common, and the nearest pairs."""

import numpy as np
import pytest
from test_display import HOSTILE, Reading

from generation_functions.display import likeness
from generation_functions.display.likeness import compare, draw_texts, find_nearest, show_likeness
from generation_functions.display.markup import Html

BRIDGES = [
    "How long is the Arno Bridge?",
    "How long is the Arno Bridge, then?",
    "Who engineered the Brent Lock of oak?",
]
BREAD = ["Why does dough rise twice?", "What keeps crumbs firm?"]


def read(shown: Html) -> str:
    return Reading(shown._repr_html_()).text


def test_texts_of_the_same_words_are_as_like_as_can_be_and_rare_words_weigh_more() -> None:
    cosines = compare([*BRIDGES, *BREAD])
    assert cosines[0, 1] > 0.8
    assert cosines[0, 1] > cosines[0, 2] > 0
    assert cosines[0, 3] == 0
    assert np.array_equal(cosines, cosines.T)
    assert compare(["Tin melts.", "tin MELTS!"])[0, 1] == pytest.approx(1)
    same, other = compare(["a pier", "a lock", "a pier x", "a b"])[2, [0, 1]]
    assert same > other > 0


def test_the_nearest_pairs_come_first_and_each_once() -> None:
    pairs = find_nearest([*BRIDGES, *BREAD], 9)
    assert pairs[0][1:] == (BRIDGES[0], BRIDGES[1])
    assert [cosine for cosine, _, _ in pairs] == sorted((one[0] for one in pairs), reverse=True)
    assert len({frozenset(one[1:]) for one in pairs}) == len(pairs)
    assert find_nearest(BREAD, 9) == []
    assert find_nearest([], 9) == []


def test_groups_are_compared_each_and_together() -> None:
    text = read(show_likeness({"openended": BRIDGES, "some_way": BREAD, "vague": ["One?"]}))
    assert "all" in text
    assert "some way" in text
    assert "33%" in text
    assert "67%" in text
    assert BRIDGES[1] in text
    assert "all" not in read(show_likeness({"openended": BREAD}))
    assert "most like" not in read(show_likeness({"openended": BREAD}))
    assert "No text to compare" in read(show_likeness({}))
    hostile = show_likeness({HOSTILE: [HOSTILE, HOSTILE]})
    assert not {"script", "img"} & Reading(hostile._repr_html_()).elements


def test_of_many_texts_so_many_are_compared_whatever_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(likeness, "MOST_COMPARED", 7)
    texts = [f"text {number}" for number in range(40)]
    drawn = draw_texts(texts)
    assert len(drawn) == 7
    assert set(drawn) == set(draw_texts(texts[::-1]))
    assert len(draw_texts(["again"] * 9)) == 7
