"""Try a step on made-up items: its template, its rules, and its parser on random replies."""

from collections.abc import Iterable, Iterator
from typing import Any

from generation_functions.engine.compiling import compile_grammar
from generation_functions.engine.doctor import find_problems
from generation_functions.engine.drawing import draw_extreme
from generation_functions.engine.grammar import Grammar
from generation_functions.errors import PalimpsestError, Rejected, Unparsable
from generation_functions.pipelines.sample_items import Samples
from generation_functions.steps.prompts import Prompt
from generation_functions.steps.step import Step

REPLIES = 200  # for each step; each has one repetition at its upper bound

_MATCHED = 300  # characters; a longer reply has so many readings that the matcher takes seconds


def try_items(step: Step[Any, Any], prompt: Prompt, samples: Samples) -> list[str]:
    """Return a line for each problem with a step's sample items.

    The template is filled with each, the grammar narrowed to it and compiled, and random
    replies of that grammar go through the step's parser.
    """
    problems: list[str] = []
    each = -(-REPLIES // len(samples.items))
    for number, item in enumerate(samples.items, 1):
        try:
            prompt.messages(step.fields(item))
            grammar = step.narrow(prompt.grammar, item)
            faults = find_problems(grammar.rules)
            if not faults:
                compile_grammar(grammar)
                faults = list(_try_replies(step, item, grammar, range(each)))
        except PalimpsestError as error:
            faults = [str(error)]
        problems += [f"{fault} ({step.name}, sample item {number})" for fault in faults]
    return problems


def try_examples(step: Step[Any, Any], prompt: Prompt, samples: Samples) -> list[str]:
    """Return a line for each example whose answer its own item's grammar or parser refuses."""
    problems = []
    for number, example in enumerate(prompt.content.examples, 1):
        place = f"{prompt.file}: example {number}"
        answer = example.answer.strip("\n")
        try:
            item = samples.read(example.fields)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            problems.append(f"{place}: its fields are not of the kind that the step gives: {error}")
            continue
        grammar = step.narrow(prompt.grammar, item)
        if not grammar.matches(answer):
            refused = answer[grammar.matched_length(answer) :][:40]
            problems.append(
                f"{place}: the grammar, as it is narrowed to these fields, refuses the answer "
                f"from {refused!r} on. Change the answer or the fields."
            )
            continue
        fault = _parse(step, item, answer)
        if fault:
            problems.append(f"{place}: {fault}. Change the answer or the fields.")
    return problems


def check_prompt(
    step: Step[Any, Any], prompt: Prompt, items: Iterable[Any], samples: Samples | None
) -> list[str]:
    """Return a line for each problem that a prompt has with these items, or with its examples.

    Its grammar goes through the doctor and llama.cpp's compiler, narrowed to each item; with
    `samples` the examples' answers go through the parser.
    """
    problems = find_problems(prompt.grammar.rules)
    for item in () if problems else items:
        try:
            prompt.messages(step.fields(item))
            compile_grammar(step.narrow(prompt.grammar, item))
        except PalimpsestError as error:
            problems.append(str(error))
    if not problems and samples:
        problems = try_examples(step, prompt, samples)
    return list(dict.fromkeys(problems))


def _try_replies(step: Step[Any, Any], item: Any, grammar: Grammar, seeds: range) -> Iterator[str]:
    """Yield what goes wrong with random replies, for the first of them that goes wrong."""
    for seed in seeds:
        reply = draw_extreme(grammar, seed)
        known = f"the random reply of seed {seed}: {reply!r}"
        if len(reply) <= _MATCHED and not grammar.matches(reply):
            yield f"{grammar.rules['root'].place}: the matcher refuses {known}"
            return
        try:
            step.parse(item, reply)
        except (Unparsable, Rejected):
            continue
        except Exception as error:  # whatever else a parser raises is what is looked for here
            yield (
                f"{grammar.rules['root'].place}: the parser raises {error!r}, where it may raise "
                f"only Unparsable and Rejected, on {known}"
            )
            return


def _parse(step: Step[Any, Any], item: Any, answer: str) -> str | None:
    """Return why the step's parser cannot read an example's answer; a final no is an answer."""
    try:
        step.parse(item, answer)
    except Unparsable as error:
        return f"the step's parser cannot read the answer: {error}"
    except Rejected:
        return None
    return None
