"""Trying a prompt on a few items: through the run's engines, into a folder of its own.

`<run>/trials/` is like a run folder: a trial that was made once is not asked again. The run's own
records, status and survivors stay as they are. Either folder takes from the other a reply to the
very same request: what the run has answered costs no trial anything, and once an edited prompt has
been saved, the run asks nothing again that was tried.
"""

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from generation_functions.errors import Dropped
from generation_functions.steps.files import read_json
from generation_functions.steps.lock import hold_run
from generation_functions.steps.prompts import Prompt
from generation_functions.steps.record import Record
from generation_functions.steps.run import FEW, TRIALS, Run
from generation_functions.steps.step import Item, Step

I = TypeVar("I", bound=Item)


async def try_step(
    run: Run,
    step: Step[I, Any],
    items: Iterable[I],
    prompt: Prompt | None = None,
    most: int = FEW,
) -> list[Record]:
    """Ask a step once about each of the first items, with `prompt` or with its own.

    Returned are the trials' records, with the replies to just this. A step that is put to the
    vote is asked for its first vote. Raises EngineError, and RunFolderError while a stage runs.
    """
    trial = Run(run.config, run.folder / TRIALS, run.engines, lenders=(run.folder,))
    trial.progress, trial.keep_models = False, run.keep_models
    if prompt:
        trial.use_prompt(step, prompt)
    with hold_run(run.folder, "a trial"):
        async with trial.stage(f"trial_{step.name}"):
            return await trial.map(partial(_try_item, trial, step), islice(items, most))


async def _try_item(trial: Run, step: Step[I, Any], item: I) -> Record:
    with suppress(Dropped):  # its record says why
        await trial.ask(step, item)
    value: dict[str, Any] = read_json(trial.folder / step.name / f"{item.uuid}.json") or {}
    record = Record.of_last_pass(value)
    record.replies = record.last_replies
    return record
