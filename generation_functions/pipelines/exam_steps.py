"""The steps of an exam: questions with short answers, a candidate's reply, the judge's verdict."""

import re
from dataclasses import dataclass, replace
from typing import Any

from generation_functions.documents.sentences import number_sentences
from generation_functions.errors import Unparsable
from generation_functions.pipelines.question_steps import (
    WRITE_QUESTIONS,
    QuestionRequest,
    read_pairs,
    read_verdict,
    show_chunk,
)
from generation_functions.pipelines.roots import find_roots
from generation_functions.records import Chunk, QAPair, make_uuid
from generation_functions.steps.step import Step

TAUGHT, HELD_OUT = "taught", "held_out"
PARTS = (TAUGHT, HELD_OUT)
RIGHT, PARTLY, WRONG = "right", "partly", "wrong"
VERDICTS = (WRONG, PARTLY, RIGHT)  # the worst first
EXAMINED = "examined"  # the role of the model that sits the exam
MOST_WORDS = 12  # of a short answer

_ONE_STOP = re.compile(r"([^.]{3,})\.")


@dataclass(frozen=True, slots=True)
class ExamQuestion:
    """A question that no row asks, with its short answer; `part` is one of PARTS.

    `sentences` of the chunk, counted from 1, are what the answer rests on, and `quote` their words;
    the judge sees the whole `chunk`.
    """

    uuid: str
    part: str
    question: str
    answer: str
    sentences: tuple[int, ...]
    quote: str
    chunk: Chunk

    @classmethod
    def of(cls, pair: QAPair, part: str) -> "ExamQuestion":
        """Return a vetted pair as a question of the exam."""
        uuid = make_uuid(pair.uuid, part)
        said = (pair.question, pair.answer, pair.sentences, pair.quote)
        return cls(uuid, part, *said, pair.chunk)


@dataclass(frozen=True, slots=True)
class Marking:
    """A reply to be judged for the `number`-th time, counted from 0."""

    question: ExamQuestion
    reply: str
    number: int = 0

    @property
    def uuid(self) -> str:
        return make_uuid(self.question.uuid, "reply", self.reply, str(self.number))


@dataclass(frozen=True, slots=True)
class Mark:
    """What a judge says of a reply: one of VERDICTS, and why."""

    verdict: str
    reason: str


def is_short(pair: QAPair) -> bool:
    """Whether an answer has few words, and says something that its question does not."""
    own = find_roots(pair.answer) - find_roots(pair.question)
    return bool(own) and len(pair.answer.split()) <= MOST_WORDS


def _parse_exam(request: QuestionRequest, reply: str) -> tuple[QAPair, ...]:
    """Return the pairs with a short answer, which has no full stop behind it."""
    pairs = [_end_short(pair) for pair in read_pairs(request.chunk, reply)]
    short = [pair for pair in pairs if is_short(pair)]
    if not short:
        raise Unparsable("no short answer in the reply")
    return tuple(short[: request.most])


def _end_short(pair: QAPair) -> QAPair:
    ended = _ONE_STOP.fullmatch(pair.answer)
    return replace(pair, answer=ended[1]) if ended else pair


def _exam_fields(request: QuestionRequest) -> dict[str, Any]:
    shown = dict(WRITE_QUESTIONS.fields(request))
    del shown["left_out"]  # nothing is asked again
    return shown


def _parse_reply(question: ExamQuestion, reply: str) -> str:
    """Return the first line that says something. Raises Unparsable where there is none."""
    lines = (line.strip() for line in reply.splitlines())
    found = next(filter(None, lines), "")
    if not found:
        raise Unparsable("nothing in the reply")
    return found


def _parse_mark(marking: Marking, reply: str) -> Mark:
    verdict, _, reason = read_verdict(reply).partition("\nReason: ")
    if verdict not in VERDICTS:
        raise Unparsable("unknown verdict")
    return Mark(verdict, reason.strip())


def show_plan(chunk: Chunk, numbers: tuple[int, ...]) -> str:
    """Return sentences, by their numbers from 1, as the plan of a request."""
    texts = number_sentences(chunk.text, chunk.language)
    return "\n".join(f"{number}: {' '.join(texts[number - 1].split())}" for number in numbers)


WRITE_EXAM_QUESTIONS: Step[QuestionRequest, tuple[QAPair, ...]] = Step(
    "write_exam_questions",
    _exam_fields,
    _parse_exam,
    WRITE_QUESTIONS.rules,
    parts=WRITE_QUESTIONS.parts,
    replaces=("more", "number", "numbers"),
    offers=WRITE_QUESTIONS.offers,
    labels=("Sentences", "Answer", "Question"),
)
ANSWER_EXAM: Step[ExamQuestion, str] = Step(
    "answer_exam",
    lambda question: {"question": question.question},
    _parse_reply,
    role=EXAMINED,
)
JUDGE_EXAM_ANSWER: Step[Marking, Mark] = Step(
    "judge_exam_answer",
    lambda marking: {
        "chunk": show_chunk(marking.question.chunk),
        "question": marking.question.question,
        "answer": marking.question.answer,
        "reply": marking.reply,
    },
    _parse_mark,
    role="large",
    labels=("Verdict", "Reason"),
)
EXAM_STEPS = (WRITE_EXAM_QUESTIONS, ANSWER_EXAM, JUDGE_EXAM_ANSWER)
