"""The folder meta_datagen/: rows that teach a model the program's own work, from a run's calls."""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from generation_functions.calls import Call
from generation_functions.config import Config
from generation_functions.datasets import axolotl, folders
from generation_functions.datasets.axolotl_data import describe_data
from generation_functions.datasets.manifest import (
    FolderManifest,
    name_counter,
    read_listed_names,
    write_manifest,
)
from generation_functions.datasets.meta_readme import describe_meta
from generation_functions.datasets.meta_rows import make_pairs, make_row, render, thin_examples
from generation_functions.datasets.row_files import RowFile, write_text
from generation_functions.datasets.templates import ChatTemplate, make_template
from generation_functions.errors import RunFolderError

FOLDER = "meta_datagen"
DATASET, PREFERENCES = "meta_dataset.jsonl", "meta_dpo.jsonl"
README = "README.md"
_BESIDE = "provenance/{}"

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Preference:
    """A row of the preferences, for people: what was asked last, both replies, what was wrong."""

    step: str
    asked: str
    chosen: str
    rejected: str
    use: str
    why: str


def read_preferences(file: Path) -> Iterator[Preference]:
    """Yield the rows of a file of preferences, with where they come from; none without one."""
    if not file.exists():
        return
    with file.open(encoding="utf-8") as rows, _beside(file).open(encoding="utf-8") as origins:
        for row, origin in zip(map(json.loads, rows), map(json.loads, origins), strict=True):
            yield Preference(
                step=origin["step"],
                asked=row["prompt"][-1]["content"],
                chosen=row["chosen"][0]["content"],
                rejected=row["rejected"][0]["content"],
                **origin["rejected"],
            )


def _beside(file: Path) -> Path:
    return file.parent / _BESIDE.format(file.name)


def write_meta(
    run_folder: Path, calls: Iterable[Call], config: Config, count: Count
) -> FolderManifest:
    """Write a row for each call, and one for each worse reply to the same prompt; swap them in.

    Calls are taken one at a time; the same calls, in the same order, give the same bytes. `count`
    gives a text's tokens. Raises RunFolderError, with the old folder as it was, where no call has
    a reply to learn from, for files in the folder that this did not write, and for a full disk.
    """
    target = run_folder / FOLDER
    try:
        folders.recover(target)
        folders.check_only_ours(target, read_listed_names(target))
        manifest = _build(folders.new_folder(target), calls, config, count)
        folders.swap_in(target)
    except OSError as error:
        raise RunFolderError(
            f"{target}: could not be written: {error}. Mend the cause, then run `meta` again."
        ) from error
    finally:
        shutil.rmtree(folders.new_folder(target), ignore_errors=True)
    return manifest


def _build(folder: Path, calls: Iterable[Call], config: Config, count: Count) -> FolderManifest:
    template = make_template(config)
    segments = config.meta_datagen.format == "segments"
    made = []
    for name in (DATASET, PREFERENCES):
        beside = _BESIDE.format(name)
        own = segments and name == DATASET
        made.append(RowFile(folder, name, in_config=True, provenance=beside, segments=own))
        made.append(RowFile(folder, beside, in_config=False))
    with ExitStack() as stack:
        files = [stack.enter_context(file) for file in made]
        for call in _choose(calls, config):
            _write_call(call, files, config, template, count)
    entries = [one.entry for one in files]
    if not entries[0].rows:
        raise RunFolderError(
            f"{folder.parent}: no call has a reply to learn from. Calls are known once their "
            "stages have run with this version, which asks nothing again that was answered; "
            "with `meta_datagen.only_kept` the stage `mix` has to have run after them."
        )
    for entry in entries:
        if not entry.rows:
            (folder / entry.name).unlink()
    entries = [entry for entry in entries if entry.rows]
    training = config.model_training
    counter, counter_note = name_counter(config)
    data = describe_data(entries, training.sequence_len)
    manifest = FolderManifest(
        launch="",
        merge="",
        axolotl=axolotl.VERSION,
        token_counter=counter,
        token_counter_note=counter_note,
        checks="Replies are those that were taken, or voted for by most, when the run was made.",
        rows=data.rows,
        tokens=data.tokens,
        sequence_len=training.sequence_len,
        longer=data.longer,
        gpus=training.gpus,
        effective_batch=None,
        tokens_per_epoch=data.tokens,
        optimizer_steps=None,
        advice="",
        files=(*entries, write_text(folder, README, describe_meta(config, entries))),
    )
    write_manifest(folder, manifest)
    folders.sync(folder)
    return manifest


def _choose(calls: Iterable[Call], config: Config) -> Iterator[Call]:
    """Yield the calls with a reply to learn from, their examples thinned."""
    settings = config.meta_datagen
    for call in calls:
        if call.reply and (call.result == "kept" or settings.with_rejected):
            yield thin_examples(call, settings.example_share, config.system.seed)


def _write_call(
    call: Call,
    files: list[RowFile],
    config: Config,
    template: ChatTemplate,
    count: Count,
) -> None:
    """Write a call's rows, and beside each where it comes from."""
    dataset, origins, preferences, origins_of_pairs = files
    about = {"step": call.step, "uuid": call.uuid, "result": call.result}
    tokens = count(render(call, [call.reply], template))
    digest = dataset.write(make_row(call, config, template), tokens)
    origins.write({"row": dataset.rows - 1, "sha256": digest, **about})
    for worse, row in zip(call.worse, make_pairs(call), strict=True):
        tokens = count(render(call, [call.reply, worse.text], template))
        digest = preferences.write(row, tokens)
        rejected = {key: value for key, value in asdict(worse).items() if key != "text"}
        origins_of_pairs.write(
            {"row": preferences.rows - 1, "sha256": digest, **about, "rejected": rejected}
        )
