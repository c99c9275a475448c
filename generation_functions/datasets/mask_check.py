"""`check-masks`: whether the rows of a run train just what they should, and nothing else."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation_functions.config import Config
from generation_functions.datasets.axolotl import SFT_FOLDER
from generation_functions.datasets.fitting import find_context
from generation_functions.datasets.manifest import list_files
from generation_functions.datasets.masked_files import CORRECTIONS_FILE
from generation_functions.datasets.masked_rows import (
    MaskedFormat,
    make_correction_format,
    make_rag_format,
)
from generation_functions.datasets.masks import (
    Difference,
    find_differences,
    find_unsaid,
    find_untold,
    list_markup,
    read_segments,
    tokenize,
)
from generation_functions.datasets.segments import Segment
from generation_functions.datasets.tokenizing import Tokenizer
from generation_functions.errors import RunFolderError

UNMASKED = (
    "`model_training.other_finetune_kwargs.train_on_inputs` makes Axolotl train on everything. "
    "Remove it."
)
MOST_PROBLEMS = 20  # of a file that are named


@dataclass(frozen=True, slots=True)
class MaskedRow:
    """A row of a file: its number from 0, its segments, and the record of where it comes from."""

    file: str
    number: int
    segments: tuple[Segment, ...]
    record: Mapping[str, Any]


@dataclass(slots=True)
class FileReport:
    """What was found in a file; tokens are None where no tokenizer was given.

    `boundaries` are places where two segments meet, `differences` those at which the tokens
    are not those of the whole text.
    """

    name: str
    rows: int = 0
    tokens: int | None = None
    trained: int | None = None
    longest: int | None = None
    boundaries: int = 0
    differences: list[Difference] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check_masks(folder: Path, config: Config, tokenizer: Tokenizer | None) -> list[FileReport]:
    """Check every row of segments of a run folder against what its record says is trained.

    Raises RunFolderError where there are no datasets, or where a file is not as it was written.
    """
    reports: dict[str, FileReport] = {}
    marks: dict[str, tuple[str, ...]] = {}
    for name in list_masked(folder):
        form = choose_format(name, config)
        marks[name] = list_markup(form.template, form.bos, form.eos)
        problems = check_ends(form, tokenizer) if tokenizer else []
        if config.model_training.other_finetune_kwargs.get("train_on_inputs"):
            problems.append(UNMASKED)
        reports[name] = FileReport(name, problems=problems)
    for row in read_rows(folder):
        _check_row(row, marks[row.file], reports[row.file], config, tokenizer)
    return list(reports.values())


def list_masked(folder: Path) -> list[str]:
    """Return the names of the files of segments of a run's sft_run/."""
    return [one.name for one in list_files(folder / SFT_FOLDER) if one.segments]


def read_rows(folder: Path) -> Iterator[MaskedRow]:
    """Yield the rows of segments of a run, each with its record.

    Raises RunFolderError, which names the file, for one that is not as it was written.
    """
    sft = folder / SFT_FOLDER
    for name in list_masked(folder):
        number = -1
        try:
            records = _read_lines(sft / "provenance" / f"{Path(name).stem}.jsonl")
            pairs = zip(_read(sft / name), records, strict=True)
            for number, (row, record) in enumerate(pairs):
                yield MaskedRow(name, number, read_segments(row), record)
        except (OSError, ValueError) as error:
            raise RunFolderError(
                f"{sft / name}: after row {number}: {error}. Run the stage `mix` again."
            ) from error


def choose_format(name: str, config: Config) -> MaskedFormat:
    """Return how the rows of a file were rendered."""
    corrections = name.startswith(CORRECTIONS_FILE.partition("{")[0])
    return make_correction_format(config) if corrections else make_rag_format(config)


def check_ends(form: MaskedFormat, tokenizer: Tokenizer) -> list[str]:
    """Return what is wrong with a run's BOS and EOS for the model that is to be trained."""
    problems = []
    for option, ours, theirs in (
        ("bos", form.bos, tokenizer.bos),
        ("eos", form.eos, tokenizer.eos),
    ):
        if ours != theirs:
            problems.append(
                f"`final_datasaving_settings.{option}` is {ours!r}, of this tokenizer it is "
                f"{theirs!r}: set it so, and run `mix` again."
            )
        elif ours and len(tokenizer.encode(ours)) != 1:
            problems.append(f"{option.upper()} {ours!r} is not one token of this tokenizer.")
    return problems


def describe_masks(reports: Iterable[FileReport]) -> str:
    """Return what was found as text, a paragraph for each file."""
    lines = []
    for one in reports:
        said = f"{one.name}: {one.rows:,} rows"
        if one.tokens is not None:
            share = (one.trained or 0) / max(one.tokens, 1)
            said += f", {one.tokens:,} tokens, {share:.1%} of them trained on, longest row "
            said += f"{one.longest:,}; tokens differ from those of the whole text at "
            said += f"{len(one.differences):,} of {one.boundaries:,} boundaries"
        lines.append(said)
        for difference in one.differences[:3]:
            pair = (" ".join(map(repr, texts)) for texts in (difference.segments, difference.whole))
            lines.append("  in segments {}, as a whole {}".format(*pair))
        lines += [f"  WRONG: {problem}" for problem in one.problems[:MOST_PROBLEMS]]
        if len(one.problems) > MOST_PROBLEMS:
            lines.append(f"  and {len(one.problems) - MOST_PROBLEMS:,} more")
    return "\n".join(lines)


def _check_row(
    row: MaskedRow,
    markup: tuple[str, ...],
    report: FileReport,
    config: Config,
    tokenizer: Tokenizer | None,
) -> None:
    report.rows += 1
    report.boundaries += len(row.segments) - 1
    problems = [find_untold(row.segments, row.record["trained"], markup)]
    if not any(one.label and one.text.strip() for one in row.segments):
        problems.append("nothing of it is trained on")
    if tokenizer:
        problems += _check_tokens(row, report, find_context(config), tokenizer)
    report.problems += [f"row {row.number}: {problem}" for problem in problems if problem]


def _check_tokens(
    row: MaskedRow, report: FileReport, room: int, tokenizer: Tokenizer
) -> Iterator[str]:
    """Count a row's tokens; yield what is wrong with them."""
    tokenized = tokenize(row.segments, tokenizer)
    report.tokens = (report.tokens or 0) + tokenized.length
    report.trained = (report.trained or 0) + tokenized.trained
    report.longest = max(report.longest or 0, tokenized.length)
    report.differences += find_differences(tokenized)
    if tokenized.length > room:
        yield f"has {tokenized.length:,} tokens, more than `sequence_len` ({room:,})"
    if not tokenized.trained:
        yield "no token of it is trained on"
    yield find_unsaid(tokenized)


def _read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".json":
        return list(json.loads(path.read_text(encoding="utf-8")))
    return _read_lines(path)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file; a text may have what `splitlines` takes for the end of a line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
