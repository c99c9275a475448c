"""The few calls of llama.cpp that the child process stands on. Only the child imports this."""

import ctypes
from collections import OrderedDict
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.vocabulary import Vocabulary
from generation_functions.errors import GrammarError, ModelError

_COMPILED_GRAMMARS = 64  # kept, least recently used out
_FLASH_ATTENTION = {
    "auto": llama_cpp.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "off": llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED,
    "on": llama_cpp.LLAMA_FLASH_ATTN_TYPE_ENABLED,
}
_ROPE_SCALING = {
    None: llama_cpp.LLAMA_ROPE_SCALING_TYPE_UNSPECIFIED,
    "none": llama_cpp.LLAMA_ROPE_SCALING_TYPE_NONE,
    "linear": llama_cpp.LLAMA_ROPE_SCALING_TYPE_LINEAR,
    "yarn": llama_cpp.LLAMA_ROPE_SCALING_TYPE_YARN,
}


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, data: Any) -> None:
    if level >= 3 or b"buffer size" in text:  # warnings, errors and what memory was taken
        print(text.decode("utf-8", "replace"), end="", flush=True)


class Batch:
    """Tokens to evaluate in one decode, at most `size`; filled anew for each."""

    def __init__(self, size: int) -> None:
        self.room = size
        self.outputs = 0
        self._count = 0
        self._size = size
        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        self._wanted = np.zeros(size, np.int8)
        self._ones = np.ones(size, np.int32)
        step = self._sequences.itemsize
        self._pointers = self._sequences.ctypes.data + step * np.arange(size, dtype=np.uintp)
        self._batch = llama_cpp.llama_batch(
            n_tokens=0,
            token=_pointer_to(self._tokens, ctypes.c_int32),
            embd=None,
            pos=_pointer_to(self._positions, ctypes.c_int32),
            n_seq_id=_pointer_to(self._ones, ctypes.c_int32),
            seq_id=_pointer_to(self._pointers, ctypes.POINTER(ctypes.c_int32)),
            logits=_pointer_to(self._wanted, ctypes.c_int8),
        )

    def clear(self) -> None:
        """Begin anew."""
        self.room, self.outputs, self._count = self._size, 0, 0

    def add(
        self,
        sequence: int,
        start: int,
        tokens: npt.NDArray[np.int32],
        draw: bool,
        every: bool = False,
    ) -> None:
        """Append tokens of a sequence from position `start` on; with `draw`, their last
        token's logits are wanted, with `every`, something of all of them."""
        first, end = self._count, self._count + len(tokens)
        self._tokens[first:end] = tokens
        self._positions[first:end] = np.arange(start, start + len(tokens), dtype=np.int32)
        self._sequences[first:end] = sequence
        self._wanted[first:end] = every
        self._wanted[end - 1] = draw or every
        self._count = end
        self.room = self._size - end
        self.outputs += draw

    def __len__(self) -> int:
        return self._count

    def fill(self) -> Any:
        """Return llama.cpp's view of the batch."""
        self._batch.n_tokens = self._count
        return self._batch


def _pointer_to(values: npt.NDArray[Any], kind: Any) -> Any:
    return values.ctypes.data_as(ctypes.POINTER(kind))


class Llama:
    """A loaded model with its context. Not thread-safe; freed with the process."""

    def __init__(self, settings: LoadSettings) -> None:
        self.settings = settings
        llama_cpp.llama_log_set(_log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = settings.gpu_layers if settings.gpu_layers >= 0 else 10_000
        params.use_extra_bufts = settings.extra_bufts
        if settings.tensor_split:
            self._split = (ctypes.c_float * llama_cpp.llama_max_devices())(*settings.tensor_split)
            params.tensor_split = ctypes.cast(self._split, ctypes.POINTER(ctypes.c_float))
        params.vocab_only = settings.vocab_only
        self.model = llama_cpp.llama_model_load_from_file(settings.path.encode(), params)
        if not self.model:
            raise ModelError(f"{Path(settings.path).name}: llama.cpp could not load this file.")
        self.vocabulary = Vocabulary(self.model)
        self._grammars: OrderedDict[str, Any] = OrderedDict()
        if not settings.vocab_only:
            self._open_context()

    def _open_context(self) -> None:
        settings = self.settings
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = settings.cells
        params.n_seq_max = settings.sequences
        params.n_batch = params.n_ubatch = settings.batch
        params.n_outputs_max = settings.outputs
        params.embeddings = settings.embeddings
        params.n_threads = params.n_threads_batch = settings.threads
        params.type_k = params.type_v = getattr(llama_cpp, f"GGML_TYPE_{settings.kv_type.upper()}")
        params.flash_attn_type = _FLASH_ATTENTION[settings.flash_attention]
        # YaRN's original context stays unset: llama.cpp takes the GGUF's.
        params.rope_scaling_type = _ROPE_SCALING[settings.rope_scaling]
        if settings.rope_scale:
            params.rope_freq_scale = 1 / settings.rope_scale
        params.kv_unified = settings.unified
        params.swa_full = True
        params.no_perf = True
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        if self.context and settings.embeddings:
            self._settle_pooling(params)
        if not self.context:
            raise ModelError(
                f"{Path(settings.path).name}: no memory for {settings.slots} slots of "
                f"{settings.context} tokens. Lower `slots` or `context` in the config."
            )
        self.memory = llama_cpp.llama_get_memory(self.context)
        recurrent = llama_cpp.llama_model_is_recurrent(self.model)
        self.can_share = not recurrent and not llama_cpp.llama_model_is_hybrid(self.model)

    def _settle_pooling(self, params: Any) -> None:
        """Open the context once more, for means, where the model says nothing of pooling."""
        pooling = llama_cpp.llama_pooling_type(self.context)
        if pooling == llama_cpp.LLAMA_POOLING_TYPE_RANK:
            name = Path(self.settings.path).name
            raise ModelError(f"{name} ranks pairs of texts and makes no vectors. Take another.")
        if pooling == llama_cpp.LLAMA_POOLING_TYPE_NONE:
            llama_cpp.llama_free(self.context)
            params.pooling_type = llama_cpp.LLAMA_POOLING_TYPE_MEAN
            self.context = llama_cpp.llama_init_from_model(self.model, params)

    @property
    def width(self) -> int:
        """The numbers of a vector."""
        return int(llama_cpp.llama_model_n_embd_out(self.model))

    def decode(self, batch: Batch) -> int:
        """Evaluate a batch; 0 is success, 1 means that no cells are left for it."""
        return int(llama_cpp.llama_decode(self.context, batch.fill()))

    def logits(self, count: int) -> npt.NDArray[np.float32]:
        """Return the logits that the last batch asked for, (count, vocabulary), in its order.

        The array lies in llama.cpp's memory: it is good until the next decode.
        """
        if not count:
            return np.zeros((0, self.vocabulary.size), np.float32)
        pointer = llama_cpp.llama_get_logits(self.context)
        return np.ctypeslib.as_array(pointer, shape=(count, self.vocabulary.size))

    def pooled(self, count: int) -> npt.NDArray[np.float32]:
        """Return a copy of the vectors of the last batch's sequences 0 to `count`, a row each."""
        rows = (llama_cpp.llama_get_embeddings_seq(self.context, n) for n in range(count))
        return np.stack([np.ctypeslib.as_array(row, shape=(self.width,)).copy() for row in rows])

    def grammar(self, text: str) -> Any:
        """Return a fresh grammar sampler; a text is compiled once. Raises GrammarError."""
        if text in self._grammars:
            self._grammars.move_to_end(text)
        else:
            compiled = llama_cpp.llama_sampler_init_grammar(
                self.vocabulary.pointer, text.encode(), b"root"
            )
            if not compiled:
                raise GrammarError("llama.cpp does not compile this grammar (its words: the log).")
            self._grammars[text] = compiled
            if len(self._grammars) > _COMPILED_GRAMMARS:
                llama_cpp.llama_sampler_free(self._grammars.popitem(last=False)[1])
        return llama_cpp.llama_sampler_clone(self._grammars[text])

    def copy(self, source: int, target: int, length: int) -> None:
        """Make a sequence a copy of the first `length` tokens of another.

        Between streams llama.cpp copies whole sequences only; in a unified cache
        nothing is copied.
        """
        llama_cpp.llama_memory_seq_rm(self.memory, target, -1, -1)
        if self.settings.unified:
            llama_cpp.llama_memory_seq_cp(self.memory, source, target, 0, length)
        else:
            llama_cpp.llama_memory_seq_cp(self.memory, source, target, -1, -1)
            llama_cpp.llama_memory_seq_rm(self.memory, target, length, -1)

    def trim(self, sequence: int, length: int) -> None:
        """Forget a sequence from `length` on; 0 forgets it whole."""
        llama_cpp.llama_memory_seq_rm(self.memory, sequence, length or -1, -1)

    def clear(self) -> None:
        """Forget everything that was evaluated."""
        llama_cpp.llama_memory_clear(self.memory, True)
