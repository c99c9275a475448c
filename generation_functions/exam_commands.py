"""`exam score` and `exam compare`: putting a run's exam to models, and models side by side."""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from generation_functions.errors import PalimpsestError
from generation_functions.examined import name_model, open_examined
from generation_functions.pipelines.exam_scores import (
    Score,
    comparison_rows,
    describe_rows,
    read_scores,
    score_rows,
)
from generation_functions.stages.scoring import score_exam


def add_exam(commands: Any) -> None:
    """Add the command `exam` to a parser's commands."""
    exam = commands.add_parser("exam", help="put a run's exam to a model, or compare models")
    actions = exam.add_subparsers(required=True)
    score = actions.add_parser("score", help="ask a model all questions, closed book")
    score.add_argument("run_dir", type=Path)
    score.add_argument(
        "--model",
        required=True,
        help="a GGUF, the folder of a Hugging Face checkpoint, or a role of the run: small, large",
    )
    score.add_argument("--name", help="what its score is called; else the file's name")
    score.add_argument("--judge", action="store_true", help="let the run's large model judge too")
    score.add_argument("--plain", action="store_true", help="as plain text: for base models")
    score.set_defaults(act=_score)
    side = actions.add_parser("compare", help="show all scores, and pairs of them side by side")
    side.add_argument("run_dir", type=Path)
    side.add_argument("names", nargs="*", help="of scores; each is compared with the first")
    side.set_defaults(act=_compare)


def _score(options: argparse.Namespace) -> None:
    asyncio.run(_ask_all(options))


async def _ask_all(options: argparse.Namespace) -> None:
    run = open_examined(options.run_dir, options.model, options.judge)
    name = options.name or name_model(options.model)
    score = await score_exam(run, name, options.judge, options.plain)
    others = [one for one in read_scores(run.folder) if one.model != score.model]
    _print([score, *others])
    print("\n" + "\n".join(score.notes))


def _compare(options: argparse.Namespace) -> None:
    scores = read_scores(options.run_dir, options.names)
    if not scores:
        raise PalimpsestError(f"{options.run_dir}: no model has been scored. See `exam score`.")
    _print(scores)


def _print(scores: list[Score]) -> None:
    """Print the scores, then the first beside each of the others."""
    print(describe_rows(score_rows(scores)))
    first, *others = scores
    rows = [row for other in others for row in comparison_rows(first, other)]
    if rows:
        print(f"\n{describe_rows(rows)}")
