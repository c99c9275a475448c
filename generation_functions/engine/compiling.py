"""Compile a grammar with the real library, without a model."""

import llama_cpp

from generation_functions.engine.grammar import Grammar
from generation_functions.errors import GrammarError


def compile_grammar(grammar: Grammar) -> None:
    """Raise GrammarError, naming the file of `root`, where llama.cpp refuses the grammar.

    llama.cpp prints its reason to stderr only.
    """
    sampler = llama_cpp.llama_sampler_init_grammar(None, grammar.text.encode(), b"root")
    if not sampler:
        place = grammar.rules["root"].place
        raise GrammarError(f"{place}: llama.cpp does not compile this grammar (reason above).")
    llama_cpp.llama_sampler_free(sampler)
