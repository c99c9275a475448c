"""Drawing: the truncation, the conditioning on a grammar, and their distribution."""

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation_functions.engine.protocol import Sampling
from generation_functions.engine.sampling import Drawer, descend, truncate

SIZE = 1000
DRAWS = 2000
Floats = npt.NDArray[np.float64]


class ChosenTokens:
    """A grammar that always allows the same tokens, and counts what it is asked."""

    def __init__(self, allowed: Iterable[int]) -> None:
        self.allowed = set(allowed)
        self.asked = 0

    def allows(self, token: int) -> bool:
        self.asked += 1
        return token in self.allowed

    def filter(self, tokens: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        self.asked += len(tokens)
        return tokens[[token in self.allowed for token in tokens.tolist()]]

    def accept(self, token: int) -> None:
        assert token in self.allowed

    def free(self) -> None:
        pass


def make_logits(seed: int, size: int = SIZE) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 3, size).astype(np.float32)


def chain(logits: Floats, sampling: Sampling) -> Floats:
    """The chain written down plainly: probabilities at temperature 1, each cut in its turn."""
    p = np.exp(logits - logits[np.isfinite(logits)].max())
    p[~np.isfinite(logits)] = 0
    if sampling.top_k:
        p[np.argsort(-p)[sampling.top_k :]] = 0
    p[p < sampling.min_p * p.max()] = 0
    order = np.argsort(-p)
    mass = np.cumsum(p[order]) / p.sum()
    p[order[1:][mass[:-1] >= sampling.top_p]] = 0
    p = np.where(p > 0, p, 0) ** (1 / sampling.temperature)
    return cast(Floats, p / p.sum())


def expect(logits: npt.NDArray[np.float32], sampling: Sampling, allowed: set[int]) -> Floats:
    """What is to be computed, as the module's docstring defines it."""
    exact = logits.astype(np.float64)
    mask = np.array([token in allowed for token in range(len(logits))])
    p = np.where(mask, chain(exact.copy(), sampling), 0)
    if not p.any():
        p = chain(np.where(mask, exact, -math.inf), sampling)
    return cast(Floats, p / p.sum())


def chi_squared(counts: Floats, expected: Floats) -> tuple[float, float]:
    """Return the statistic over cells of at least 5 expected, and its 0.1 % critical value."""
    large = expected >= 5
    observed = np.append(counts[large], counts[~large].sum())
    wanted = np.append(expected[large], expected[~large].sum())
    observed, wanted = observed[wanted > 0], wanted[wanted > 0]
    degrees = len(wanted) - 1
    critical = degrees * (1 - 2 / (9 * degrees) + 3.09 * math.sqrt(2 / (9 * degrees))) ** 3
    return float(((observed - wanted) ** 2 / wanted).sum()), critical


PLAIN = Sampling(1.0)
TRUNCATED = Sampling(0.7, 40, 0.95, 0.05)


@pytest.mark.parametrize("sampling", [PLAIN, TRUNCATED, Sampling(1.3, 0, 1.0, 0.02)])
@pytest.mark.parametrize("share", ["most", "few", "only unlikely ones"])
def test_draws_follow_the_distribution_conditioned_on_the_grammar(
    sampling: Sampling, share: str
) -> None:
    logits = make_logits(1) / 3
    ranked = np.argsort(-logits).tolist()
    allowed = {"most": ranked[5:], "few": ranked[2::7], "only unlikely ones": ranked[200:]}[share]
    expected = expect(logits, sampling, set(allowed)) * DRAWS
    drawer = Drawer(sampling, 7)
    drawer.grammar = cast(Any, ChosenTokens(allowed))
    counts = np.bincount([drawer.draw(logits) for _ in range(DRAWS)], minlength=SIZE)
    assert not counts[expected == 0].any()
    found, critical = chi_squared(counts.astype(float), expected)
    assert found < critical


def test_a_wrong_distribution_would_be_noticed() -> None:
    logits = make_logits(1) / 3
    expected = expect(logits, PLAIN, set(range(SIZE))) * DRAWS
    drawer = Drawer(Sampling(0.8), 7)
    counts = np.bincount([drawer.draw(logits) for _ in range(DRAWS)], minlength=SIZE)
    found, critical = chi_squared(counts.astype(float), expected)
    assert found > critical


@given(
    st.integers(0, 10**6),
    st.integers(1, 700),
    st.sampled_from([0, 1, 5, 40, 5000]),
    st.sampled_from([1.0, 0.9, 0.3]),
    st.sampled_from([0.0, 0.05, 0.5]),
)
@settings(max_examples=150, deadline=None)
def test_truncation_leaves_what_the_plain_chain_leaves(
    seed: int, size: int, top_k: int, top_p: float, min_p: float
) -> None:
    logits = make_logits(seed, size)
    sampling = Sampling(1.0, top_k, top_p, min_p)
    left = set(truncate(logits, sampling).tolist())
    assert left == set(np.flatnonzero(chain(logits.astype(np.float64), sampling)).tolist())


@given(st.integers(0, 10**6), st.integers(1, 3000))
@settings(max_examples=60, deadline=None)
def test_descending_gives_every_token_once_and_the_likelier_ones_first(
    seed: int, size: int
) -> None:
    logits = make_logits(seed, size).round(1)  # with ties
    groups = list(descend(logits))
    tokens = [token for group, _ in groups for token in group.tolist()]
    assert sorted(tokens) == list(range(size))
    for (group, floor), (below, _) in pairwise(groups):
        assert len(group) == 0 or logits[group].min() >= floor
        assert len(below) == 0 or logits[below].max() < floor


def test_greedy_takes_the_likeliest_token_that_is_allowed() -> None:
    logits = make_logits(3)
    ranked = np.argsort(-logits).tolist()
    drawer = Drawer(Sampling(), 0)
    assert drawer.draw(logits) == ranked[0]
    for rank in (0, 1, 300, SIZE - 1):
        drawer.grammar = cast(Any, ChosenTokens([ranked[rank]]))
        assert drawer.draw(logits) == ranked[rank]


def test_a_grammar_that_is_followed_is_asked_about_few_tokens() -> None:
    logits = make_logits(4, 50_000)
    grammar = ChosenTokens(np.argsort(-logits)[:1000].tolist())
    drawer = Drawer(TRUNCATED, 0)
    drawer.grammar = cast(Any, grammar)
    for _ in range(50):
        drawer.draw(logits)
    assert grammar.asked == 50


def test_an_unlikely_token_is_found_without_asking_about_the_whole_vocabulary() -> None:
    logits = make_logits(5, 50_000)
    ranked = np.argsort(-logits).tolist()
    grammar = ChosenTokens(ranked[150:])
    drawer = Drawer(TRUNCATED, 0)
    drawer.grammar = cast(Any, grammar)
    assert drawer.draw(logits) in ranked[150:]
    assert grammar.asked < 2000
