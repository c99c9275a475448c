"""Drawing tokens under a grammar without masking the whole vocabulary at every step.

What is computed: the truncation (top-k, top-p, min-p) of the model's own distribution,
conditioned on what the grammar allows; where nothing of it is allowed, the same chain on
the distribution masked by the grammar. Without truncation this equals masking first.
"""

import ctypes
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from generation_functions.engine.llama import TOKEN_DATA, Llama
from generation_functions.engine.protocol import Sampling

_REDRAWS = 4


class Candidates:
    """One reusable array of all tokens, shared with llama.cpp."""

    def __init__(self, llama: Llama) -> None:
        self._llama = llama
        self._all = np.zeros(llama.n_vocab, dtype=TOKEN_DATA)
        self._one = np.zeros(1, dtype=TOKEN_DATA)
        self._ids = np.arange(llama.n_vocab, dtype=np.int32)

    def fill(self, logits: npt.NDArray[np.float32]) -> Any:
        """Set every token's logit; return the llama_token_data_array over them."""
        self._all["id"] = self._ids
        self._all["logit"] = logits
        return _share(self._all)

    def view(self, array: Any) -> npt.NDArray[Any]:
        """Return the candidates that llama.cpp left in the array."""
        return self._all[: array.size]

    def allows(self, grammar: Any, token: int) -> bool:
        """Ask the grammar about one token."""
        self._one["id"] = token
        self._one["logit"] = 0.0
        llama_cpp.llama_sampler_apply(grammar, ctypes.byref(_share(self._one)))
        return bool(np.isfinite(self._one["logit"][0]))


def _share(values: npt.NDArray[Any]) -> Any:
    pointer = values.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
    return llama_cpp.llama_token_data_array(
        data=pointer, size=len(values), selected=-1, sorted=False
    )


class Drawer:
    """Draws the tokens of one reply, with its own seed and its own grammar state."""

    def __init__(self, candidates: Candidates, grammar: Any, sampling: Sampling, seed: int) -> None:
        self._candidates = candidates
        self._grammar = grammar
        self._greedy = sampling.temperature <= 0
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._chain = _make_chain(sampling)

    def draw(self, logits: npt.NDArray[np.float32]) -> int:
        """Return the next token and move the grammar past it."""
        token = self._draw(logits)
        if self._grammar:
            llama_cpp.llama_sampler_accept(self._grammar, token)
        return token

    def free(self) -> None:
        """Give llama.cpp's samplers back."""
        llama_cpp.llama_sampler_free(self._chain)
        if self._grammar:
            llama_cpp.llama_sampler_free(self._grammar)
            self._grammar = None

    def _draw(self, logits: npt.NDArray[np.float32]) -> int:
        if self._greedy:
            best = int(np.argmax(logits))
            if not self._grammar or self._candidates.allows(self._grammar, best):
                return best
            return self._draw_masked(logits)
        array = self._candidates.fill(logits)
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        left = self._candidates.view(array)
        weights = _weights(left["logit"])
        for _ in range(_REDRAWS):
            index = self._pick(weights)
            token = int(left["id"][index])
            if not self._grammar or self._candidates.allows(self._grammar, token):
                return token
            weights[index] = 0.0
            if not weights.any():
                return self._draw_masked(logits)
        llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(array))
        left = self._candidates.view(array)
        if np.isfinite(left["logit"]).any():
            return int(left["id"][self._pick(_weights(left["logit"]))])
        return self._draw_masked(logits)

    def _draw_masked(self, logits: npt.NDArray[np.float32]) -> int:
        array = self._candidates.fill(logits)
        llama_cpp.llama_sampler_apply(self._grammar, ctypes.byref(array))
        if self._greedy:
            left = self._candidates.view(array)
            return int(left["id"][int(np.argmax(left["logit"]))])
        llama_cpp.llama_sampler_apply(self._chain, ctypes.byref(array))
        left = self._candidates.view(array)
        return int(left["id"][self._pick(_weights(left["logit"]))])

    def _pick(self, weights: npt.NDArray[np.float64]) -> int:
        sums = np.cumsum(weights)
        index = int(np.searchsorted(sums, self._random.random() * sums[-1], side="right"))
        return min(index, len(weights) - 1)


def _weights(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    values: npt.NDArray[np.float64] = logits.astype(np.float64)
    weights: npt.NDArray[np.float64] = np.exp(values - values.max())
    return weights


def _make_chain(sampling: Sampling) -> Any:
    chain = llama_cpp.llama_sampler_chain_init(llama_cpp.llama_sampler_chain_default_params())
    if sampling.top_k > 0:
        llama_cpp.llama_sampler_chain_add(chain, llama_cpp.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        llama_cpp.llama_sampler_chain_add(
            chain, llama_cpp.llama_sampler_init_top_p(sampling.top_p, 1)
        )
    if sampling.min_p > 0:
        llama_cpp.llama_sampler_chain_add(
            chain, llama_cpp.llama_sampler_init_min_p(sampling.min_p, 1)
        )
    if sampling.temperature > 0:
        llama_cpp.llama_sampler_chain_add(
            chain, llama_cpp.llama_sampler_init_temp(sampling.temperature)
        )
    return chain
