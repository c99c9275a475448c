"""The stage `exam`: questions on what the datasets teach, and on what was held out of them."""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from heapq import nsmallest
from itertools import islice

from generation_functions.card.rewriting import rewrite_card
from generation_functions.choosing import draw_number, rank
from generation_functions.datasets.row_texts import read_row_texts
from generation_functions.documents.cutting import Decision
from generation_functions.documents.holding import HELD_OUT as REASON
from generation_functions.errors import Rejected, RunFolderError
from generation_functions.pipelines.asking import ANSWER_BRIEFLY, ASK_QUESTION
from generation_functions.pipelines.exam import EXAM, remember_asked, write_part
from generation_functions.pipelines.exam_leaks import Leaks, find_leaks
from generation_functions.pipelines.exam_steps import (
    HELD_OUT,
    PARTS,
    TAUGHT,
    WRITE_EXAM_QUESTIONS,
    ExamQuestion,
)
from generation_functions.pipelines.question_steps import JUDGE_CHUNK
from generation_functions.pipelines.questions import REVISED, WORTHY
from generation_functions.pipelines.repairing import CHECKS, REVISE_PAIR
from generation_functions.records import Chunk, QAPair
from generation_functions.stages.reading import open_source
from generation_functions.stages.taking import take_recalls
from generation_functions.steps.run import Run
from generation_functions.steps.survivors import read_survivors

LINES = "exam.jsonl"
MOST_CHUNKS = 4  # that may be needed for a question, of what is held out
CHECKED = "exam"  # in the funnel: what became of the questions, beside the datasets
_log = logging.getLogger(__name__)


async def write_exam(run: Run, limit: int | None = None) -> list[ExamQuestion]:
    """Write the exam, if `exam.enabled`: exam/<uuid>.json, and all in exam.jsonl.

    Both parts are checked against the datasets as they are now, so it comes after the mix. With
    `limit`, so many chunks of each part are asked about. The run's dataset card then says what
    the exam shares with the datasets. Raises RunFolderError before the mix, and
    where the datasets were made before `held_out_share` was set.
    """
    if not run.config.exam.enabled:
        return []
    async with run.stage("exam", limit):
        checks = (step for step, _, _ in CHECKS)
        apart = (ASK_QUESTION, ANSWER_BRIEFLY) if run.config.exam.ask_apart else ()
        run.load_prompts(JUDGE_CHUNK, WRITE_EXAM_QUESTIONS, REVISE_PAIR, *apart, *checks)
        run.open_survivors(EXAM)
        next(read_row_texts(run.folder), None)  # raises before the mix
        before = remember_asked(run.stored(REVISED, QAPair), take_recalls(run))
        held = _read_held_out(run)
        taught = await write_part(run, TAUGHT, islice(_read_taught(run), limit), before)
        written = [*taught, *await write_part(run, HELD_OUT, iter(held[:limit]), before)]
        leaks = find_leaks(written, read_row_texts(run.folder))
        kept = list(_keep(run, written, leaks))
        run.report("leaks", _count_leaks(written, leaks))
        with run.open_text(LINES) as note:
            for question in kept:
                note(json.dumps(describe_question(question), ensure_ascii=False) + "\n")
        rewrite_card(run.folder, run.config, run.status(), running="exam")
        return kept


def describe_question(question: ExamQuestion) -> dict[str, str]:
    """Return the line of a question in exam.jsonl."""
    return {
        "uuid": question.uuid,
        "part": question.part,
        "question": question.question,
        "answer": question.answer,
        "quote": question.quote,
        "source": question.chunk.source,
        "chunk": question.chunk.uuid,
    }


def _read_taught(run: Run) -> Iterator[Chunk]:
    """Yield the chunks that are trained on, as a person left them, in an order of the seed's."""
    for uuid in rank(run.require(WORTHY), run.config.system.seed, EXAM, TAUGHT):
        yield from read_survivors(run.folder / WORTHY, [uuid], Chunk)


def _read_held_out(run: Run) -> list[Chunk]:
    """Return chunks of what is held out, as many as can be of use, in an order of the seed's."""
    system, most = run.config.system, MOST_CHUNKS * run.config.exam.most_questions
    if not system.held_out_share:
        return []
    with closing(open_source(run).decisions()) as decisions:
        held = (one.chunk for one in _only_held_out(run, decisions))
        key = partial(draw_number, system.seed, EXAM, HELD_OUT)
        found = nsmallest(most, held, lambda one: key(one.uuid))
    if not found:
        _log.warning("held_out_share is %s, but no section was drawn", system.held_out_share)
    return found


def _only_held_out(run: Run, decisions: Iterable[Decision]) -> Iterator[Decision]:
    trained = set(run.require(WORTHY))
    for one in decisions:
        if one.reason == REASON:
            if one.chunk.uuid in trained:
                raise RunFolderError(
                    f"{run.folder}: chunk {one.chunk.uuid} is held out by now, and stands in the "
                    "datasets, which were made before. Run all stages again."
                )
            yield one


def _keep(run: Run, written: Iterable[ExamQuestion], leaks: Leaks) -> Iterator[ExamQuestion]:
    """Write what does not stand in the datasets; yield it as a person left it."""
    for question in written:
        reason = leaks.dropped.get(question.uuid, "")
        if not reason:
            try:
                yield run.keep(EXAM, question)
            except Rejected as dropped:  # deleted by hand
                reason = dropped.reason
        run.count(CHECKED, question.uuid, rejected=reason)


def _count_leaks(written: Sequence[ExamQuestion], leaks: Leaks) -> dict[str, dict[str, int]]:
    """Return for each part how many questions share long runs of words with the datasets."""
    parts = {part: {one.uuid for one in written if one.part == part} for part in PARTS}
    return {
        part: {
            "written": len(own),
            "question shares 8 words with a row's question": len(own & leaks.asked),
            "source shares 8 words with a row": len(own & leaks.told),
            "dropped": len(own & leaks.dropped.keys()),
        }
        for part, own in parts.items()
    }
