"""The facts of a dataset card, read from a run folder while the stage `mix` holds it."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from generation_functions import __version__
from generation_functions.card.facts import CardFacts, ModelUse, PromptUse, Repeats, Yield
from generation_functions.card.switched_off import list_not_made, list_switched_off
from generation_functions.config import Config
from generation_functions.datasets.manifest import Manifest
from generation_functions.documents.duplicates import DUPLICATE, NEAR_DUPLICATE
from generation_functions.engine.model_facts import ModelFacts
from generation_functions.pipelines import questions, recall_rounds
from generation_functions.pipelines.coverage import read_chunks, read_coverage, read_documents
from generation_functions.pipelines.judge_report import Figure
from generation_functions.records import from_json
from generation_functions.status import Status, funnel_rows, judge_warnings, reason_rows
from generation_functions.steps.files import read_json
from generation_functions.steps.models_used import read_models

CARD = "dataset_card.md"  # in the run folder
_WHOLE = ("documents", "mix")  # stages that take everything, whatever the limit
_ALWAYS = ("documents", "questions", "characters", "conversations", "mix")
_SECTIONS = {  # of the config, where they are not called as the stage
    "pretraining": "representation_variation",
    "rag": "rag_data",
    "corrections": "correction_pipeline",
}
_DISTINCT = {"questions": questions.DISTINCT, "recall": recall_rounds.DISTINCT}


def gather_facts(
    folder: Path, config: Config, status: Status, manifest: Manifest, running: str = ""
) -> CardFacts:
    """Return what the run folder knows; `status` is that of all stages as they stand now.

    `running` is the stage that asks, which has not ended yet and is not said to be broken off.
    Stages that the config has no longer, and what is in the records of earlier passes, are left
    out. Raises RunFolderError for a damaged record.
    """
    status = {name: part for name, part in status.items() if _is_on(name, config)}
    figures = _findings(status, "questions").get("judges", {}).get("figures", [])
    return CardFacts(
        run=folder.name,
        subject=config.dataset_context,
        version=__version__,
        seed=config.system.seed,
        manifest=manifest,
        sources=tuple(read_documents(folder)) or None,
        generic=tuple(_name_generic(config)),
        models=tuple(_list_models(folder, status)),
        prompts=tuple(_list_prompts(folder, status)),
        yields=tuple(_list_yields(config, status)),
        judges=tuple(from_json(Figure, one) for one in figures) or None,
        judge_warnings=tuple(judge_warnings(status)),
        coverage=tuple(read_coverage(folder)) or None,
        repeats=tuple(_list_repeats(folder, config, status)),
        leaks=_findings(status, "exam").get("leaks"),
        unfinished=tuple(_list_unfinished(status, running)),
        off=tuple(list_switched_off(config)),
        not_made=tuple(list_not_made(config)),
    )


def _is_on(stage: str, config: Config) -> bool:
    """Whether a stage is part of the run; one that is none may have left its status."""
    if stage in _ALWAYS:
        return True
    if stage == "recall":
        return bool(config.factual_sft)
    if stage == "meta":
        return config.meta_datagen.do_meta_datagen
    section = getattr(config, _SECTIONS.get(stage, stage), None)
    return bool(getattr(section, "enabled", False))


def _name_generic(config: Config) -> Iterator[str]:
    """Yield what generic datasets are called on every machine."""
    for one in config.final_datasaving_settings.generic_dataset_paths:
        yield Path(one.path).name if Path(one.path).is_absolute() else one.path


def _findings(status: Status, stage: str) -> dict[str, Any]:
    return dict(status.get(stage, {}).get("findings", {}))


def _replies(status: Status) -> Iterator[tuple[str, str, str, int]]:
    """Yield step, prompt, model and replies; those about planted pairs under their own name."""
    for content in status.values():
        for step, counts in (content["steps"] | content["apart"]).items():
            for one in counts.get("made_with", []):
                yield step, one["prompt"], one["model"], one["replies"]


def _name_step(counted: str) -> str:
    """Return the step itself of what is counted apart, as planted pairs are."""
    return counted.split(",")[0]


def _list_models(folder: Path, status: Status) -> Iterator[ModelUse]:
    known = read_models(folder)
    steps: dict[str, Counter[str]] = defaultdict(Counter)
    for step, _, model, replies in _replies(status):
        steps[model][_name_step(step)] += replies
    for fingerprint, asked in sorted(steps.items()):
        facts = known.get(fingerprint, ModelFacts(fingerprint))
        yield ModelUse(facts, tuple(sorted(asked)), asked.total())


def _list_prompts(folder: Path, status: Status) -> Iterator[PromptUse]:
    replies: Counter[tuple[str, str]] = Counter()
    for step, prompt, _, number in _replies(status):
        replies[step, prompt] += number
    for (step, prompt), number in sorted(replies.items()):
        kept = read_json(folder / _name_step(step) / "prompts" / f"{prompt}.json") or {}
        text = kept.get("grammar", "")
        grammar = hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""
        yield PromptUse(step, prompt, grammar, number)


def _list_yields(config: Config, status: Status) -> Iterator[Yield]:
    reasons: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for row in reason_rows(status):
        reason = _hide_folders(row["reason"], config)
        reasons[row["stage"], row["name"]].append((reason, row["items"]))
    for row in funnel_rows(status):
        why = sorted(reasons[row["stage"], row["name"]], key=lambda one: (-one[1], one[0]))
        counts = (row["in"], row["kept"], row["rejected"], row["failed"])
        yield Yield(row["stage"], row["name"], *counts, tuple(why))


def _hide_folders(text: str, config: Config) -> str:
    """Return a reason with the folders' names in the place of where they are on the disk."""
    for folder in config.path.input_dirs:
        text = text.replace(str(folder.path), folder.name)
    return text


def _list_repeats(folder: Path, config: Config, status: Status) -> Iterator[Repeats]:
    seen: Counter[str] = Counter(one.reason for one in read_chunks(folder))
    if seen and config.system.drop_duplicates:
        found = {kind: seen[kind] for kind in (DUPLICATE, NEAR_DUPLICATE)}
        yield Repeats("chunks", seen.total(), found)
    for stage, label in _DISTINCT.items():
        counts = status.get(stage, {}).get("pipelines", {}).get(label)
        if counts:
            reasons = counts["reasons"]["rejected"]
            yield Repeats(label.removeprefix("distinct "), counts["in"], dict(reasons))


def _list_unfinished(status: Status, running: str) -> Iterator[str]:
    for name, content in status.items():
        if content["limit"] and name not in _WHOLE:
            yield f"**The stage {name} took only {content['limit']} chunks or pieces.**"
        if content["stopped"]:
            yield f"**The stage {name} was ended early: {content['stopped']}**"
        elif not content["complete"] and name != running:
            yield f"**The stage {name} was broken off.**"
