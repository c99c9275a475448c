"""The stage `questions`: chunks are judged, and question-answer pairs written and vetted."""

from contextlib import closing
from functools import partial
from itertools import islice

from generation_functions.pipelines import asking, question_steps, questions, repairing
from generation_functions.pipelines.planting import judge_planted
from generation_functions.pipelines.question_gaps import fill_question_gaps
from generation_functions.pipelines.similar import AskedBefore
from generation_functions.records import QAPair
from generation_functions.stages.reading import open_source
from generation_functions.stages.taking import check_readable, going_on, least_share
from generation_functions.steps.run import Run

QUESTION_STEPS = (
    question_steps.JUDGE_CHUNK,
    question_steps.PLAN_QUESTIONS,
    question_steps.WRITE_QUESTIONS,
    asking.ASK_QUESTION,
    asking.ANSWER_BRIEFLY,
    repairing.CHECK_QUESTION,
    repairing.CHECK_ANSWER_RELEVANCE,
    repairing.CHECK_ANSWER_ACCURACY,
    repairing.REVISE_PAIR,
    repairing.REPAIR_ANSWER,
    repairing.REPLACE_PAIR,
)


async def write_questions(run: Run, limit: int | None = None) -> list[tuple[QAPair, ...]]:
    """Judge the chunks, write question-answer pairs and vet them, with the small model.

    Chunks are cut as they are needed. So that nothing is asked before all files are known to
    be readable, they are read through once before, unless the documents stage has done so.
    Of questions that several chunks' pairs ask, the first stays. Planted pairs measure the checks;
    at the end worthy chunks without a pair may be asked about again. Raises TooFewKept.
    """
    async with run.stage("questions", limit):
        run.load_prompts(*QUESTION_STEPS)
        run.open_survivors(questions.WORTHY, "qatuples_raw", questions.REVISED)
        run.open_survivors(questions.REJECTED_PAIRS)
        source = open_source(run)
        seen = check_readable(run, source)
        with closing(source.decisions()) as decisions:
            good = going_on(decisions)
            total = None if seen is None else min(seen, limit or seen)
            ask = partial(questions.ask_about_chunk, run)
            least = least_share(run, run.config.questions)
            kept = await run.map(ask, islice(good, limit), "chunks", total, abort_below=least)
        before = AskedBefore()
        kept = questions.leave_out_asked(run, kept, before)
        await judge_planted(run, [pair for pairs in kept for pair in pairs])
        return await fill_question_gaps(run, kept, before)
