"""The exam: vetted questions that no row asks, on chunks that are trained on and on others.

A question is written and vetted as a pair is, from seeds of its own; nothing is repaired. What a
pair of the datasets asks is left out, whoever asks it in which words (similar.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice

from generation_functions.choosing import rank
from generation_functions.documents.sentences import number_sentences
from generation_functions.errors import Rejected
from generation_functions.pipelines.copies import is_clear, list_copies
from generation_functions.pipelines.exam_steps import (
    HELD_OUT,
    WRITE_EXAM_QUESTIONS,
    ExamQuestion,
    is_short,
    show_plan,
)
from generation_functions.pipelines.landmarks import has_landmark
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.question_steps import QuestionRequest, make_pair
from generation_functions.pipelines.questions import Draft, ask_of_answer, judge, make_alone, vet
from generation_functions.pipelines.roots import share_known
from generation_functions.pipelines.sentence_needs import find_needed, hold_together
from generation_functions.pipelines.similar import AskedBefore
from generation_functions.records import Chunk, QAPair, Recall, make_uuid
from generation_functions.steps.run import Run

EXAM = "exam"  # the folder of its questions
ASKED = "asked in the datasets or the exam already"
ENOUGH = "more than asked for"
NOT_SHORT = "answer is not short"
NOTHING_SOUND = "no sound question"
LEAST_COPIED = 0.5  # of the roots of what answers a question; "garbling" where "garble" is told
LEAST_WORDS = 5  # of a sentence that exact things are looked for in
AT_ONCE = 64  # chunks that are asked about before it is seen whether more are needed


async def write_part(
    run: Run, part: str, chunks: Iterator[Chunk], before: AskedBefore
) -> list[ExamQuestion]:
    """Ask about chunks until a part has its questions; return them, with the chunks as they are.

    `before` has what the datasets ask, and gets what the exam asks.
    """
    most = run.config.exam.most_questions
    made: list[ExamQuestion] = []
    while len(made) < most and (some := list(islice(chunks, AT_ONCE))):
        for pairs in await run.map(partial(ask_exam, run, part), some, f"{part} chunks"):
            for pair in pairs:
                question = ExamQuestion.of(pair, part)
                reason = ASKED if before.add(pair) else ENOUGH if len(made) == most else ""
                run.count(part, question.uuid, rejected=reason)
                made += [] if reason else [question]
    return made


async def ask_exam(run: Run, part: str, chunk: Chunk) -> tuple[QAPair, ...]:
    """Return vetted pairs with short answers about what a chunk has for itself.

    One that is held out is judged first, as those that are taught have been.
    """
    if part == HELD_OUT:
        await judge(run, chunk)
    own = take_own(chunk)
    most = run.config.exam.questions_per_chunk
    chosen = choose_sentences(own, most, run.config.system.seed)
    if run.config.exam.ask_apart:
        copied = [copy_sentences(own, numbers) for numbers in hold_clear(own, chosen)]
        asked = await run.map(partial(ask_sentence, run), copied, "exam sentences")
        written = tuple(chain.from_iterable(asked))
    else:
        request = QuestionRequest(own, most, show_plan(own, chosen))
        written = await run.ask(WRITE_EXAM_QUESTIONS, request)
    vetted = await run.map(partial(vet_exam, run), written, "exam questions")
    shown = replace(own, uuid=chunk.uuid)
    return tuple(replace(pair, chunk=shown) for pair in vetted)


async def ask_sentence(run: Run, copied: QAPair) -> tuple[QAPair, ...]:
    """Return questions that are made of a sentence alone, with the words of it that answer each.

    Raises Rejected where there is none.
    """
    asked = await ask_of_answer(run, copied)
    if not asked:
        raise Rejected(NOTHING_SOUND)
    short = [
        make_pair(copied.chunk, copied.sentences, one.question, span)
        for one, span in asked
        if share_known(span, copied.answer) >= LEAST_COPIED
    ]
    found = tuple(pair for pair in short if is_short(pair))
    if not found:
        raise Rejected(NOT_SHORT)
    return found


def hold_clear(chunk: Chunk, chosen: Iterable[int]) -> list[tuple[int, ...]]:
    """Return sentences with those that they need to be understood, by their numbers; of what stays
    unclear none.
    """
    together = dict.fromkeys(hold_together(chunk, (number,)) for number in chosen)
    return [numbers for numbers in together if is_clear(chunk, numbers)]


def copy_sentences(chunk: Chunk, numbers: tuple[int, ...]) -> QAPair:
    """Return sentences as an answer that nothing asks for yet."""
    return make_pair(chunk, numbers, "", list_copies(chunk, numbers)[0])


async def vet_exam(run: Run, pair: QAPair) -> QAPair:
    """Return a pair that every check lets through, as it stands alone.

    Where it was reworded, its answer stays if the new one is no short one. Raises Rejected.
    """
    await _require(run, pair)
    if run.config.exam.ask_apart:
        return pair  # its sentence stands alone
    alone = await make_alone(run, pair)
    if isinstance(alone, Problem):
        raise Rejected(alone.reason)
    if not is_short(alone):
        alone = replace(alone, answer=pair.answer)
    if not is_short(alone):
        raise Rejected(NOT_SHORT)
    if alone != pair:
        await _require(run, alone)
    return alone


async def _require(run: Run, pair: QAPair) -> None:
    problem = await vet(run, Draft(pair, ()))
    if problem:
        raise Rejected(problem.reason)


def take_own(chunk: Chunk) -> Chunk:
    """Return a chunk without what it shares with the one before, as an item of the exam's own.

    So its questions have other seeds than those of the datasets.
    """
    text = chunk.text[chunk.overlap :]
    return replace(chunk, uuid=make_uuid(chunk.uuid, EXAM), text=text, overlap=0)


def choose_sentences(chunk: Chunk, most: int, seed: int) -> tuple[int, ...]:
    """Return the numbers, from 1, of at most `most` sentences to ask about, drawn by the seed.

    First come those that tell a figure, date or name, then those that are clear by themselves.
    """
    texts = number_sentences(chunk.text, chunk.language)
    long = [n for n, text in enumerate(texts, start=1) if len(text.split()) >= LEAST_WORDS]
    exact = [n for n in long if has_landmark(texts[n - 1])]
    clear = [n for n in long if n not in exact and _is_clear(chunk, n)]
    seeds = (seed, EXAM, chunk.uuid)
    drawn = [int(one) for some in (exact, clear) for one in rank(map(str, some), *seeds)]
    return tuple(sorted(drawn[:most]))


def _is_clear(chunk: Chunk, number: int) -> bool:
    return find_needed(chunk, number) == number and is_clear(chunk, (number,))


def remember_asked(pairs: Iterable[QAPair], recalls: Sequence[Recall]) -> AskedBefore:
    """Return what the datasets ask."""
    before = AskedBefore()
    for pair in pairs:
        before.add(pair)
    for recall in recalls:
        for place, one in enumerate(recall.exchanges):
            uuid = make_uuid(recall.uuid, str(place))
            asked = one.meant or one.question
            before.add(QAPair(uuid, asked, one.answer, (), "", recall.chunk))
    return before
