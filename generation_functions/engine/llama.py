"""The few calls of llama.cpp that the child process stands on. Only the child imports this."""

import ctypes
from collections import OrderedDict
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

from generation_functions.engine.load_settings import LoadSettings
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
TOKEN_DATA = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, data: Any) -> None:
    if level >= 3 or b"buffer size" in text:  # warnings, errors and what memory was taken
        print(text.decode("utf-8", "replace"), end="", flush=True)


class Llama:
    """A loaded model with its context. Not thread-safe; freed with the process."""

    def __init__(self, settings: LoadSettings, retained: int) -> None:
        """Load; `retained` sequences beyond the slots are for prefixes kept aside."""
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
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.n_vocab = llama_cpp.llama_vocab_n_tokens(self.vocab)
        self.add_bos = bool(llama_cpp.llama_vocab_get_add_bos(self.vocab))
        self.bos = llama_cpp.llama_vocab_bos(self.vocab)
        self._pieces: dict[int, bytes] = {}
        self._grammars: OrderedDict[str, Any] = OrderedDict()
        if not settings.vocab_only:
            self._open_context(retained)

    def _open_context(self, retained: int) -> None:
        settings = self.settings
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = settings.context * (settings.slots + 1)
        params.n_seq_max = settings.slots + retained
        params.n_batch = params.n_ubatch = settings.batch
        params.n_outputs_max = min(params.n_seq_max, settings.batch)  # logits of a token each
        params.n_threads = params.n_threads_batch = settings.threads
        params.type_k = params.type_v = getattr(llama_cpp, f"GGML_TYPE_{settings.kv_type.upper()}")
        params.flash_attn_type = _FLASH_ATTENTION[settings.flash_attention]
        # YaRN's original context stays unset: llama.cpp takes the GGUF's.
        params.rope_scaling_type = _ROPE_SCALING[settings.rope_scaling]
        if settings.rope_scale:
            params.rope_freq_scale = 1 / settings.rope_scale
        params.kv_unified = True
        params.swa_full = True
        params.no_perf = True
        self.context = llama_cpp.llama_init_from_model(self.model, params)
        if not self.context:
            raise ModelError(
                f"{Path(settings.path).name}: no memory for {settings.slots} slots of "
                f"{settings.context} tokens. Lower `slots` or `context` in the config."
            )
        self.memory = llama_cpp.llama_get_memory(self.context)
        recurrent = llama_cpp.llama_model_is_recurrent(self.model)
        self.can_share = not recurrent and not llama_cpp.llama_model_is_hybrid(self.model)
        self._batch = llama_cpp.llama_batch_init(settings.batch, 0, 1)

    def tokenize(self, text: str, special: bool) -> list[int]:
        """Return token ids; with `special`, control tokens are read and a BOS is put in front."""
        data = text.encode()
        size = len(data) + 8
        tokens = (llama_cpp.llama_token * size)()
        count = llama_cpp.llama_tokenize(self.vocab, data, len(data), tokens, size, False, special)
        ids = list(tokens[:count])
        if special and self.add_bos and ids[:1] != [self.bos]:
            ids.insert(0, self.bos)
        return ids

    def piece(self, token: int) -> bytes:
        """Return a token's bytes; control tokens have none."""
        if token not in self._pieces:
            buffer = ctypes.create_string_buffer(256)
            size = llama_cpp.llama_token_to_piece(self.vocab, token, buffer, 256, 0, False)
            self._pieces[token] = buffer.raw[: max(size, 0)]
        return self._pieces[token]

    def is_end(self, token: int) -> bool:
        """Whether the token ends a generation."""
        return bool(llama_cpp.llama_vocab_is_eog(self.vocab, token))

    def decode(self, entries: list[tuple[int, int, int, bool]]) -> int:
        """Evaluate (token, position, sequence, wants logits) entries; 0 is success, 1 is full."""
        batch = self._batch
        batch.n_tokens = len(entries)
        for index, (token, position, sequence, wants) in enumerate(entries):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = wants
        return int(llama_cpp.llama_decode(self.context, batch))

    def logits(self, index: int) -> npt.NDArray[np.float32]:
        """Return a view of the logits of a batch entry; valid until the next decode."""
        pointer = llama_cpp.llama_get_logits_ith(self.context, index)
        return np.ctypeslib.as_array(pointer, shape=(self.n_vocab,))

    def grammar(self, text: str) -> Any:
        """Return a fresh grammar sampler; a text is compiled once. Raises GrammarError."""
        if text in self._grammars:
            self._grammars.move_to_end(text)
        else:
            compiled = llama_cpp.llama_sampler_init_grammar(self.vocab, text.encode(), b"root")
            if not compiled:
                raise GrammarError("llama.cpp does not compile this grammar (its words: the log).")
            self._grammars[text] = compiled
            if len(self._grammars) > _COMPILED_GRAMMARS:
                llama_cpp.llama_sampler_free(self._grammars.popitem(last=False)[1])
        return llama_cpp.llama_sampler_clone(self._grammars[text])

    def clear(self) -> None:
        """Forget everything that was evaluated."""
        llama_cpp.llama_memory_clear(self.memory, True)
