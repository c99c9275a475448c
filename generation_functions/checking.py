"""`check`: every prompt, grammar and example of the pipelines, before a model is rented."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generation_functions.config import load_config
from generation_functions.engine.compiling import compile_grammar
from generation_functions.errors import PalimpsestError
from generation_functions.stages import CONVERSATION_STEPS, QUESTION_STEPS
from generation_functions.steps.prompts import GRAMMARS, PROMPTS, load_prompt
from generation_functions.steps.step import Step

STEPS: tuple[Step[Any, Any], ...] = (*QUESTION_STEPS, *CONVERSATION_STEPS)


def check_everything(config_file: Path | None = None) -> int:
    """Print a line for each step; return 1 when something is wrong, else 0.

    Loading a prompt checks its YAML, its grammar, and every example against both; then
    llama.cpp compiles the grammar.
    """
    overrides: list[Path] = []
    if config_file:
        path = load_config(config_file).path
        given = (path.prompts, path.default_prompts)
        overrides = [(config_file.parent / one).resolve() for one in given if one]
    problems = [problem for step in STEPS for problem in _check_step(step, overrides)]
    problems += _find_strays()
    for problem in problems:
        print(problem)
    print(f"{len(STEPS)} steps, {len(problems)} problems")
    return 1 if problems else 0


def _check_step(step: Step[Any, Any], overrides: Sequence[Path]) -> list[str]:
    try:
        prompt = load_prompt(step.name, overrides)
        compile_grammar(prompt.grammar)
    except PalimpsestError as error:
        return [str(error)]
    print(
        f"{step.name}: {len(prompt.content.examples)} examples, "
        f"{len(prompt.grammar.reachable())} rules, prompt {prompt.hash}"
    )
    return []


def _find_strays() -> list[str]:
    """Return a line for each prompt and grammar file that belongs to no step."""
    names = {step.name for step in STEPS} | {"shared"}
    files = [*PROMPTS.glob("*.yaml"), *GRAMMARS.glob("*.gbnf")]
    return [f"{file}: no step has this name" for file in files if file.stem not in names]
