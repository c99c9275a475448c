"""The last stage: what survived becomes pretraining_run/ and sft_run/, ready for Axolotl."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from generation_functions.config import Config
from generation_functions.datasets import axolotl, folders
from generation_functions.datasets.axolotl_data import describe_data
from generation_functions.datasets.balance import CORRECTIONS, DOMAIN, RAG, Part, Receipt
from generation_functions.datasets.balanced_files import Pool, write_balanced
from generation_functions.datasets.checks import (
    describe_checks,
    describe_made_checks,
    describe_masked_checks,
    describe_origin,
    describe_recall_checks,
)
from generation_functions.datasets.fitting import find_context
from generation_functions.datasets.generic_sources import GenericSource
from generation_functions.datasets.made_rows import MadeRow
from generation_functions.datasets.manifest import CARD, Manifest, read_listed_names, write_manifest
from generation_functions.datasets.masked_files import Note, write_corrections, write_rag
from generation_functions.datasets.ordered import Items
from generation_functions.datasets.pretraining import (
    ReadVariations,
    tell_nothing,
    write_pretraining_rows,
)
from generation_functions.datasets.row_files import FileEntry, write_text
from generation_functions.datasets.templates import make_template
from generation_functions.datasets.training_folder import finish_folder
from generation_functions.datasets.turn_files import (
    TurnRows,
    write_conversations,
    write_made,
    write_pairs,
    write_recalls,
)
from generation_functions.errors import PalimpsestError, RunFolderError
from generation_functions.masked import Correction, RagItem
from generation_functions.records import (
    Chunk,
    Conversation,
    FactSheet,
    QAPair,
    Recall,
)

Count = Callable[[str], int]
Describe = Callable[[Manifest], tuple[str, str]]  # the dataset cards of the two folders


@dataclass(frozen=True, slots=True)
class Material:
    """What goes into the datasets, in any order: worthy chunks, survivors of the last stages.

    None need be in memory: each is read two or three times, one after the other. `sheets` are of
    the pretraining stage, where it is on; `variations` gives those of each, told or inferred, in
    their order. `made` has the rows of pipelines that are found by their names.
    """

    chunks: Items[Chunk]
    pairs: Items[QAPair]
    conversations: Items[Conversation]
    sheets: Items[FactSheet] = ()
    variations: ReadVariations = tell_nothing
    recalls: Items[Recall] = ()
    retrievals: Items[RagItem] = ()
    corrections: Items[Correction] = ()
    made: Mapping[str, Sequence[MadeRow]] = field(default_factory=dict)
    generic: Sequence[GenericSource] = ()


def _forget(label: str, uuid: str, rejected: str) -> None:
    """Nobody is told what was left out."""


def write_datasets(
    run_folder: Path,
    material: Material,
    config: Config,
    count: Count,
    note: Note = _forget,
    describe: Describe | None = None,
) -> Manifest:
    """Build both training folders beside the old ones, then swap each in whole.

    `count` gives a text's tokens; the config's `model_training.tokenizer`, or
    `system.token_counter`, is its name. `note` is told of each masked row whether it fits,
    `describe` of the manifest, for the folders' dataset cards. The same material, in any order,
    and config give the same bytes. Raises RunFolderError, with the old folders as they were, if
    there is nothing to train on, if a folder holds files that this did not write, or if the disk
    is full, and ConfigError for a template of no use.
    """
    targets = (run_folder / axolotl.PRETRAINING_FOLDER, run_folder / axolotl.SFT_FOLDER)
    try:
        for target in targets:
            folders.recover(target)
    except OSError as error:
        raise RunFolderError(f"{run_folder}: cannot be tidied up: {error}") from error
    _check_material(run_folder, material)
    for target in targets:
        folders.check_only_ours(target, read_listed_names(target))
    try:
        manifest = _build(targets, material, config, count, note)
        if describe:
            manifest = _add_cards(targets, manifest, describe(manifest))
        for target in targets:
            folders.swap_in(target)
    except PalimpsestError:
        _clear(targets)
        raise
    except OSError as error:
        _clear(targets)
        raise RunFolderError(
            f"{run_folder}: the datasets could not be written: {error}. Free space or mend the "
            "cause, then run this stage again."
        ) from error
    return manifest


def _clear(targets: Iterable[Path]) -> None:
    for target in targets:
        shutil.rmtree(folders.new_folder(target), ignore_errors=True)


def _check_material(run_folder: Path, material: Material) -> None:
    if not material.chunks:
        raise RunFolderError(
            f"{run_folder}: no worthy chunk, so there is nothing to pretrain on. Run the stage "
            "`questions`; if it has run, see its reasons with `status`."
        )
    others = material.retrievals or material.corrections or any(material.made.values())
    if not (material.pairs or material.conversations or material.recalls or others):
        raise RunFolderError(
            f"{run_folder}: neither a question-answer pair nor a conversation, so there is "
            "nothing to fine-tune on. Run the stages `questions` and `conversations`; if "
            "they have run, see their reasons with `status`."
        )


def _build(
    targets: tuple[Path, Path], material: Material, config: Config, count: Count, note: Note
) -> Manifest:
    pretraining_folder, sft_folder = (folders.new_folder(target) for target in targets)
    training = config.model_training
    chunk_files = write_pretraining_rows(
        pretraining_folder, material.chunks, material.sheets, material.variations, config, count
    )
    context = find_context(config, training.other_pretrain_kwargs)
    pretraining = axolotl.pretraining_settings(config, describe_data(chunk_files, context))
    pool = Pool(pretraining_folder, chunk_files, material.generic)
    turn_files, receipt = _write_turns(sft_folder, material, pool, config, count, note)
    data = describe_data(turn_files, find_context(config))
    sft = axolotl.sft_settings(config, data, pretraining)
    origin = describe_origin(bool(material.sheets))
    checks = _describe_checks(material, config)
    return Manifest(
        finish_folder(
            pretraining_folder, axolotl.PRETRAINING_CONFIG, pretraining, chunk_files, origin, config
        ),
        finish_folder(sft_folder, axolotl.SFT_CONFIG, sft, turn_files, checks, config, receipt),
    )


def _write_turns(
    folder: Path, material: Material, pool: Pool, config: Config, count: Count, note: Note
) -> tuple[list[FileEntry], Receipt]:
    """Write all that is fine-tuned on: what was made, then what is filled up from `pool`."""
    turns = TurnRows(make_template(config), count)
    made = {
        DOMAIN: [
            *write_conversations(folder, material.conversations, config, turns),
            *write_pairs(folder, material.pairs, config, turns),
            *write_recalls(folder, material.recalls, config, turns),
        ],
        RAG: write_rag(folder, material.retrievals, config, count, note),
        CORRECTIONS: write_corrections(folder, material.corrections, config, count, note),
        **{
            f"pipeline {name}": write_made(folder, name, rows, config, turns)
            for name, rows in sorted(material.made.items())
        },
    }
    context = find_context(config)
    parts = [
        Part(name, data.rows, data.tokens)
        for name, files in made.items()
        if (data := describe_data(files, context)).rows
    ]
    filled, receipt = write_balanced(folder, parts, pool, config, turns)
    return [*chain.from_iterable(made.values()), *filled], receipt


def _describe_checks(material: Material, config: Config) -> str:
    checks = describe_checks(config.questions.double_check_counter)
    if material.recalls:
        checks += f" {describe_recall_checks(config.factual_sft)}"
    masked = len(material.retrievals), len(material.corrections)
    checks += describe_masked_checks(*masked, config.questions.double_check_counter)
    return checks + describe_made_checks(name for name, own in sorted(material.made.items()) if own)


def _add_cards(targets: tuple[Path, Path], manifest: Manifest, cards: tuple[str, str]) -> Manifest:
    """Write the cards into the folders that are built; return the manifest with them."""
    finished = []
    for target, own, card in zip(targets, (manifest.pretraining, manifest.sft), cards, strict=True):
        folder = folders.new_folder(target)
        own = replace(own, files=(*own.files, write_text(folder, CARD, card)))
        write_manifest(folder, own)
        folders.sync(folder)
        finished.append(own)
    return Manifest(*finished)
