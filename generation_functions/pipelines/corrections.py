"""From a vetted pair to a conversation in which an answer is doubted, rightly or not."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from generation_functions.choosing import rank, spread
from generation_functions.config import Config
from generation_functions.errors import Rejected
from generation_functions.masked import Correction
from generation_functions.pipelines.correction_steps import (
    OF_RIGHT,
    OF_WRONG,
    STAND_FIRM,
    WRITE_CORRECTION,
    DoubtRequest,
    make_claim,
)
from generation_functions.pipelines.pair_checks import find_problem
from generation_functions.pipelines.repairing import CHECK_ANSWER_ACCURACY, Verdict
from generation_functions.pipelines.subsets import (
    choose_chunks,
    group_chunks,
    group_pairs,
    list_sizes,
)
from generation_functions.records import QAPair, make_uuid
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step

T = TypeVar("T")
CORRECTIONS = "corrections"
LABEL = "corrections"
NOT_WRONG = "wrong answer agrees with the text"
NOT_RIGHT = "right answer disagrees with the text"
CORRECTED, FIRM = "is corrected", "stands firm"
# Its votes are counted apart: of a wrong answer a no is what is wanted.
CHECK_WRONG = replace(CHECK_ANSWER_ACCURACY, counted="check_answer_accuracy, wrong answers")
CHECK_AGAIN = replace(CHECK_ANSWER_ACCURACY, counted="check_answer_accuracy, given again")


@dataclass(frozen=True, slots=True)
class CorrectionPlan:
    """A pair whose answer is to be doubted in a manner; with `firm` it is given rightly."""

    pair: QAPair
    manner: str
    firm: bool

    @property
    def uuid(self) -> str:
        return make_uuid(self.pair.uuid, "correction")


async def correct(run: Run, plan: CorrectionPlan) -> str:
    """Keep a doubted answer with what is said to the doubt, once both answers are checked.

    Returns its uuid. The right answer has passed the questions' stage, and must still rest on its
    quote. A wrong one must differ by code and lose the vote on its accuracy.
    """
    if find_problem(plan.pair, run.config.system.use_filenames):
        raise Rejected(NOT_RIGHT)
    made = await (stand_firm if plan.firm else set_right)(run, plan)
    made = run.keep(CORRECTIONS, made)
    run.tally("doubts", FIRM if made.firm else CORRECTED, made.manner)
    return made.uuid


async def set_right(run: Run, plan: CorrectionPlan) -> Correction:
    """Return a wrong answer that is doubted, admitted and set right.

    One that is voted right is written anew, as often as pairs are mended.
    """
    told = await _write_until(
        run, WRITE_CORRECTION, plan, CHECK_WRONG, lambda one: one.wrong, agreed=False
    )
    last = f"{told.admits} {plan.pair.answer}"
    return Correction(plan.uuid, plan.pair, told.wrong, told.doubt, last, plan.manner, plan.firm)


async def stand_firm(run: Run, plan: CorrectionPlan) -> Correction:
    """Return a right answer that is doubted and given again in other words.

    Words that are voted wrong are written anew, as often as pairs are mended.
    """
    pair = plan.pair
    told = await _write_until(
        run, STAND_FIRM, plan, CHECK_AGAIN, lambda one: one.answer, agreed=True
    )
    last = f"{told.stays} {told.answer}"
    return Correction(plan.uuid, pair, pair.answer, told.doubt, last, plan.manner, plan.firm)


async def _write_until(
    run: Run,
    step: Step[DoubtRequest, T],
    plan: CorrectionPlan,
    check: Step[QAPair, Verdict],
    said: Callable[[T], str],
    agreed: bool,
) -> T:
    """Return the first reply whose answer is voted to agree with the text, or not to, as wanted."""
    step, request = _tune(step, run), DoubtRequest(plan.pair, plan.manner)
    for number in range(1, run.config.questions.repairs + 2):
        told = await run.ask(step, request)
        claim = make_claim(plan.pair, said(told))
        if await _agrees(run, check, claim, unasked=agreed) == agreed:
            return told
        request = replace(request, refused=said(told), number=number)
    raise Rejected(NOT_RIGHT if agreed else NOT_WRONG)


def plan_corrections(pairs: Iterable[QAPair], config: Config) -> Iterator[CorrectionPlan]:
    """Yield what is to be doubted of each chunk that has pairs, in the order in which they come.

    Of all of them the share `stand_firm_share`, exact to one, stands firm.
    """
    settings, seed = config.correction_pipeline, config.system.seed
    by_chunk = group_pairs(pairs)
    sizes = list_sizes(config, lambda one: (one.correction_use_subset, one.correction_subset_size))
    chosen = choose_chunks(group_chunks(by_chunk), sizes, seed, "corrections")
    taken: list[QAPair] = []
    for uuid, some in by_chunk.items():
        drawn = rank([pair.uuid for pair in some], seed, "correction")
        first = drawn[: settings.corrections_per_chunk] if uuid in chosen else []
        taken += [pair for pair in some if pair.uuid in first]
    places = spread((pair.uuid for pair in taken), seed, "firm")
    for pair in taken:
        firm = places[pair.uuid] < settings.stand_firm_share
        manners = OF_RIGHT if firm else OF_WRONG
        yield CorrectionPlan(pair, rank(manners, seed, pair.uuid, "doubt")[0], firm)


async def _agrees(run: Run, check: Step[QAPair, Verdict], pair: QAPair, unasked: bool) -> bool:
    """Whether the votes are that an answer agrees with its text; `unasked` without votes."""
    if not run.config.questions.double_check_counter:
        return unasked
    verdict = await run.vote(check, pair)
    return verdict.passed


def _tune(step: Step[DoubtRequest, T], run: Run) -> Step[DoubtRequest, T]:
    settings = run.config.correction_pipeline
    return replace(
        step,
        use_stop=settings.correction_use_stop,
        completion_mode=settings.correction_completion_mode,
    )
