"""Drawing tokens under a grammar without masking the whole vocabulary at every step.

What is computed: the truncation of the model's own distribution (top-k, then min-p, then
top-p, each on what the one before left), conditioned on what the grammar allows, at the
temperature; where nothing of it is allowed, the same chain on the distribution masked by
the grammar. Without truncation this equals masking first.

The grammar is asked about one drawn token, then about a few more, then about what the
truncation left, and only then about the vocabulary, from its likeliest token downwards and
no further than the chain can reach.
"""

import ctypes
import math
from collections.abc import Iterator
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from generation_functions.engine.protocol import Sampling

TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
_REDRAWS = 4
_ROWS = 64  # the vocabulary is folded into so many rows to find its best tokens

Logits = npt.NDArray[np.float32]
Ids = npt.NDArray[np.intp]


class DeadEnd(Exception):
    """The grammar allows no token of the vocabulary, and no end."""


class GrammarState:
    """How far a reply has come in its grammar."""

    def __init__(self, sampler: Any, silent: npt.NDArray[np.bool_]) -> None:
        """Take over a fresh llama.cpp grammar sampler.

        `silent` marks the tokens without text that do not end a reply: llama.cpp's grammar
        reads a control token as the characters of its name, which no reply would have.
        """
        self._sampler = sampler
        self._silent = silent
        self._one = np.zeros(1, TOKEN_DATA)
        self._array = _point_at(self._one)

    def allows(self, token: int) -> bool:
        """Whether the token may come next."""
        if self._silent[token]:
            return False
        self._one["id"] = token
        self._one["logit"] = 0.0
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(self._array))
        return bool(self._one["logit"][0] == 0.0)

    def filter(self, tokens: Ids) -> Ids:
        """Return those of the tokens that may come next."""
        if not len(tokens):
            return tokens
        data = np.zeros(len(tokens), TOKEN_DATA)
        data["id"] = tokens
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(_point_at(data)))
        allowed: Ids = tokens[(data["logit"] == 0.0) & ~self._silent[tokens]]
        return allowed

    def only_ends(self, end: int, single_bytes: Ids) -> bool:
        """Whether nothing but an end may come next.

        `single_bytes` are tokens of one byte each, for every byte there is: whatever may
        come next begins with one of them.
        """
        return self.allows(end) and not len(self.filter(single_bytes))

    def accept(self, token: int) -> None:
        """Move past a token."""
        llama_cpp.llama_sampler_accept(self._sampler, token)

    def free(self) -> None:
        """Give llama.cpp's sampler back."""
        llama_cpp.llama_sampler_free(self._sampler)


def _point_at(data: npt.NDArray[Any]) -> Any:
    return llama_cpp.llama_token_data_array(
        data=data.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data)),
        size=len(data),
        selected=-1,
        sorted=False,
    )


class Drawer:
    """Draws the tokens of one reply, with its own seed and, from some point on, a grammar."""

    def __init__(self, sampling: Sampling, seed: int) -> None:
        self.grammar: GrammarState | None = None
        self._sampling = sampling
        self._random = np.random.Generator(np.random.PCG64(seed))

    def draw(self, logits: Logits) -> int:
        """Return the next token and move the grammar past it. `logits`: one row, (vocabulary,)."""
        token = self._draw_greedily(logits) if self._greedy else self._draw(logits)
        if self.grammar:
            self.grammar.accept(token)
        return token

    @property
    def _greedy(self) -> bool:
        return self._sampling.temperature <= 0

    def _draw_greedily(self, logits: Logits) -> int:
        best = int(logits.argmax())
        if not self.grammar or self.grammar.allows(best):
            return best
        for tokens, _ in descend(logits):
            allowed = self.grammar.filter(tokens)
            if len(allowed):
                return int(allowed[logits[allowed].argmax()])
        raise DeadEnd

    def _draw(self, logits: Logits) -> int:
        tokens = truncate(logits, self._sampling)
        weights = self._weigh(logits[tokens])
        if not self.grammar:
            return int(tokens[self._pick(weights)])
        for _ in range(_REDRAWS):
            index = self._pick(weights)
            if self.grammar.allows(int(tokens[index])):
                return int(tokens[index])
            weights[index] = 0.0
            if not weights.any():
                return self._draw_masked(logits, self.grammar)
        allowed = self.grammar.filter(tokens[weights > 0])
        if len(allowed):
            return int(allowed[self._pick(self._weigh(logits[allowed]))])
        return self._draw_masked(logits, self.grammar)

    def _draw_masked(self, logits: Logits, grammar: GrammarState) -> int:
        """Draw from the chain on the masked distribution, looking no deeper than it reaches."""
        sampling = self._sampling
        reach = math.log(sampling.min_p) if sampling.min_p > 0 else -math.inf
        allowed = np.zeros(0, np.intp)
        for tokens, floor in descend(logits):
            allowed = np.concatenate([allowed, grammar.filter(tokens)])
            if not len(allowed):
                continue
            enough = 0 < sampling.top_k <= len(allowed)
            if enough or floor <= float(logits[allowed].max()) + reach:
                break
        if not len(allowed):
            raise DeadEnd
        tokens = allowed[truncate(logits[allowed], sampling)]
        return int(tokens[self._pick(self._weigh(logits[tokens]))])

    def _weigh(self, logits: Logits) -> npt.NDArray[np.float64]:
        """Return unnormalised probabilities at the temperature."""
        values = logits.astype(np.float64)
        weights: npt.NDArray[np.float64] = np.exp(
            (values - values.max()) / self._sampling.temperature
        )
        return weights

    def _pick(self, weights: npt.NDArray[np.float64]) -> int:
        sums = weights.cumsum()
        index = int(sums.searchsorted(self._random.random() * sums[-1], side="right"))
        return min(index, len(weights) - 1)


def truncate(logits: Logits, sampling: Sampling) -> Ids:
    """Return the tokens that top-k, min-p and top-p leave, in this order.

    min-p keeps what is at least `min_p` times as likely as the likeliest; top-p the
    fewest likeliest tokens that have `top_p` of the mass that is left. All three are
    taken before the temperature, as llama.cpp's default chain does.
    """
    size, k = len(logits), sampling.top_k
    folded, floor = Folded(logits), -math.inf
    if sampling.min_p > 0:
        floor = folded.max() + math.log(sampling.min_p)
    if 0 < k < size:
        floor = max(floor, folded.bound_of_best(k))
    tokens = folded.between(floor, math.inf)
    if 0 < k < len(tokens):
        tokens = tokens[np.argpartition(-logits[tokens], k - 1)[:k]]
    if sampling.top_p < 1:
        tokens = tokens[np.argsort(-logits[tokens], kind="stable")]
        values = logits[tokens].astype(np.float64)
        mass = np.exp(values - values[0]).cumsum()
        tokens = tokens[: 1 + int(mass.searchsorted(sampling.top_p * mass[-1]))]
    return tokens


def descend(logits: Logits) -> Iterator[tuple[Ids, float]]:
    """Yield all tokens in groups, each below the one before, with the floor of the group."""
    ceiling = math.inf
    folded, columns = Folded(logits), len(logits) // _ROWS
    for count in (256, columns // 2, columns):
        floor = folded.bound_of_best(count) if 0 < count < len(logits) else ceiling
        if floor < ceiling:
            yield folded.between(floor, ceiling), floor
            ceiling = floor
    yield folded.between(-math.inf, ceiling), -math.inf


class Folded:
    """Logits folded into rows, with the best of each column: the best tokens are in few columns.

    One pass over the vocabulary; all further questions look at a small part of it.
    """

    def __init__(self, logits: Logits) -> None:
        self._logits = logits
        self._columns = len(logits) // _ROWS
        self._body = logits[: self._columns * _ROWS].reshape(_ROWS, self._columns)
        self._rest = logits[self._columns * _ROWS :]
        self._best = self._body.max(axis=0)

    def max(self) -> float:
        """Return the largest logit."""
        parts = (part for part in (self._best, self._rest) if len(part))
        return max(float(part.max()) for part in parts)

    def bound_of_best(self, count: int) -> float:
        """Return a value that at least `count` logits reach, and not many more.

        The bests of the columns are so many different tokens, hence the count-th best of
        them is such a value.
        """
        place = self._columns - count
        if place < 0:
            chosen = np.argpartition(-self._logits, count - 1)[:count]
            return float(self._logits[chosen].min())
        return float(np.partition(self._best, place)[place])

    def between(self, floor: float, ceiling: float) -> Ids:
        """Return the tokens whose logits are at least `floor` and below `ceiling`."""
        if floor == -math.inf:
            return np.flatnonzero(self._logits < ceiling)
        columns = np.flatnonzero(self._best >= floor)
        values = self._body[:, columns]
        rows, places = np.nonzero((values >= floor) & (values < ceiling))
        rest = np.flatnonzero((self._rest >= floor) & (self._rest < ceiling))
        return np.concatenate(
            [rows * self._columns + columns[places], rest + self._columns * _ROWS]
        )
