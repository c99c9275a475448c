"""GBNF: parsing, references, replacement, matching, and the bounds that cut a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation_functions.checking import STEPS
from generation_functions.engine.compiling import compile_grammar
from generation_functions.engine.drawing import draw_text
from generation_functions.engine.grammar import Grammar, parse_grammar
from generation_functions.errors import GrammarError
from generation_functions.steps.prompts import load_grammar, load_prompt

ANSWER = """\
# an answer
root ::= "Answer: " sentence   # and nothing else
sentence ::= word (" " word){0,24} [.!?]
word ::= [a-z]{1,30} | "\\"" [^"\\n]{1,30} "\\""
"""


def grammar_of(text: str) -> Grammar:
    return parse_grammar([("test.gbnf", text)])


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("Answer: a word.", True),
        ('Answer: a "quoted word" too!', True),
        ("Answer: a word", False),
        ("answer: a word.", False),
        ("Answer: a word. And more", False),
        ("", False),
    ],
)
def test_matching_is_of_the_whole_text(text: str, inside: bool) -> None:
    assert grammar_of(ANSWER).matches(text) is inside


def test_a_text_at_a_length_bound_is_told_from_one_below() -> None:
    grammar = grammar_of(ANSWER)
    assert not grammar.reaches_bound("Answer: " + " ".join(["a"] * 24) + ".")
    assert grammar.reaches_bound("Answer: " + " ".join(["a"] * 25) + ".")
    assert grammar.reaches_bound("Answer: " + "a" * 30 + ".")


def test_small_bounds_count_and_do_not_cut() -> None:
    grammar = grammar_of('root ::= "x"{1,4}')
    assert grammar.matches("xxxx")
    assert not grammar.reaches_bound("xxxx")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('root ::= "open', "test.gbnf:1: a literal"),
        ('root ::= "a"\nother ::= [a-z', "test.gbnf:2: a class"),
        ('root ::= "a" other', "test.gbnf:1: rule `root` uses `other`"),
        ('root ::= "a" | more\nmore ::= more "b" | "c"', "test.gbnf:2: rule `more` begins with"),
        ('root ::= other "b"\nother ::= "a"? root', "rule `root` begins with itself"),
        ('start ::= "a"', "test.gbnf: no rule named `root`"),
        ('root ::= ("a" | "b"', "test.gbnf:1: a group"),
        ('root ::= "a"{3,2}', "test.gbnf:1: a repetition from 3 to 2"),
        ('root ::= "\\q"', "test.gbnf:1: unknown escape"),
        ("\n\nnothing", "test.gbnf:3: no rule"),
    ],
)
def test_errors_name_file_and_line(text: str, place: str) -> None:
    with pytest.raises(GrammarError) as error:
        grammar_of(text)
    assert place in str(error.value)


def test_replacing_a_rule_narrows_the_language_and_leaves_the_grammar_alone() -> None:
    grammar = grammar_of('root ::= "sentence " number\nnumber ::= [0-9]{1,3}')
    narrow = grammar.replace({"number": '"1" | "2"'})
    assert grammar.matches("sentence 3")
    assert not narrow.matches("sentence 3")
    assert narrow.matches("sentence 2")
    with pytest.raises(GrammarError, match="no rule `numbre`"):
        grammar.replace({"numbre": '"1"'})


def test_only_what_root_reaches_is_sent() -> None:
    grammar = parse_grammar([("a.gbnf", "root ::= word"), ("b.gbnf", 'word ::= "w"\nidle ::= "i"')])
    assert grammar.text == 'root ::= word\nword ::= "w"\n'


def test_recursive_rules_match() -> None:
    grammar = grammar_of('root ::= "(" root ")" | "x"')
    assert grammar.matches("(((x)))")
    assert not grammar.matches("(((x))")


@pytest.mark.parametrize("name", [step.name for step in STEPS])
def test_every_step_grammar_compiles_in_llama_cpp(name: str) -> None:
    compile_grammar(load_grammar(name))


def test_llama_cpp_refuses_what_it_cannot_compile() -> None:
    with pytest.raises(GrammarError, match=r"test\.gbnf:1"):
        compile_grammar(grammar_of('root ::= (("a"{0,60} "b"){0,60} "c"){0,60}'))


@pytest.mark.parametrize("name", [step.name for step in STEPS])
@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 2**32 - 1))
def test_random_texts_of_a_step_grammar_are_in_it(name: str, seed: int) -> None:
    grammar = load_grammar(name)
    text = draw_text(grammar, seed)
    assert grammar.matches(text)
    assert draw_text(grammar, seed) == text


@pytest.mark.parametrize("step", ["list_facts", "turn_facts", "infer_facts"])
def test_a_line_of_facts_does_not_run_on_into_the_next_number(step: str) -> None:
    """A 1.5B model with nothing left to say wrote "[10] Nothing. [11] Nothing." to the bound."""
    grammar = load_prompt(step).grammar
    numbers = "1, 2" if step == "infer_facts" else "1"
    assert grammar.matches(f"[{numbers}] Hemp floats.")
    assert not grammar.matches(f"[{numbers}] Hemp floats. [3] Nothing.")
