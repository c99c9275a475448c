"""What a dataset card tells: values from a run's records, without any text of the documents.

Nothing that was not measured has a number here: it is None, or it is not listed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from generation_functions.datasets.manifest import Manifest
from generation_functions.engine.model_facts import ModelFacts
from generation_functions.pipelines.coverage import Coverage, DocumentEntry
from generation_functions.pipelines.judge_report import Figure


@dataclass(frozen=True, slots=True)
class Yield:
    """What became of the items of a pipeline or step: taken = kept + rejected + failed.

    `reasons` are those of the dropped ones, the commonest first.
    """

    stage: str
    name: str
    taken: int
    kept: int
    rejected: int
    failed: int
    reasons: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PromptUse:
    """Replies to a step's prompt: its hash with the grammar's, and the grammar's own.

    `grammar` is the beginning of a SHA-256, "" where the prompt's file is gone.
    """

    step: str
    prompt: str
    grammar: str
    replies: int


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model, the steps that it answered, and how many replies of its were read."""

    model: ModelFacts
    steps: tuple[str, ...]
    replies: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """Of `seen` items so many were left out, being like an earlier one, by kind of likeness."""

    what: str
    seen: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All that a card tells.

    `generic` are the datasets that were mixed in, by name; `judges` has a figure for each check and
    source of planted pairs, `leaks` how many questions of each part of an exam share text with the
    data, by kind, `unfinished` what of the run was limited or broken off, `off` the checks that are
    switched off, `not_made` the kinds of data. None is what was not measured.
    """

    run: str
    subject: str
    version: str
    seed: int
    manifest: Manifest
    sources: tuple[DocumentEntry, ...] | None
    generic: tuple[str, ...]
    models: tuple[ModelUse, ...]
    prompts: tuple[PromptUse, ...]
    yields: tuple[Yield, ...]
    judges: tuple[Figure, ...] | None
    judge_warnings: tuple[str, ...]
    coverage: tuple[Coverage, ...] | None
    repeats: tuple[Repeats, ...]
    leaks: Mapping[str, Mapping[str, int]] | None
    unfinished: tuple[str, ...]
    off: tuple[str, ...]
    not_made: tuple[str, ...]
