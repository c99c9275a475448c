"""Asking again about worthy chunks of which no sentence has a pair."""

from collections.abc import Iterator
from itertools import chain

from generation_functions.pipelines.gaps import fill_gaps, report_gaps
from generation_functions.pipelines.passages import Covered, locate_chunk, locate_pair
from generation_functions.pipelines.question_steps import QuestionRequest
from generation_functions.pipelines.questions import (
    REVISED,
    WORTHY,
    leave_out_asked,
    write_pairs,
)
from generation_functions.pipelines.readings import read_together
from generation_functions.pipelines.similar import AskedBefore
from generation_functions.records import Chunk, QAPair
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors


async def fill_question_gaps(
    run: Run, kept: list[tuple[QAPair, ...]], before: AskedBefore
) -> list[tuple[QAPair, ...]]:
    """Return the pairs that were kept, by chunk, and those that rounds of asking again add.

    A pair that a person deleted was asked; its chunk is not asked about again. `before` has what
    was kept.
    """
    pairs = list(kept)

    def find() -> Iterator[Chunk]:
        asked = [*chain.from_iterable(pairs), *run.deleted(REVISED, QAPair)]
        known = {pair.chunk.uuid for pair in asked}
        covered.add(passage for pair in asked for passage in locate_pair(pair))
        for uuid in run.kept(WORTHY):
            if uuid not in known:
                for chunk in read_survivors(run.folder / WORTHY, [uuid], Chunk):
                    if not covered.touches(locate_chunk(chunk)):
                        yield chunk

    async def ask(number: int, chunk: Chunk) -> tuple[QAPair, ...]:
        left_out = covered.list_open(read_together([chunk]))
        most = run.config.questions.max_questions
        return await write_pairs(run, QuestionRequest(chunk, most, "", number, left_out))

    def take(made: list[tuple[QAPair, ...]]) -> None:
        pairs.extend(leave_out_asked(run, made, before))

    covered = Covered()
    rounds = await fill_gaps(run, "questions", find, ask, take)
    report_gaps(run, rounds, sum(1 for _ in find()))
    return pairs
