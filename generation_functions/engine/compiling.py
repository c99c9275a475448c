"""Compile a grammar with the real library, without a model."""

import os
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

import llama_cpp

from generation_functions.engine.grammar import Grammar
from generation_functions.errors import GrammarError


def compile_grammar(grammar: Grammar) -> None:
    """Raise GrammarError, naming the file of `root`, where llama.cpp refuses the grammar.

    The error has llama.cpp's own reason.
    """
    text = grammar.text.encode()
    sampler, said = _listen(lambda: llama_cpp.llama_sampler_init_grammar(None, text, b"root"))
    if not sampler:
        reason = next((line.strip() for line in said.splitlines() if line.strip()), "no reason")
        place = grammar.rules["root"].place
        raise GrammarError(f"{place}: llama.cpp does not compile this grammar. It says: {reason}.")
    llama_cpp.llama_sampler_free(sampler)


def _listen(call: Callable[[], Any]) -> tuple[Any, str]:
    """Return what a call returns and what the process writes to stderr meanwhile.

    llama.cpp gives its reasons there and nowhere else, some past Python's own sys.stderr.
    """
    kept = os.dup(2)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as heard:
        os.dup2(heard.fileno(), 2)
        try:
            with redirect_stderr(heard):
                result = call()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        heard.seek(0)
        return result, heard.read()
