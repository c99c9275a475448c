"""Putting the exam to a model: its replies, what code says of them, and what a judge does."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from generation_functions.choosing import rank
from generation_functions.errors import Dropped, NoReply, RequestTimeout, RunFolderError
from generation_functions.model_sections import Model
from generation_functions.pipelines.exam import EXAM
from generation_functions.pipelines.exam_answers import is_exact
from generation_functions.pipelines.exam_scores import (
    SCORES,
    Answer,
    JudgeTrial,
    Score,
    describe_share,
    name_score,
)
from generation_functions.pipelines.exam_steps import (
    ANSWER_EXAM,
    EXAMINED,
    JUDGE_EXAM_ANSWER,
    RIGHT,
    VERDICTS,
    WRONG,
    ExamQuestion,
    Mark,
    Marking,
)
from generation_functions.records import to_json
from generation_functions.steps.prompts import load_prompt
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step

NO_REPLY = Mark(WRONG, "There is no reply.")
NO_VERDICT = Mark(WRONG, "The judge gave no verdict that could be read.")


async def score_exam(run: Run, name: str, judged: bool = False, plain: bool = False) -> Score:
    """Ask the model in the role EXAMINED all questions, closed book; write and return its score.

    First all is answered, then all is judged, so that two models take turns once. With `plain` it
    is asked without its chat template, as base models are. What was asked before is not asked
    again. Raises RunFolderError where there is no exam, and EngineError.
    """
    async with run.stage("exam_score"):
        step = replace(ANSWER_EXAM, completion_mode=True) if plain else ANSWER_EXAM
        run.load_prompts(step, *((JUDGE_EXAM_ANSWER,) if judged else ()))
        questions = run.survivors(EXAM, ExamQuestion)
        if not questions:
            raise RunFolderError(
                f"{run.folder / EXAM}: no question. Set `exam.enabled`, and run the stage `exam`."
            )
        replies = await run.map(partial(_answer, run, step), questions, "questions")
        marks: list[Mark] = []
        trial: JudgeTrial | None = None
        if judged:
            asked = map(Marking, questions, replies)
            marks = await run.map(partial(_judge, run), list(asked), "replies")
            trial = await _try_judge(run, questions)
        score = _make_score(run, name, plain, questions, replies, marks, trial)
        text = json.dumps(to_json(score), ensure_ascii=False, indent=1) + "\n"
        run.write_text(f"{SCORES}/{name_score(name)}.json", text)
        return score


async def _answer(run: Run, step: Step[ExamQuestion, str], question: ExamQuestion) -> str:
    """Return a model's reply, "" where it has none that can be read."""
    try:
        return await run.ask(step, question)
    except NoReply as error:  # says nothing about what the model knows
        raise RequestTimeout(
            f"{question.question} No reply in time. Run the command again, or give the model more "
            "`request_seconds`."
        ) from error
    except Dropped:
        return ""


async def _judge(run: Run, marking: Marking) -> Mark:
    """Return the vote in the middle: the majority's where there is one, of a tie the worse."""
    if not marking.reply:
        return NO_REPLY
    votes = [replace(marking, number=n) for n in range(run.config.exam.judge_votes)]
    marks = await run.map(partial(run.ask, JUDGE_EXAM_ANSWER), votes)
    ordered = sorted(marks, key=lambda mark: VERDICTS.index(mark.verdict))
    return ordered[(len(ordered) - 1) // 2] if ordered else NO_VERDICT


async def _try_judge(run: Run, questions: Sequence[ExamQuestion]) -> JudgeTrial:
    """Let the judge mark the right answers of some questions, and the answers of others."""
    by_uuid = {one.uuid: one for one in questions}
    ordered = [by_uuid[uuid] for uuid in rank(by_uuid, run.config.system.seed, "judge's trial")]
    chosen = ordered[: run.config.exam.judge_trials]
    right = [Marking(one, one.answer) for one in chosen]
    wrong = [
        Marking(one, other.answer)
        for one, other in zip(chosen, ordered[1:] + ordered[:1], strict=False)
        if not is_exact(one, other.answer)
    ]
    said = [await run.map(partial(_judge, run), some) for some in (right, wrong)]
    return JudgeTrial(
        right=len(right),
        called_right=sum(mark.verdict == RIGHT for mark in said[0]),
        wrong=len(wrong),
        let_through=sum(mark.verdict != WRONG for mark in said[1]),
    )


def _make_score(
    run: Run,
    name: str,
    plain: bool,
    questions: Sequence[ExamQuestion],
    replies: Sequence[str],
    marks: Sequence[Mark],
    trial: JudgeTrial | None,
) -> Score:
    unjudged = [Mark("", "")] * len(questions)
    answers = tuple(
        Answer(
            uuid=one.uuid,
            part=one.part,
            question=one.question,
            answer=one.answer,
            reply=reply,
            exact=is_exact(one, reply),
            verdict=mark.verdict,
            reason=mark.reason,
        )
        for one, reply, mark in zip(questions, replies, marks or unjudged, strict=True)
    )
    config = run.config
    role = config.models.steps.get(JUDGE_EXAM_ANSWER.name, JUDGE_EXAM_ANSWER.role)
    judge = _name_model(config.models.of(role)) if marks else ""
    prompt = load_prompt(ANSWER_EXAM.name, config.path.prompt_folders, config.system.use_filenames)
    return Score(
        model=name,
        fingerprint=run.engines.of(EXAMINED).fingerprint,
        prompt=prompt.hash,
        plain=plain or config.system.completion_mode,
        judge=judge,
        trial=trial,
        notes=_say_limits(judge, trial),
        answers=answers,
    )


def _say_limits(judge: str, trial: JudgeTrial | None) -> tuple[str, ...]:
    """Return what the figures do not show."""
    notes = [
        "Exact means that a reply has the figures, names and most words of the answer: a right "
        "answer in quite other words does not count, and one with no figure or name may by chance.",
        "Questions and answers were written and vetted by models; some are wrong, for every model "
        "alike. Compare models, on the same questions, before you read a share by itself.",
    ]
    if judge:
        notes.append(
            f"The judge is {judge}. It saw each question's source, and sees what is written there: "
            "a reply that is right in another way is wrong to it, and it may share the faults of "
            "the model that wrote the questions."
        )
    if trial and trial.right:
        notes.append(
            f"Of {trial.right} right answers it called {trial.called_right} right "
            f"({describe_share(trial.called_right, trial.right)}); of {trial.wrong} answers to "
            f"other questions it let {trial.let_through} through as right or partly right "
            f"({describe_share(trial.let_through, trial.wrong)}). Near misses are "
            "harder than those."
        )
    return tuple(notes)


def _name_model(model: Model) -> str:
    return Path(model.gguf).name if model.gguf else model.model or "the model behind a server"
