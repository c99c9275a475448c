"""Where generic datasets are: files of this machine, or the hub's, which are fetched once.

`datasets` and `huggingface_hub` are imported when something has to be fetched.
"""

import importlib.util
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import httpx2

from generation_functions.config import Config
from generation_functions.datasets.generic_files import read_raw
from generation_functions.datasets.generic_rows import COLUMNS, load_row, read_turns
from generation_functions.errors import InputError, Rejected
from generation_functions.training_sections import DATA_FILES, GenericDataset

FOLDER = "generic_sft"  # in the cache
SECONDS = 20.0  # for the hub to say whether it has a dataset
OTHERWISE = "Or give a file of this machine (.jsonl, .json, .parquet) as its `path`."
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GenericSource:
    """A generic dataset and the file that has its rows; `name` is that of the rows made of it.

    `most` are the first rows that are looked at; None: all.
    """

    name: str
    file: Path
    dataset: GenericDataset
    most: int | None

    @property
    def origin(self) -> str:
        """What it is called on every machine: the hub's name of it, or the file's."""
        return self.file.name if self.dataset.is_file else self.dataset.path

    def read(self) -> Iterator[object]:
        """Yield the rows that are looked at, as `read_raw` does."""
        return islice(read_raw(self.file), self.most)


def prepare_generic(config: Config) -> tuple[GenericSource, ...]:
    """Find the files of all generic datasets, and fetch what is not yet in the cache.

    Raises InputError before anything is fetched: for a file that is not there, of another kind or
    without a conversation, for a dataset that the hub does not have or does not give, and where
    it cannot be reached. What was fetched is not asked for again.
    """
    settings = config.final_datasaving_settings
    datasets = settings.generic_dataset_paths
    most = settings.max_samples_per_dataset
    sources = [
        GenericSource(name, _find_file(one, config, most), one, most)
        for name, one in zip(_name(datasets), datasets, strict=True)
    ]
    missing = [source for source in sources if not source.file.exists()]
    for source in sources:
        if source not in missing:
            _check_rows(source)
    for source in missing:
        _check_hub(source.dataset)
    for source in missing:
        _fetch(source)
        _check_rows(source)
    return tuple(sources)


def _check_rows(source: GenericSource) -> None:
    """Raise InputError for a file of which no row is a conversation."""
    faults: Counter[str] = Counter()
    for raw in source.read():
        try:
            read_turns(load_row(raw))
        except Rejected as fault:
            faults[fault.reason] += 1
        else:
            return
    told = "; ".join(f"{rows:,} rows: {why}" for why, rows in faults.most_common(3))
    raise InputError(
        f"{source.file}: no row is a conversation ({told or 'it is empty'}). A row has "
        "`conversations` with `from` and `value`, or `messages` with `role` and `content`."
    )


def _name(datasets: Sequence[GenericDataset]) -> list[str]:
    """Return a file name part for each: its name, made safe, and a number where one has it."""
    names: list[str] = []
    for one in datasets:
        plain = Path(one.path).stem if one.is_file else one.path.replace("/", "-")
        safe = re.sub(r"[^\w.-]+", "_", plain) or "generic"
        taken = {name.casefold() for name in names}
        number = 1
        name = safe
        while name.casefold() in taken:
            number += 1
            name = f"{safe}_{number}"
        names.append(name)
    return names


def _find_file(dataset: GenericDataset, config: Config, most: int | None) -> Path:
    if dataset.is_file:
        file = Path(dataset.path)
        if not file.is_file():
            raise InputError(
                f"{file}: not there. Look at `final_datasaving_settings.generic_dataset_paths`."
            )
        return file
    if Path(dataset.path).is_absolute():  # of this machine, since the config found it there
        raise InputError(f"{dataset.path}: not a {', '.join(DATA_FILES)} file.")
    parts = (dataset.path, dataset.subset, dataset.split, str(most or "all"))
    name = "_".join(re.sub(r"[^\w.-]+", "-", part) for part in parts if part)
    return _find_cache(config) / FOLDER / f"{name}.jsonl"


def _find_cache(config: Config) -> Path:
    if config.path.huggingface_cache_dir:
        return Path(config.path.huggingface_cache_dir)
    from huggingface_hub import constants

    return Path(constants.HF_HOME)


def _check_hub(dataset: GenericDataset) -> None:
    """Raise InputError unless the hub can be reached and has the dataset."""
    name = dataset.path
    if importlib.util.find_spec("datasets") is None:
        raise InputError(
            f"{name}: to fetch it from the Hugging Face hub the package datasets is needed: pip "
            f"install datasets. {OTHERWISE}"
        )
    from huggingface_hub import HfApi, constants, errors

    constants.HF_HUB_DISABLE_TELEMETRY = True  # else it sends what runs here
    try:
        HfApi().dataset_info(name, timeout=SECONDS, token=os.environ.get("HF_TOKEN"))
    except errors.RepositoryNotFoundError as error:
        raise InputError(
            f"{name}: the Hugging Face hub has no such dataset, or it needs the conditions on its "
            "page accepted and a token of that account in the environment variable HF_TOKEN. "
            + OTHERWISE
        ) from error
    except (OSError, ValueError, httpx2.HTTPError) as error:
        raise InputError(
            f"{name}: the Hugging Face hub does not answer ({type(error).__name__}: {error}). "
            f"With network it is fetched once and kept in the cache. {OTHERWISE}"
        ) from error


def _fetch(source: GenericSource) -> None:
    """Write the dataset's first rows, as far as they are conversations, into the cache."""
    from datasets import exceptions, load_dataset

    dataset, part = source.dataset, source.file.with_suffix(".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    _log.info("fetching %s into %s", dataset.path, source.file)
    try:
        rows = load_dataset(dataset.path, dataset.subset, split=dataset.split, streaming=True)
        with part.open("w", encoding="utf-8") as opened:
            for row in islice(rows, source.most):
                kept = {name: row[name] for name in COLUMNS if row.get(name) is not None}
                opened.write(json.dumps(kept, ensure_ascii=False, default=str) + "\n")
        part.replace(source.file)
    except (OSError, ValueError, exceptions.DatasetsError, httpx2.HTTPError) as error:
        part.unlink(missing_ok=True)
        raise InputError(
            f"{dataset.path}: could not be fetched: {error}. Look at its `subset` and `split`; "
            f"the next start tries again. {OTHERWISE}"
        ) from error
