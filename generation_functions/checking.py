"""`check`: every prompt, grammar and example of the pipelines, before a model is rented."""

from collections import ChainMap, Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation_functions.discovery import list_own
from generation_functions.engine.compiling import compile_grammar
from generation_functions.engine.doctor import (
    Source,
    find_problems,
    find_unused,
    find_used,
    read_rules,
    replace_bodies,
)
from generation_functions.errors import PalimpsestError
from generation_functions.pipelines.pdf_cleaning import CLEAN_PDF
from generation_functions.pipelines.pipeline import Pipeline
from generation_functions.pipelines.sample_items import Samples
from generation_functions.pipelines.samples import SAMPLES
from generation_functions.pipelines.style import PIPELINE as STYLE
from generation_functions.pipelines.variations import PRETRAINING_STEPS
from generation_functions.pipelines.ways import make_ways
from generation_functions.session import read_config
from generation_functions.stages import (
    CHARACTER_STEPS,
    CONVERSATION_STEPS,
    CORRECTION_STEPS,
    EXAM_STEPS,
    QUESTION_STEPS,
    RAG_STEPS,
    RECALL_STEPS,
    find_pipeline,
)
from generation_functions.steps.prompts import (
    GRAMMARS,
    PROMPTS,
    find_prompt,
    load_prompt,
    read_grammar,
)
from generation_functions.steps.step import Step
from generation_functions.trying import REPLIES, try_examples, try_items

STEPS: tuple[Step[Any, Any], ...] = (
    CLEAN_PDF,
    *QUESTION_STEPS,
    *PRETRAINING_STEPS,
    *CHARACTER_STEPS,
    *CONVERSATION_STEPS,
    *RECALL_STEPS,
    *RAG_STEPS,
    *CORRECTION_STEPS,
    *EXAM_STEPS,
    *STYLE.steps,
)


@dataclass(slots=True)
class _Findings:
    """What came up so far; `used` are the rules of each shared.gbnf that grammars use.

    `unsure` are the files of those for which a grammar could not be read. `samples` are the
    made-up items of each step.
    """

    samples: Mapping[str, Samples]
    problems: list[str] = field(default_factory=list)
    used: dict[Source, set[str]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)
    checked: set[tuple[str, ...]] = field(default_factory=set)


def check_pipeline(name: str, config_file: Path | None = None) -> int:
    """Print a line for each prompt and each problem of one of the pipelines that are found by their
    names; return 1 when something is wrong, else 0. Raises ConfigError for one without a module."""
    pipeline = find_pipeline(name)
    found = _Findings(ChainMap({}, dict(pipeline.samples), dict(SAMPLES)))
    given = read_config(config_file).path.prompt_folders if config_file else []
    for step in pipeline.steps:
        _check_step(step, given, found)
    return _conclude(found, len(pipeline.steps))


def check_everything(config_file: Path | None = None) -> int:
    """Print a line for each prompt and each problem; return 1 when something is wrong, else 0.

    Checked are the prompts and grammars of the package, of pipelines/own/ too, each folder of
    overrides in it, and the override folders of the config, of its ways of asking too: by the
    grammar doctor, by llama.cpp's compiler, and by sending examples and random replies through
    each step's parser.
    """
    added, broken = _find_own()
    steps = (*STEPS, *(step for pipeline in added for step in pipeline.steps))
    found = _Findings(ChainMap({}, *(dict(one.samples) for one in added), dict(SAMPLES)), broken)
    config = read_config(config_file) if config_file else None
    given = config.path.prompt_folders if config else []
    own = [step for way in make_ways(config) for step in way.steps] if config else []
    packaged = [[folder] for folder in sorted(PROMPTS.iterdir()) if folder.is_dir()]
    for folders in ([], *packaged, *(given[start:] for start in range(len(given)))):
        for step in steps:
            _check_step(step, folders, found)
    for step in own:
        _check_step(step, [*map(Path, step.folders), *given], found)
    for (file, text), used in found.used.items():
        if file not in found.unsure:
            found.problems += find_unused(file, text, used)
    folders = [Path(one) for one in dict.fromkeys(one for step in own for one in step.folders)]
    every = dict.fromkeys((PROMPTS, GRAMMARS, *(one[0] for one in packaged), *given, *folders))
    found.problems += _find_strays(list(every), (*steps, *own))
    found.problems += find_namesakes(steps)
    return _conclude(found, len(steps))


def _conclude(found: _Findings, steps: int) -> int:
    problems = list(dict.fromkeys(found.problems))
    for problem in problems:
        print(problem)
    print(f"{steps} steps, {len(found.checked)} prompts, {len(problems)} problems")
    return 1 if problems else 0


def _find_own() -> tuple[list[Pipeline[Any, Any]], list[str]]:
    """Return the pipelines of pipelines/own/, and what is wrong with those that cannot be had."""
    added, broken = [], []
    for name in list_own():
        try:
            added.append(find_pipeline(name))
        except PalimpsestError as error:
            broken.append(str(error))
    return added, broken


def _check_step(step: Step[Any, Any], folders: Sequence[Path], found: _Findings) -> None:
    """Check a step as these override folders make it, unless just that has been checked."""
    try:
        file = find_prompt(step.name, folders)
        sources = read_grammar(step.name, folders, step.like)
    except PalimpsestError as error:
        found.problems.append(str(error))
        return
    own, shared = sources
    key = (str(file), own[0], shared[0])
    if key in found.checked:
        return
    found.checked.add(key)
    problems = _check_grammar(step, own, shared, found)
    if not problems:
        problems = _check_prompt(step, folders, found.samples.get(_sampled(step)))
    found.problems += problems


def _check_grammar(
    step: Step[Any, Any], own: Source, shared: Source, found: _Findings
) -> list[str]:
    """Doctor a step's grammar file with shared.gbnf; note what is used of the latter."""
    used = found.used.setdefault(shared, set())
    try:
        rules, problems = read_rules([own, shared])
        samples = found.samples.get(_sampled(step))
        items = samples.items if samples else ()
        replaced = [step.rules(item) for item in items]
        names = {"root", *(name for bodies in replaced for name in bodies)}
        own_used = find_used(rules, names)
        for bodies in replaced:
            own_used |= find_used(replace_bodies(rules, bodies), names)
        problems += find_problems(rules) + find_unused(*own, own_used)
    except PalimpsestError as error:
        found.unsure.add(shared[0])
        return [str(error)]
    used |= own_used
    return problems


def _check_prompt(
    step: Step[Any, Any], folders: Sequence[Path], samples: Samples | None
) -> list[str]:
    if samples is None:
        return [f"{step.name}: no sample items. Name some in its PIPELINE, or in samples.py."]
    try:
        prompt = load_prompt(step.name, folders, like=step.like)
        without = load_prompt(step.name, folders, use_filenames=False, like=step.like)
        step.check_grammar(prompt.grammar)
        compile_grammar(prompt.grammar)
        for item in samples.items:
            without.messages(step.fields(item))
    except PalimpsestError as error:
        return [str(error)]
    problems = try_items(step, prompt, samples)
    modes = (prompt, without) if prompt.content.examples != without.content.examples else (prompt,)
    for mode in modes:
        problems = problems or try_examples(step, mode, samples)
    print(
        f"{prompt.file.parent.name}/{step.name}: {len(prompt.content.examples)} examples, "
        f"{len(prompt.grammar.reachable())} rules, {REPLIES} random replies, prompt {prompt.hash}"
    )
    return problems


def _sampled(step: Step[Any, Any]) -> str:
    """Return the name whose sample items fit a step: that of the step it is like, or its own."""
    return step.like or step.name


def find_namesakes(steps: Sequence[Step[Any, Any]]) -> list[str]:
    """Return a line for each name that two steps have: they would share prompt and records."""
    names = Counter(step.name for step in steps)
    return [
        f"{name}: {number} steps have this name. Rename all but one, with prompt and grammar."
        for name, number in names.items()
        if number > 1
    ]


def _find_strays(folders: Sequence[Path], steps: Sequence[Step[Any, Any]]) -> list[str]:
    """Return a line for each prompt and grammar file that belongs to none of the steps."""
    names = {step.name for step in steps} | {"shared"}
    files = [
        file for folder in folders for end in ("yaml", "gbnf") for file in folder.glob(f"*.{end}")
    ]
    return [
        f"{file}: no step has this name, and nothing reads it. Rename or delete it."
        for file in files
        if file.stem not in names
    ]
