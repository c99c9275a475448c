"""The dataset of a run's own calls: which rows there are, what they train, and that they load."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
from conftest import OpenRun
from scripted_run import friendly_reply

from generation_functions import stages
from generation_functions.calls import Call, Worse
from generation_functions.datasets.meta_rows import make_pairs, thin_examples
from generation_functions.datasets.provenance import read_row_uuids
from generation_functions.engine.protocol import Completion, Request
from generation_functions.engine.scripted import ScriptedEngine
from generation_functions.errors import RunFolderError
from generation_functions.pipelines.repairing import CHECKS
from generation_functions.steps.calls import list_calls, read_calls
from generation_functions.steps.run import Run

MADE = Path("meta_datagen")
CHECK_NAMES = {check.name for check, *_ in CHECKS}
CALL = Call("judge_chunk", "u", "kept", "Judge.", (("a", "b"), ("c", "d")), "What?", "facts")


def read_rows(run: Run, name: str) -> list[dict[str, Any]]:
    lines = (run.folder / MADE / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def step_of(request: Request) -> str:
    return request.messages[-1].content.splitlines()[-1]


def wavering(request: Request) -> str | Completion:
    """Cut the first reply about each chunk's questions; outvote every third vote of a check."""
    asked = request.messages[-1].content
    if asked.endswith("about this.") and asked not in wavering.seen:
        wavering.seen.add(asked)
        return Completion("Sentences: 1\nAnswer: It", "length", 9, 0, 4, 0.1)
    reply = friendly_reply(request)
    if reply == "Verdict: yes" or reply.endswith("\nVerdict: yes"):
        wavering.votes[asked] = wavering.votes.get(asked, 0) + 1
        if wavering.votes[asked] == 1:
            return NO
    return reply


async def make_run(run: Run) -> None:
    for name in ("questions", "characters", "conversations", "mix", "meta"):
        await stages.STAGES[name](run, None)
