"""Asking again about text that nothing was made of, in rounds, each with seeds of its own.

How many rounds a stage was asked for is part of a run: later passes take their replies again.
"""

import json
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import chain
from typing import TypeVar

from generation_functions.records import make_uuid
from generation_functions.steps.files import read_json
from generation_functions.steps.run import Run
from generation_functions.steps.step import Item

I = TypeVar("I", bound=Item)
R = TypeVar("R")

GAPS = "gaps.json"  # in the run folder: of each stage, how many rounds it was asked for
ROUNDS = 2  # that `run --gaps` adds
LABEL = "gaps"


def ask_again(uuid: str, number: int) -> str:
    """Return the uuid of an item that is asked again for the `number`-th time; of 0 its own."""
    return make_uuid(uuid, "again", str(number)) if number else uuid


async def fill_gaps(
    run: Run,
    stage: str,
    find: Callable[[], Iterator[I]],
    ask: Callable[[int, I], Awaitable[R]],
    take: Callable[[list[R]], None],
) -> int:
    """Ask again about what `find` yields, the items of which nothing was made so far.

    `ask(number, item)` is told the round, from 1; `take` gets what came of one. Rounds end when
    nothing is found, or when there were as many as earlier passes had, and ROUNDS more if the run
    is to fill gaps. Returns how many there were.
    """
    known: dict[str, int] = read_json(run.folder / GAPS) or {}
    before, done = known.get(stage, 0), 0
    for number in range(1, before + (ROUNDS if run.fill_gaps else 0) + 1):
        found = find()
        first = next(found, None)
        if first is None:
            break
        if number > before:
            run.write_text(GAPS, json.dumps({**known, stage: number}))
        take(await run.map(partial(ask, number), chain([first], found), LABEL))
        done = number
    return done


def report_gaps(run: Run, rounds: int, left: int) -> None:
    """Put into the status how many texts nothing was made of, after so many rounds."""
    run.report(LABEL, {"rounds": rounds, "left": left})
