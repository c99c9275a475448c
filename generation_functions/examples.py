"""A few-shot example made from a record that went wrong: its fields, with the answer put right."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from generation_functions.checking import STEPS
from generation_functions.errors import PromptError
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.steps.prompts import Example, Prompt, load_prompt, show_example
from generation_functions.steps.record import Record
from generation_functions.steps.step import Step
from generation_functions.trying import try_examples


def example_from(
    record: Record,
    corrected_answer: str,
    step: Step[Any, Any] | None = None,
    folders: Sequence[Path] = (),
) -> str:
    """Return the YAML entry of an example: a record's fields and the answer that it should have.

    It goes into the `examples` of the step's prompt. `step` is that of the record's name unless
    it is given; `folders` hold overrides of its prompt, as `config.path.prompt_folders`. Raises
    PromptError for an answer that the grammar, as it is narrowed to these fields, or the parser
    refuses, and for a record whose fields are not the template's.
    """
    step = step or find_step(record.step)
    own = [*map(Path, step.folders), *folders]
    prompt = load_prompt(step.name, own, like=step.like)
    return write_example(step, prompt, Example(fields=record.fields, answer=corrected_answer))


def write_example(step: Step[Any, Any], prompt: Prompt, example: Example) -> str:
    """Return an example as the entry of a YAML list. Raises PromptError for one that is of no use.

    The parser reads the answers of steps that have sample items (pipelines/samples.py).
    """
    alone = show_example(prompt, example)
    samples = SAMPLES.get(step.like or step.name)
    problems = try_examples(step, alone, samples) if samples else []
    if problems:
        raise PromptError(" ".join(problems))
    entry = {"fields": example.fields, "answer": example.answer.strip("\n")}
    return yaml.dump([entry], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


def find_step(name: str) -> Step[Any, Any]:
    """Return the program's step of a name. Raises PromptError where there is none."""
    for step in STEPS:
        if step.name == name:
            return step
    raise PromptError(f"{name}: none of the program's steps. Pass your own as `step`.")


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _write_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_block)
