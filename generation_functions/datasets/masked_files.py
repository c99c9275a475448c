"""The files of sft_run/ of which only a part is trained on, and where their rows come from."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from generation_functions.config import Config
from generation_functions.datasets.fitting import TOO_LONG, RowFitter, count_segments, find_room
from generation_functions.datasets.masked_rows import (
    MaskedFormat,
    correction_turns,
    group_items,
    make_correction_format,
    rag_turns,
)
from generation_functions.datasets.ordered import Items, Ordered, order
from generation_functions.datasets.pretraining import name_directories
from generation_functions.datasets.provenance import Item, Target, write_rows
from generation_functions.datasets.row_files import FileEntry
from generation_functions.datasets.rows import find_additional_context
from generation_functions.datasets.segments import MaskedTurn, segment_row
from generation_functions.errors import Rejected
from generation_functions.masked import Correction, RagItem
from generation_functions.records import to_json

RAG_FILE = "axolotl_rag_conversations{directory}.jsonl"
CORRECTIONS_FILE = "axolotl_correction_conversations{directory}.json"
RAG_ROWS, CORRECTION_ROWS, SHORTER = "rag rows", "correction rows", "rag rows without all before"

I = TypeVar("I", RagItem, Correction)
Count = Callable[[str], int]
Note = Callable[[str, str, str], None]  # what is counted, an item's uuid, why it is dropped


def write_rag(
    folder: Path, items: Items[RagItem], config: Config, count: Count, note: Note
) -> list[FileEntry]:
    """Write a row for each item, a file for each directory; `note` is told what does not fit."""
    if not items:
        return []
    fitter = RowFitter(config, count)
    return _write_files(
        folder, RAG_FILE, items, config, lambda own: _rag_rows(own, fitter, config, note)
    )


def write_corrections(
    folder: Path, corrections: Items[Correction], config: Config, count: Count, note: Note
) -> list[FileEntry]:
    """Write a row for each correction, a file for each directory: a JSON array, a row a line."""
    if not corrections:
        return []
    form = make_correction_format(config)
    return _write_files(
        folder,
        CORRECTIONS_FILE,
        corrections,
        config,
        lambda own: _correction_rows(own, form, config, count, note),
    )


def _write_files(
    folder: Path,
    name: str,
    items: Items[I],
    config: Config,
    make_rows: Callable[[Ordered[I]], Iterator[Item]],
) -> list[FileEntry]:
    entries: list[FileEntry] = []
    for suffix, own in _group_by_file(items, config):
        file = name.format(directory=suffix)
        target = Target(file, in_config=True, segments=True)
        entries += write_rows(folder, file, [target], make_rows(own))
    return entries


def _group_by_file(items: Items[I], config: Config) -> Iterator[tuple[str, Ordered[I]]]:
    """Yield the items of each directory, with what the name of their file ends in.

    Raises RunFolderError for items of a directory that the config no longer names.
    """
    ordered = order(items)
    for directory in set(ordered.directories):
        find_additional_context(config, directory)
    for directory, suffix in name_files(config).items():
        yield suffix, ordered.of(directory)


def _rag_rows(
    items: Items[RagItem], fitter: RowFitter, config: Config, note: Note
) -> Iterator[Item]:
    for group in group_items(items, config.rag_data.num_items_per_group, config.system.seed):
        last = group[-1]
        try:
            fitting = fitter.cut_group(group)
        except Rejected as dropped:
            note(RAG_ROWS, last.uuid, dropped.reason)
            continue
        note(RAG_ROWS, last.uuid, "")
        if len(fitting) < len(group):
            note(SHORTER, last.uuid, "")
        record = {
            **to_json(last),
            "before": [item.uuid for item in fitting[:-1]],
        }
        turns = rag_turns(fitting, config)
        tokens = fitter.measure(fitting)
        trained = _list_trained(turns, fitter.format)
        row = segment_row(fitter.format.segments(turns))
        yield Item(((row, tokens),), {**record, "trained": trained})


def _correction_rows(
    corrections: Items[Correction],
    form: MaskedFormat,
    config: Config,
    count: Count,
    note: Note,
) -> Iterator[Item]:
    room = find_room(config)
    for one in corrections:
        turns = correction_turns(one, config)
        segments = form.segments(turns)
        tokens = count_segments(segments, count)
        note(CORRECTION_ROWS, one.uuid, TOO_LONG if tokens > room else "")
        if tokens <= room:
            trained = _list_trained(turns, form)
            record = {**to_json(one), "chunk": to_json(one.chunk), "trained": trained}
            yield Item(((segment_row(segments), tokens),), record)


def _list_trained(turns: Sequence[MaskedTurn], form: MaskedFormat) -> list[str]:
    """Return the texts of the turns that are trained on, in their order, as the row has them."""
    return [form.template.defuse(one.turn.text).strip() for one in turns if one.body]


def name_files(config: Config) -> dict[str, str]:
    """Return what the files of each directory end in; nothing for a single `path.input_dir`."""
    names = [one.name or one.path for one in config.path.input_dirs]
    if config.path.input_dir is not None:
        return dict.fromkeys(names, "")
    return {directory: f"_{name}" for directory, name in name_directories(names).items()}
