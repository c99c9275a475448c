"""Our matcher and llama.cpp's own sampler take the same texts, token by token."""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from generation_functions.checking import STEPS
from generation_functions.engine.drawing import draw_extreme
from generation_functions.engine.grammar import Grammar, parse_grammar
from generation_functions.engine.llama import Llama
from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.matching import Matcher
from generation_functions.engine.sampling import GrammarState
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.steps.prompts import load_grammar

pytestmark = pytest.mark.model
FILE = Path(__file__).with_name("gbnf_conformance.yaml")
CASES = yaml.safe_load(FILE.read_text(encoding="utf-8"))
PROBES = string.printable.strip() + " \n\té"


@dataclass(frozen=True)
class Judge:
    """llama.cpp's grammar sampler over a vocabulary without a model."""

    llama: Llama
    end: int

    def tokenize(self, text: str) -> list[int]:
        """Return a text's tokens."""
        return self.llama.vocabulary.tokenize(text, special=False)

    def follow(self, grammar: str, text: str) -> Iterator[tuple[GrammarState, bytes, bytes]]:
        """Yield the grammar's state, the bytes taken and the next token's, while it takes them."""
        state = GrammarState(self.llama.grammar(grammar), self.llama.vocabulary.silent)
        taken = b""
        for token in [*self.tokenize(text), self.end]:
            piece = self.llama.vocabulary.pieces[token]
            yield state, taken, piece
            if token == self.end or not state.allows(token):
                break
            state.accept(token)
            taken += piece
        state.free()

    def takes(self, grammar: str, text: str) -> bool:
        """Whether every token of the text is allowed, and then the end."""
        return any(
            taken == text.encode() and state.allows(self.end)
            for state, taken, _ in self.follow(grammar, text)
        )


@pytest.fixture(scope="module")
def judge(embedded_model: Path) -> Judge:
    llama = Llama(LoadSettings(str(embedded_model), 1, 512, 256, 0, 1, vocab_only=True))
    end = llama.vocabulary.ends[0]
    return Judge(llama, end)


def matcher_of(grammar: Grammar) -> Matcher:
    return Matcher({name: rule.node for name, rule in grammar.rules.items()}, tight=False)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_matcher_and_llama_cpp_agree_token_by_token(case: dict[str, Any], judge: Judge) -> None:
    grammar = parse_grammar([("case.gbnf", case["grammar"])])
    # llama.cpp reads the text as it was written, unless its own reading runs across rules
    written = grammar.text if case.get("apart") else case["grammar"]
    matcher = matcher_of(grammar)
    probes = [(one, tokens[0]) for one in PROBES if len(tokens := judge.tokenize(one)) == 1]
    for text in [*case["takes"], *case["refuses"]]:
        assert grammar.matches(text) is (text in case["takes"]), text
        assert judge.takes(written, text) is (text in case["takes"]), text
        assert judge.takes(grammar.text, text) is (text in case["takes"]), text
        for reached, taken, piece in judge.follow(written, text):
            try:
                state = matcher.advance(matcher.start(), taken.decode())
            except UnicodeDecodeError:
                continue  # within a character
            where = f"{text!r} after {taken!r}"
            ends = reached.allows(judge.end)
            assert ends is matcher.is_complete(state), where
            for probe, token in probes:
                allowed = reached.allows(token)
                assert allowed is bool(matcher.advance(state, probe)), f"{where}: {probe!r}"
            rest = text[len(taken.decode()) :]
            whole = next(
                (one for one in range(len(rest) + 1) if rest[:one].encode() == piece), None
            )
            if whole:
                first = judge.tokenize(rest)[0]
                allowed = reached.allows(first)
                if judge.llama.vocabulary.pieces[first] == piece:
                    assert allowed is bool(matcher.advance(state, rest[:whole])), where


def test_the_conformance_set_has_taken_and_refused_texts_for_each_case() -> None:
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert all(case["takes"] and case["refuses"] for case in CASES)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_llama_cpp_takes_what_is_drawn_from_a_steps_grammar(step: Any, judge: Judge) -> None:
    for item in SAMPLES[step.name].items:
        grammar = step.narrow(load_grammar(step.name), item)
        for seed in range(12):
            text = draw_extreme(grammar, seed)
            if len(text) <= 300:  # longer ones take llama.cpp seconds, too
                assert judge.takes(grammar.text, text), (seed, text)
