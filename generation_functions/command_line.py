"""The commands of `python -m generation_functions`, of which `--help` lists all."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from generation_functions.costs import describe_costs, read_costs
from generation_functions.datasets.axolotl import PRETRAINING_FOLDER, SFT_FOLDER
from generation_functions.datasets.generic_sources import prepare_generic
from generation_functions.datasets.manifest import NAME as MANIFEST
from generation_functions.datasets.manifest import read_manifest
from generation_functions.datasets.meta import FOLDER as META_FOLDER
from generation_functions.discovery import list_pipelines
from generation_functions.errors import PalimpsestError
from generation_functions.exam_commands import add_exam
from generation_functions.pipelines.coverage import read_coverage
from generation_functions.plans import describe_plans
from generation_functions.session import open_run, read_config, run_folder
from generation_functions.sharing.commands import add_commands
from generation_functions.stages import STAGES, find_pipeline, run_pipeline
from generation_functions.status import (
    coverage_rows,
    describe_coverage,
    describe_status,
    read_status,
)

_DATASETS = {"mix": (PRETRAINING_FOLDER, SFT_FOLDER), "meta": (META_FOLDER,)}
_ROWS_SHOWN = 40  # in colour
ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status. Errors go to stderr, one paragraph each."""
    options = _parser().parse_args(arguments)
    try:
        status = int(options.act(options) or 0)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except PalimpsestError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What was made is kept; the same command goes on.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m generation_functions", description=__doc__)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="run the stages that a config describes")
    run.add_argument("what", metavar="CONFIG", help="a config, or a pipeline's name: only that")
    run.add_argument("--config", type=Path, default=Path("config.yaml"), help="of that pipeline")
    run.add_argument("--stage", action="append", choices=list(STAGES), help="only this stage")
    run.add_argument(
        "--limit", type=int, help="only the first N chunks that pass the rules (and pieces of PDFs)"
    )
    run.add_argument(
        "--gaps", action="store_true", help="ask again about worthy text that nothing was made of"
    )
    run.set_defaults(act=_run)
    new = commands.add_parser("new", help="write a pipeline of your own, which runs at once")
    new.add_argument("name", help="small letters, digits and _")
    new.set_defaults(act=_new)
    plan = commands.add_parser("plan", help="print what the models take and how many slots fit")
    plan.add_argument("config", type=Path)
    plan.set_defaults(act=_plan)
    status = commands.add_parser("status", help="print a run's funnel and reasons")
    status.add_argument("run_dir", type=Path)
    status.add_argument("--json", action="store_true", help="as JSON")
    status.set_defaults(act=_status)
    read = commands.add_parser("read", help="print a file's cleaned text as the run would read it")
    read.add_argument("file", type=Path)
    read.add_argument("--ocr", metavar="LANGUAGES", help="tesseract reads pages without text: eng")
    read.set_defaults(act=_read)
    check = commands.add_parser("check", help="check every prompt, grammar and example")
    check.add_argument("what", nargs="?", default="", metavar="PIPELINE", help="only this one's")
    check.add_argument("--config", type=Path, help="with this config's overrides")
    check.set_defaults(act=_check)
    masks = commands.add_parser("check-masks", help="check that rows train just what they should")
    masks.add_argument("run_dir", type=Path)
    masks.add_argument("--tokenizer", help="a folder, a GGUF or a Hugging Face id; else the run's")
    masks.add_argument("--html", type=Path, metavar="FILE", help="write the first rows in colour")
    masks.set_defaults(act=_check_masks)
    add_exam(commands)
    add_commands(commands)
    demo = commands.add_parser("demo", help="execute the notebooks on the sample texts")
    demo.add_argument("--config", type=Path, default=ROOT / "config.demo.yaml")
    demo.set_defaults(act=_demo)
    return parser


def _run(options: argparse.Namespace) -> None:
    if options.limit is not None and options.limit < 1:
        raise PalimpsestError(f"--limit {options.limit}: at least 1.")
    if options.gaps and options.limit:
        raise PalimpsestError("--gaps with --limit: gaps are what a whole pass leaves. Take one.")
    found = list_pipelines()
    named = options.what in found and not Path(options.what).is_file()
    if options.what.isidentifier() and not (named or Path(options.what).exists()):
        raise PalimpsestError(
            f"{options.what}: neither a config file nor a pipeline ({', '.join(found)})."
        )
    if named and (options.stage or options.gaps):
        raise PalimpsestError(f"{options.what} is a pipeline: --stage and --gaps are for a config.")
    config = options.config if named else Path(options.what)
    asyncio.run(_run_stages(config, options.what if named else "", options))
    _print_status(run_folder(config))
    if named:
        print(f"Rows: {run_folder(config) / find_pipeline(options.what).rows}")
    else:
        _print_datasets(run_folder(config), options.stage or list(STAGES))


def _print_datasets(folder: Path, stages: Sequence[str]) -> None:
    """Print where datasets are that the stages write, and how much they hold."""
    for stage, names in _DATASETS.items():
        for there in (folder / name for name in names if stage in stages):
            if (there / MANIFEST).exists():
                manifest = read_manifest(there)
                print(f"{there}: {manifest.rows:,} rows, {manifest.tokens:,} tokens")


async def _run_stages(config: Path, pipeline: str, options: argparse.Namespace) -> None:
    """Run one pipeline by its name, else the stages; stages that are not enabled do nothing.

    Where the datasets will be mixed, generic ones that cannot be had are an error at once.
    """
    run = open_run(config)
    run.keep_models = True
    run.fill_gaps = options.gaps
    try:
        if pipeline:
            await run_pipeline(run, find_pipeline(pipeline), options.limit)
            return
        stages = options.stage or tuple(STAGES)
        if "mix" in stages:
            prepare_generic(run.config)  # rather now than after hours
        for name in stages:
            await STAGES[name](run, options.limit)
    finally:
        await run.engines.release()


def _new(options: argparse.Namespace) -> None:
    from generation_functions.new import create_pipeline, describe_pipeline

    print(describe_pipeline(options.name, create_pipeline(options.name)))


def _plan(options: argparse.Namespace) -> int:
    text, fine = describe_plans(read_config(options.config))
    print(text)
    return 0 if fine else 1


def _status(options: argparse.Namespace) -> None:
    if options.json:
        rows = coverage_rows(read_coverage(options.run_dir))
        more = {"coverage": rows, "costs": read_costs(options.run_dir)}
        print(json.dumps(read_status(options.run_dir) | more, indent=1))
    else:
        _print_status(options.run_dir)


def _print_status(folder: Path) -> None:
    print(describe_status(read_status(folder)))
    if covered := describe_coverage(read_coverage(folder)):
        print(f"\n{covered}")
    if costs := describe_costs(read_costs(folder)):
        print(f"\n{costs}")


def _read(options: argparse.Namespace) -> None:
    """The text to stdout; what is known about it, and its warnings, to stderr."""
    from generation_functions.documents.formats.scanned import Ocr
    from generation_functions.documents.reading import read_file

    for document in read_file(options.file, Ocr(options.ocr) if options.ocr else None):
        known = (document.source, document.language, document.licence)
        pages = f"{len(document.pages)} pages" if document.pages else None
        print(" · ".join(one for one in (*known, pages) if one), file=sys.stderr)
        for warning in document.warnings:
            print(f"{options.file}: {warning}", file=sys.stderr)
        print(document.text)


def _check(options: argparse.Namespace) -> int:
    from generation_functions.checking import check_everything, check_pipeline

    if options.what:
        return check_pipeline(options.what, options.config)
    return check_everything(options.config)


def _check_masks(options: argparse.Namespace) -> int:
    from generation_functions.datasets.mask_check import check_masks, describe_masks, read_rows
    from generation_functions.datasets.tokenizing import load_tokenizer
    from generation_functions.display.masks import make_page

    config = read_config(options.run_dir / "config.yaml")
    name = options.tokenizer or config.model_training.tokenizer
    tokenizer = load_tokenizer(name) if name else None
    reports = check_masks(options.run_dir, config, tokenizer)
    print(describe_masks(reports) or f"{options.run_dir}: no rows of segments.")
    if tokenizer is None:
        print("Texts were checked, tokens not: name a tokenizer (model_training.tokenizer).")
    if options.html:
        page = make_page(islice(read_rows(options.run_dir), _ROWS_SHOWN), tokenizer)
        options.html.write_text(page, encoding="utf-8")
    return 1 if any(one.problems for one in reports) else 0


def _demo(options: argparse.Namespace) -> None:
    from generation_functions.demo import run_demo

    run_demo(options.config, ROOT)
