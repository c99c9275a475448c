"""What `check` finds wrong with grammars, prompts and parsers, and that ours are sound."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from generation_functions import checking
from generation_functions.checking import STEPS
from generation_functions.engine.compiling import compile_grammar
from generation_functions.engine.doctor import find_problems, find_unused, find_used, read_rules
from generation_functions.engine.drawing import draw_extreme
from generation_functions.engine.grammar import parse_grammar
from generation_functions.errors import GrammarError
from generation_functions.pipelines.question_steps import JUDGE_CHUNK
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.steps.prompts import (
    GRAMMARS,
    PROMPTS,
    find_prompt,
    load_grammar,
    load_prompt,
)
from generation_functions.trying import try_examples, try_items


def problems_of(text: str) -> list[str]:
    rules, problems = read_rules([("a.gbnf", text)])
    return problems + find_problems(rules)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('root ::= word\nwrod ::= "a"', 1, "uses `word`, which is not defined"),
        ('root ::= word\nwrod ::= "a"', 1, "Did you mean `wrod`?"),
        ('root ::= a\na ::= a "b" | "c"', 2, "left recursion"),
        (
            'root ::= a\na ::= "x"? b\nb ::= a "y" | "z"',
            2,
            "`a` uses itself through `b`, and begins",
        ),
        ('root ::= "a"*', 1, "without a bound"),
        ('root ::= "a"+', 1, "without a bound"),
        ('root ::= "a"{2,}', 1, "without a bound"),
        ('root ::= "a"{0,2001}', 1, "without a bound"),
        ('root ::= ("a" "b"*){0,3}', 1, "without a bound"),
        ('root ::= "(" root ")" | "x"', 1, "uses itself, and has no bound above it"),
        ('root ::= "x" a\na ::= "y" b\nb ::= "z" a', 2, "no way out"),
        ('root ::= "a" b\nb ::= ("c" | "d"){0}', 2, "0 times"),
        ('root ::= "a" b\nb ::=\n', 2, "only the empty text"),
        ('root ::= ""', 1, "only the empty text"),
        ('root ::= "a"\nroot ::= "b"', 2, "defined a second time (first at a.gbnf:1)"),
        ('other ::= "a"', 1, "no rule named `root`"),
        ('root ::= (("a"{0,60} "b"){0,60} "c"){0,2}', 1, "multiply to"),
        ('root ::= ("a"?){0,30} "."', 1, "what may be empty"),
    ],
)
def test_each_problem_is_named_with_its_line(text: str, line: int, said: str) -> None:
    assert [one for one in problems_of(text) if one.startswith(f"a.gbnf:{line}: ") and said in one]


@pytest.mark.parametrize(
    "text",
    [
        'root ::= "a"{0,60} b\nb ::= "" | "c"',
        'root ::= "a" nothing\nnothing ::= ""',
        'root ::= part{0,100}\npart ::= "x" ("a"{0,100} "b"){0,3}',
    ],
)
def test_sound_grammars_have_no_problems_and_compile(text: str) -> None:
    assert problems_of(text) == []
    compile_grammar(parse_grammar([("a.gbnf", text)]))


def test_rules_that_nobody_uses_are_named() -> None:
    text = 'root ::= a\na ::= "a"\nidle ::= a\nplace ::= a'
    rules, _ = read_rules([("a.gbnf", text)])
    found = find_unused("a.gbnf", text, find_used(rules, ["root", "place"]))
    assert len(found) == 1
    assert found[0].startswith("a.gbnf:3: no grammar uses rule `idle`")


def test_an_error_of_the_compiler_has_llama_cpps_reason() -> None:
    grammar = parse_grammar([("a.gbnf", 'root ::= ("a"{0,60} "b"){0,60}')])
    with pytest.raises(GrammarError, match=r"a\.gbnf:1: .* exceeds sane defaults"):
        compile_grammar(grammar)


def test_extreme_draws_reach_every_upper_bound() -> None:
    grammar = parse_grammar([("a.gbnf", 'root ::= "a"{1,40} "b"{0,30} "c"{2}')])
    texts = [draw_extreme(grammar, seed) for seed in range(3)]
    assert texts[0].count("a") == 40
    assert texts[1].count("b") == 30
    assert all(grammar.matches(text) for text in texts)


def test_a_parser_that_raises_something_else_is_named_with_seed_and_reply() -> None:
    def parse(item: object, reply: str) -> bool:
        if reply.endswith("no facts"):
            raise ValueError("a bug")
        return True

    faults = try_items(
        replace(JUDGE_CHUNK, parse=parse), load_prompt("judge_chunk"), SAMPLES["judge_chunk"]
    )
    assert "raises ValueError('a bug')" in faults[0]
    assert "seed" in faults[0]
    assert "no facts" in faults[0]


def test_fields_that_the_template_does_not_name_are_found() -> None:
    step = replace(JUDGE_CHUNK, fields=lambda chunk: {"text": chunk.text})
    faults = try_items(step, load_prompt("judge_chunk"), SAMPLES["judge_chunk"])
    assert "not given: ['chunk']" in faults[0]


def test_rules_of_a_step_are_doctored_too() -> None:
    step = replace(JUDGE_CHUNK, rules=lambda chunk: {"verdict": '"facts" "!"*'})
    faults = try_items(step, load_prompt("judge_chunk"), SAMPLES["judge_chunk"])
    assert "rule `verdict` repeats without a bound" in faults[0]


def check_overrides(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    **sections: object,
) -> str:
    config = {
        "path": {"input_dirs": [{"path": "texts"}], "output_dir": "run", "prompts": "own"},
        "models": {"small": {"gguf": "a.gguf"}, "large": {"gguf": "a.gguf"}},
        "dataset_context": "Ropes",
        **sections,
    }
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    monkeypatch.setattr("generation_functions.trying.REPLIES", 4)
    assert checking.check_everything(file) == 1
    return capsys.readouterr().out


def test_override_folders_are_doctored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    text = 'root ::= "Verdict: " verdict\nverdict ::= "facts"+\nidle ::= "i"\n'
    (own / "judge_chunk.gbnf").write_text(text, encoding="utf-8")
    (own / "jugde_chunk.yaml").write_text("", encoding="utf-8")
    (own / "shared.gbnf").write_text(
        (GRAMMARS / "shared.gbnf").read_text(encoding="utf-8") + '\nspare ::= "s"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(checking, "STEPS", (JUDGE_CHUNK,))  # the others take seconds
    said = check_overrides(tmp_path, capsys, monkeypatch)
    assert f"{own / 'judge_chunk.gbnf'}:2: rule `verdict` repeats without a bound" in said
    assert f"{own / 'judge_chunk.gbnf'}:3: no grammar uses rule `idle`" in said
    assert f"{own / 'jugde_chunk.yaml'}: no step has this name" in said
    assert said.count("no grammar uses rule `spare`") == 1


def test_prompts_of_a_way_of_ones_own_are_doctored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    prompt = find_prompt("write_openended").read_text(encoding="utf-8")
    broken = re.sub(r"answer: \|-\n +\d", "answer: |-\n      9", prompt, count=1)
    (mine / "write_mine.yaml").write_text(broken, encoding="utf-8")
    (mine / "write_mien.yaml").write_text(prompt, encoding="utf-8")
    monkeypatch.setattr(checking, "STEPS", ())
    ways = {"mine": {"prompts": "mine"}}
    said = check_overrides(tmp_path, capsys, monkeypatch, factual_sft=ways)
    assert f"{mine / 'write_mine.yaml'}: example 1: the grammar, as it is narrowed" in said
    assert f"{mine / 'write_mien.yaml'}: no step has this name" in said


def test_steps_of_one_name_are_named() -> None:
    theirs = replace(JUDGE_CHUNK, role="large")
    (said,) = checking.find_namesakes((*STEPS, theirs))
    assert said.startswith("judge_chunk: 2 steps have this name")
    assert checking.find_namesakes(STEPS) == []


def test_examples_go_through_the_parser_of_their_step() -> None:
    prompt = load_prompt("write_questions")
    step, samples = next(s for s in STEPS if s.name == prompt.name), SAMPLES[prompt.name]
    assert try_examples(step, prompt, samples) == []
    example = next(one for one in prompt.content.examples if one.fields["most"] == 2)
    few = example.model_copy(update={"fields": {**example.fields, "most": 1}})
    wrong = example.model_copy(update={"fields": {**example.fields, "most": "two"}})
    content = prompt.content.model_copy(update={"examples": (few, wrong)})
    refused, kind = try_examples(step, replace(prompt, content=content), samples)
    assert "example 1: the grammar, as it is narrowed" in refused
    assert "example 2: its fields are not of the kind" in kind


def test_our_own_prompts_and_grammars_are_sound(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generation_functions.trying.REPLIES", 12)
    assert checking.check_everything() == 0, capsys.readouterr().out


def test_every_step_names_the_rules_that_it_replaces_and_the_package_has_them() -> None:
    for step in STEPS:
        replaced = set().union(*(step.rules(item) for item in SAMPLES[step.name].items))
        assert replaced == {*step.replaces, *step.offers}, step.name
        for folders in ([], *([one] for one in PROMPTS.iterdir() if one.is_dir())):
            step.check_grammar(load_grammar(step.name, folders))
