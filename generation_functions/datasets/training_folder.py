"""What goes into a training folder beside its rows: config, README.md, MANIFEST.json, and more."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from generation_functions.config import Config
from generation_functions.datasets import axolotl, folders
from generation_functions.datasets.axolotl_data import describe_data
from generation_functions.datasets.balance import Receipt
from generation_functions.datasets.manifest import FolderManifest, name_counter, write_manifest
from generation_functions.datasets.optimizer_steps import advise, measure_length
from generation_functions.datasets.other_trainers import other_files
from generation_functions.datasets.row_files import FileEntry, write_text
from generation_functions.datasets.settings import Setting, render, values_of
from generation_functions.datasets.training_readme import NAME as README
from generation_functions.datasets.training_readme import write_readme

_LEVERS = {
    axolotl.PRETRAINING_CONFIG: (
        "a higher `variation_generation_counts` of the folders of documents (with "
        "`representation_variation.enabled`), or more documents"
    ),
    axolotl.SFT_CONFIG: (
        "a higher `number_of_factual_sft_generations_to_do` (with ways of asking in "
        "`factual_sft`), or more documents"
    ),
}


def finish_folder(
    folder: Path,
    config_name: str,
    settings: Sequence[Setting],
    entries: Sequence[FileEntry],
    checks: str,
    config: Config,
    balance: Receipt | None = None,
) -> FolderManifest:
    """Write all that belongs to the rows in `entries`, which are there; return the manifest.

    `folder` is the one that is being built. `checks` says how its rows were checked, `balance` how
    much of each part there is.
    """
    name = folder.name.removeprefix(".").removesuffix(".new")
    manifest = _describe(config_name, settings, entries, checks, config)
    heading = (
        f"For axolotl {axolotl.VERSION}. Copy this folder to the trainer whole, go into it and "
        f"run:\n{manifest.launch}\nREADME.md says what comes before and after."
    ) + (f"\n{manifest.advice}" if manifest.advice else "")
    texts = {
        config_name: render(settings, heading),
        README: write_readme(name, manifest, settings),
        **other_files(entries, settings),
    }
    written = (write_text(folder, file, text) for file, text in texts.items())
    manifest = replace(manifest, files=(*entries, *written), balance=balance)
    write_manifest(folder, manifest)
    folders.sync(folder)
    return manifest


def _describe(
    config_name: str,
    settings: Sequence[Setting],
    entries: Sequence[FileEntry],
    checks: str,
    config: Config,
) -> FolderManifest:
    training = config.model_training
    context = int(values_of(settings).get("sequence_len") or training.sequence_len)
    data = describe_data(entries, context)
    length = measure_length(settings, data.tokens, training.gpus)
    counter, counter_note = name_counter(config)
    return FolderManifest(
        launch=axolotl.launch_command(config_name, training.gpus),
        merge=axolotl.merge_command(config_name, settings),
        axolotl=axolotl.VERSION,
        token_counter=counter,
        token_counter_note=counter_note,
        checks=checks,
        rows=data.rows,
        tokens=data.tokens,
        sequence_len=context,
        longer=data.longer,
        gpus=training.gpus,
        effective_batch=length.batch,
        tokens_per_epoch=length.tokens_per_epoch,
        optimizer_steps=length.steps,
        advice=advise(length, settings, _LEVERS[config_name]),
        files=tuple(entries),
    )
