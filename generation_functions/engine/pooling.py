"""Texts made vectors: as many in one decode as fit the batch. Only the child imports this."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from generation_functions.engine.llama import Batch, Llama
from generation_functions.errors import EngineError

Vectors = npt.NDArray[np.float32]


class Pooler:
    """Makes vectors with a model that was loaded with `embeddings`."""

    def __init__(self, llama: Llama) -> None:
        self._llama = llama
        self._batch = Batch(llama.settings.batch)

    def embed(self, texts: Sequence[str], sign: Callable[[], None]) -> tuple[Vectors, int]:
        """Return the vector of each text, (texts, width), each of length 1, and how many were cut.

        What is longer than the context is cut at its end. A text without tokens is all zeros.
        `sign` is called after every decode.
        """
        settings = self._llama.settings
        cut = 0
        tokens: list[npt.NDArray[np.int32]] = []
        for text in texts:
            ids, shortened = self._llama.vocabulary.tokenize_whole(text, settings.context)
            tokens.append(np.array(ids, np.int32))
            cut += shortened
        rows = []
        for group in _group(tokens, settings.batch, settings.slots):
            rows.append(self.pool(group))
            sign()
        return np.concatenate(rows), cut

    def pool(self, texts: Sequence[npt.NDArray[np.int32]]) -> Vectors:
        """Evaluate texts in one decode; together they fit the batch. Raises EngineError."""
        self._batch.clear()
        self._llama.clear()
        filled = [number for number, tokens in enumerate(texts) if len(tokens)]
        for sequence, number in enumerate(filled):
            self._batch.add(sequence, 0, texts[number], draw=True, every=True)
        if not filled:
            return np.zeros((len(texts), self._llama.width), np.float32)
        status = self._llama.decode(self._batch)
        if status:
            raise EngineError(f"llama_decode failed with status {status}")
        pooled = self._llama.pooled(len(filled))
        lengths = np.linalg.norm(pooled, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths) & (lengths > 0)):
            raise EngineError("the model made a vector without a direction; a damaged file?")
        vectors = np.zeros((len(texts), pooled.shape[1]), np.float32)
        vectors[filled] = pooled / lengths
        return vectors


def _group(
    texts: Sequence[npt.NDArray[np.int32]], room: int, most: int
) -> Iterator[Sequence[npt.NDArray[np.int32]]]:
    """Yield the texts, in order, in groups of at most `most` and of at most `room` tokens.

    A text stays whole: llama.cpp pools over what one decode has of it.
    """
    group: list[npt.NDArray[np.int32]] = []
    for tokens in texts:
        if group and (len(group) == most or sum(map(len, group)) + len(tokens) > room):
            yield group
            group = []
        group.append(tokens)
    if group:
        yield group
