"""From a chunk to vetted question-answer pairs: judge, plan, write, then refine each pair.

A pair is refined in rounds: code and three votes look for a problem; a good pair is made to
stand alone, and looked at again if that changed it. A problem is repaired: the answer first,
where the question is not at fault, then by another question. All rounds of a pair share one
budget of repairs.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from generation_functions.errors import Dropped, Failed, NoReply, NoRoom, Rejected
from generation_functions.pipelines.asking import (
    ANSWER_BRIEFLY,
    ASK_QUESTION,
    Asked,
    is_bound,
    is_terse,
)
from generation_functions.pipelines.copies import is_copied
from generation_functions.pipelines.lending import find_lent
from generation_functions.pipelines.pair_checks import Problem, find_problem
from generation_functions.pipelines.question_steps import (
    JUDGE_CHUNK,
    PLAN_QUESTIONS,
    WRITE_QUESTIONS,
    QuestionRequest,
)
from generation_functions.pipelines.repairing import (
    CHECK_ANSWER_ACCURACY,
    CHECKS,
    REPAIR_ANSWER,
    REPLACE_PAIR,
    REVISE_PAIR,
    Repair,
    VotedCheck,
    tell_unclear,
)
from generation_functions.pipelines.similar import AskedBefore, alike, is_asked, keep_best
from generation_functions.records import Chunk, QAPair
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step

WORTHY = "worthy_for_questions"
REVISED = "qatuples_revised"
DISTINCT = "distinct questions"
ASKED_ALREADY = Problem("asked already", "This question has been asked already.", in_question=True)
NOTHING_ASKED = Problem(
    "asks for what it says", "The question says itself what it asks for.", in_question=True
)
NOT_OF_ANSWER = Problem(
    "asks for something else", "The question has little of what the answer tells.", in_question=True
)
REJECTED_PAIRS = "qatuples_rejected"
SUITABLE = "suitable"
NOT_JUDGED = "not judged"
WRITERS: tuple[Step[Any, Any], ...] = (WRITE_QUESTIONS, ASK_QUESTION, REPAIR_ANSWER, REPLACE_PAIR)
FOUND, BY_ANSWER, BY_QUESTION = "found", "another answer", "another question"


@dataclass(frozen=True, slots=True)
class RejectedPair:
    """A pair that was left out, as it was last, and what is wrong with it; for reading."""

    pair: QAPair
    problem: Problem

    @property
    def uuid(self) -> str:
        return self.pair.uuid


@dataclass(frozen=True, slots=True)
class Draft:
    """A pair on its way; `siblings` are the other pairs that were written for its chunk.

    `spare` has its answer with other questions, best first; `fault` is what was wrong with all of
    them. `tried` are the questions that it had before, `repairs` how often it was mended.
    """

    pair: QAPair
    siblings: tuple[QAPair, ...] = ()
    fault: Problem | None = None
    spare: tuple[QAPair, ...] = ()
    tried: tuple[str, ...] = ()
    repairs: int = 0
    answer_repaired: bool = False

    @property
    def uuid(self) -> str:
        return self.pair.uuid


async def ask_about_chunk(run: Run, chunk: Chunk) -> tuple[QAPair, ...]:
    """Return the pairs made from `chunk` that are true, to the point and stand alone."""
    await judge(run, chunk)
    chunk = run.keep(WORTHY, chunk)
    return await write_pairs(run, QuestionRequest(chunk, run.config.questions.max_questions))


async def write_pairs(run: Run, request: QuestionRequest) -> tuple[QAPair, ...]:
    """Plan, write and refine pairs; of those that ask the same, the best stays."""
    written = await run.ask(WRITE_QUESTIONS, await _plan(run, request))
    drafts = await run.map(lambda pair: ask_apart(run, Draft(pair)), written)
    pairs = [draft.pair for draft in drafts]
    drafts = [
        replace(one, siblings=tuple(other for other in pairs if other != one.pair))
        for one in drafts
    ]
    refined = await run.map(partial(refine, run), drafts, "pairs")
    best = keep_best((draft.pair, draft.repairs) for draft in refined)
    for draft in refined:
        if draft.pair not in best:
            _leave_out(run, draft.pair, next(one for one in best if alike(one, draft.pair)))
    return tuple(best)


async def ask_apart(run: Run, draft: Draft) -> Draft:
    """Return the draft with questions made of its answer alone, best first.

    Code finds nothing wrong with them, and each asks for what it does not say. Where there is none
    such, the draft is at fault; but its own question stays where none was of use and it is bound to
    the answer, or this is too short to be asked about alone. Nothing is asked about an answer that
    is at fault itself.
    """
    if not run.config.questions.ask_apart:
        return draft
    pair = draft.pair
    problem = find_fault(run, pair)
    if problem and not problem.in_question:
        return draft
    bound = is_terse(pair.answer) or is_bound(pair.question, pair)
    unasked = draft if bound else replace(draft, fault=NOT_OF_ANSWER)
    try:
        asked = await ask_of_answer(run, pair)
    except NoReply:
        raise
    except Failed:
        return unasked
    if not asked:
        return unasked
    best = tuple(one for one, span in asked if span)
    if not best:
        return replace(draft, fault=NOTHING_ASKED)
    return replace(draft, pair=best[0], spare=best[1:], fault=None)


async def ask_of_answer(run: Run, pair: QAPair) -> list[tuple[QAPair, str]]:
    """Return questions made of a pair's answer alone that code finds nothing wrong with, best
    first, each with the words that answer it; "" where it says these itself. Raises Failed.
    """
    sound = [one for one in await run.ask(ASK_QUESTION, pair) if find_fault(run, one) is None]
    if not sound:
        return []
    questions = tuple(one.question for one in sound)
    spans = await run.ask(ANSWER_BRIEFLY, Asked(pair.answer, questions))
    return list(zip(sound, spans, strict=True))


async def _plan(run: Run, request: QuestionRequest) -> QuestionRequest:
    """Return the request with its plan, if it is to have one and a reply is of use."""
    if not run.config.questions.plan:
        return request
    try:
        return replace(request, plan=await run.ask(PLAN_QUESTIONS, request))
    except NoReply:
        raise
    except Failed:
        return request


async def judge(run: Run, chunk: Chunk) -> None:
    """Let a model tell whether the chunk is worth asking about; tally that by source.

    Raises Rejected and Failed for a chunk that is not.
    """
    if run.config.system.skip_filter_chunks:
        run.tally("sources", chunk.source, NOT_JUDGED)
        return
    try:
        await run.ask(JUDGE_CHUNK, chunk)
    except Dropped as dropped:
        run.tally("sources", chunk.source, dropped.reason)
        raise
    run.tally("sources", chunk.source, SUITABLE)


async def refine(run: Run, draft: Draft) -> Draft:
    """Return the draft once nothing is wrong with it; mend it as often as the budget allows."""
    draft, problem = await settle(run, draft)
    first = problem
    if first:
        run.tally("repairs", first.reason, FOUND)
    for _ in range(run.config.questions.repairs):
        if problem is None:
            break
        draft, problem = await settle(run, await repair(run, draft, problem))
    if problem:
        _keep_rejected(run, draft.pair, problem)
        raise Rejected(problem.reason)
    if first:
        run.tally("repairs", first.reason, BY_ANSWER if draft.answer_repaired else BY_QUESTION)
    return replace(draft, pair=run.keep(REVISED, draft.pair))


async def settle(run: Run, draft: Draft) -> tuple[Draft, Problem | None]:
    """Vet the pair, make it stand alone, and vet it again if that changed it."""
    problem = await vet(run, draft)
    if problem:
        return draft, problem
    pair = run.keep("qatuples_raw", draft.pair)
    revised = await make_alone(run, pair)
    if isinstance(revised, Problem):
        return draft, revised
    draft = replace(draft, pair=revised)
    return draft, None if revised == pair else await vet(run, draft)


async def make_alone(run: Run, pair: QAPair) -> QAPair | Problem:
    """Return a pair as somebody understands it who never saw the text, or why that cannot be."""
    try:
        return await run.ask(REVISE_PAIR, pair)
    except NoRoom:  # says nothing about the question
        raise
    except Rejected as dropped:
        return tell_unclear(pair, dropped.reason)


async def vet(run: Run, draft: Draft) -> Problem | None:
    """Return the first problem of a pair: of those that code finds, then of those voted on.

    An answer that is copied from the text agrees with it: about that there is no vote.
    """
    pair = draft.pair
    problem = draft.fault or find_fault(run, pair)
    if problem is None and draft.tried and is_asked(pair, draft.siblings):
        problem = ASKED_ALREADY
    run.count("grounding", pair.uuid, rejected=problem.reason if problem else "")
    if problem:
        return problem
    copied = is_copied(pair)
    checks = [one for one in CHECKS if not (copied and one[0] == CHECK_ANSWER_ACCURACY)]
    return await hold_votes(run, pair, checks)


def find_fault(run: Run, pair: QAPair) -> Problem | None:
    """Return what code alone can tell against a pair: of itself, and of what its prompts show."""
    problem = find_problem(pair, run.config.system.use_filenames)
    return problem or find_lent(pair, [text for step in WRITERS for text in run.shown(step)])


async def hold_votes(run: Run, pair: QAPair, checks: Sequence[VotedCheck]) -> Problem | None:
    """Return what the first check that a pair loses holds against it; None where votes are off."""
    for check, reason, in_question in checks if run.config.questions.double_check_counter else ():
        verdict = await run.vote(check, pair)
        if not verdict:
            told = f"{reason[0].upper()}{reason[1:]}. {verdict.reason}"
            return Problem(reason, told.strip(), in_question)
    return None


async def repair(run: Run, draft: Draft, problem: Problem) -> Draft:
    """Return the draft with another answer or, if that was tried or cannot help, another pair.

    A spare question to the same answer goes before another pair.
    Raises Failed when no reply has a usable pair.
    """
    existing = (*(other.question for other in draft.siblings), *draft.tried)
    request = Repair(draft.pair, problem, existing, draft.repairs)
    draft = replace(draft, repairs=draft.repairs + 1)
    if not problem.in_question and not draft.answer_repaired:
        try:
            answered = await run.ask(REPAIR_ANSWER, request)
        except Dropped:
            pass  # no other answer
        else:
            draft = replace(draft, pair=answered, spare=(), answer_repaired=True)
            return await ask_apart(run, draft)
    draft = replace(draft, tried=(*draft.tried, draft.pair.question))
    if problem.in_question and draft.spare:
        return replace(draft, pair=draft.spare[0], spare=draft.spare[1:])
    replaced = await run.ask(REPLACE_PAIR, request)
    draft = replace(draft, pair=replaced, spare=(), fault=None, answer_repaired=False)
    return await ask_apart(run, draft)


def leave_out_asked(
    run: Run, asked: Sequence[tuple[QAPair, ...]], before: AskedBefore
) -> list[tuple[QAPair, ...]]:
    """Return each chunk's pairs without those that an earlier chunk's pair asks already.

    Nor does a pair stay that asks what a person did not want: a pair that was deleted.
    `before` has the pairs of earlier calls.
    """
    for pair in run.deleted(REVISED, QAPair):
        before.add(pair)
    kept = []
    for pairs in asked:
        new = []
        for pair in pairs:
            earlier = before.add(pair)
            if earlier:
                _leave_out(run, pair, earlier)
            else:
                run.count(DISTINCT, pair.uuid)
                new.append(pair)
        kept.append(tuple(new))
    return kept


def _leave_out(run: Run, pair: QAPair, kept: QAPair) -> None:
    run.discard(REVISED, pair)
    run.count(DISTINCT, pair.uuid, rejected=ASKED_ALREADY.reason)
    told = f"The pair that stays asks: {kept.question} It answers: {kept.answer}"
    _keep_rejected(run, pair, replace(ASKED_ALREADY, told=told))


def _keep_rejected(run: Run, pair: QAPair, problem: Problem) -> None:
    with suppress(Rejected):  # a person deleted it, and need not read it again
        run.keep(REJECTED_PAIRS, RejectedPair(pair, problem))
