"""A loaded model's tokens: their bytes, which of them end a reply, which are a single byte."""

import ctypes
from functools import cached_property
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

# The bytes that texts use: beyond 0xF0 characters are private or not assigned.
_NEEDED_BYTES = frozenset({9, 10, *range(32, 127), *range(0xC2, 0xF1)})


class Vocabulary:
    """The tokens of a model. `pointer` is llama.cpp's own vocabulary, `size` their number."""

    def __init__(self, model: Any) -> None:
        self.pointer = llama_cpp.llama_model_get_vocab(model)
        self.size: int = llama_cpp.llama_vocab_n_tokens(self.pointer)
        self._add_bos = bool(llama_cpp.llama_vocab_get_add_bos(self.pointer))
        self._bos = llama_cpp.llama_vocab_bos(self.pointer)

    def tokenize(self, text: str, special: bool, begin: bool = True) -> list[int]:
        """Return token ids; with `special`, control tokens are read.

        With `begin` too, a BOS is put in front, where the model wants one.
        """
        data = text.encode()
        room = len(data) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(
            self.pointer, data, len(data), tokens, room, False, special
        )
        ids = list(tokens[:count])
        if special and begin and self._add_bos and ids[:1] != [self._bos]:
            ids.insert(0, self._bos)
        return ids

    def tokenize_whole(self, text: str, most: int) -> tuple[list[int], bool]:
        """Return a text's token ids with the marks that the model wants around it, and whether
        its end was cut off for that they are at most `most`; control tokens are read as text.
        """
        data = text.encode()
        room = len(data) + 8
        tokens = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self.pointer, data, len(data), tokens, room, True, False)
        closing = int(
            llama_cpp.llama_vocab_get_add_eos(self.pointer)
            or llama_cpp.llama_vocab_get_add_sep(self.pointer)
        )
        if count <= most:
            return list(tokens[:count]), False
        return [*tokens[: most - closing], *tokens[count - closing : count]], True

    @cached_property
    def pieces(self) -> list[bytes]:
        """The tokens' bytes; control tokens have none."""
        return [self._read_piece(token, special=False) for token in range(self.size)]

    @cached_property
    def ends(self) -> list[int]:
        """The tokens that end a reply, the lowest first."""
        return [
            token for token in range(self.size) if llama_cpp.llama_vocab_is_eog(self.pointer, token)
        ]

    @cached_property
    def silent(self) -> npt.NDArray[np.bool_]:
        """For each token whether it has no text and ends nothing."""
        silent = np.array([not piece for piece in self.pieces], np.bool_)
        silent[self.ends] = False
        return silent

    @cached_property
    def single_bytes(self) -> npt.NDArray[np.intp]:
        """A token for each single byte; none where some byte that texts use has no token."""
        by_byte: dict[int, int] = {}
        for token, piece in enumerate(self.pieces):
            if len(piece) == 1:
                by_byte.setdefault(piece[0], token)
        tokens = list(by_byte.values()) if by_byte.keys() >= _NEEDED_BYTES else []
        return np.array(tokens, np.intp)

    def control_piece(self, token: int) -> bytes:
        """Return a token's bytes, those of a control token too."""
        return self._read_piece(token, special=True)

    def _read_piece(self, token: int, special: bool) -> bytes:
        buffer = ctypes.create_string_buffer(256)
        size = llama_cpp.llama_token_to_piece(self.pointer, token, buffer, 256, 0, special)
        return buffer.raw[: max(size, 0)]
