"""A few-shot example made from a record that went wrong: its fields, with the answer put right."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from generation_functions.checking import STEPS
from generation_functions.discovery import list_pipelines
from generation_functions.errors import PromptError
from generation_functions.pipelines.pipeline import Pipeline
from generation_functions.pipelines.sample_items import Samples
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.stages import find_pipeline
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

    The parser reads the answers of steps that have sample items (find_samples).
    """
    alone = show_example(prompt, example)
    samples = find_samples(step)
    problems = try_examples(step, alone, samples) if samples else []
    if problems:
        raise PromptError(" ".join(problems))
    entry = {"fields": example.fields, "answer": example.answer.strip("\n")}
    return yaml.dump([entry], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)


def find_step(name: str) -> Step[Any, Any]:
    """Return the step of a name, of the program's or of a pipeline that is found by its name.

    Raises PromptError where there is none.
    """
    own = chain.from_iterable(pipeline.steps for pipeline in _find_pipelines())
    for step in chain(STEPS, own):
        if step.name == name:
            return step
    raise PromptError(f"{name}: no step has this name. Pass yours as `step`.")


def find_samples(step: Step[Any, Any]) -> Samples | None:
    """Return the sample items of a step, None for one without any."""
    name = step.like or step.name
    if name in SAMPLES:
        return SAMPLES[name]
    known = (pipeline.samples for pipeline in _find_pipelines())
    return next((samples[name] for samples in known if name in samples), None)


def _find_pipelines() -> Iterator[Pipeline[Any, Any]]:
    return map(find_pipeline, list_pipelines())


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _write_block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_block)
