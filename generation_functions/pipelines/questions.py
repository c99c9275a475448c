"""From a chunk to vetted question-answer pairs: judge, write, three checks, make it stand alone."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from generation_functions.documents.sentences import number_sentences
from generation_functions.errors import Rejected, Unparsable
from generation_functions.pipelines.wording import (
    asks_about_text,
    content_words,
    coverage,
    find_unclear,
    names,
    numbers,
    strange_script,
)
from generation_functions.records import Chunk, QAPair, make_uuid
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step, write_literal

UNWORTHY = (
    "contents list",
    "licence or imprint",
    "captions or references",
    "exercises",
    "no facts",
)

_PAIR = re.compile(r"Sentences: ([\d, ]+)\nAnswer: (.+)\nQuestion: (.+)")
_EXERCISE = re.compile(r"\?|\b(?:exercises?|problems?|find|calculate|solve|prove|name)\b", re.I)
_REWORDED = re.compile(r"reword\nQuestion: (.+)\nAnswer: (.+)")


@dataclass(frozen=True, slots=True)
class QuestionRequest:
    """A chunk to write at most `most` pairs about."""

    chunk: Chunk
    most: int

    @property
    def uuid(self) -> str:
        return self.chunk.uuid


def show_chunk(chunk: Chunk) -> str:
    """Return the chunk as prompts show it: a numbered sentence a line."""
    sentences = enumerate(number_sentences(chunk.text, chunk.language), start=1)
    return "\n".join(f"[{number}] {' '.join(sentence.split())}" for number, sentence in sentences)


def find_ungrounded(pair: QAPair, use_filenames: bool = True) -> str | None:
    """Return what words and numbers alone tell against a pair, or None.

    Small models carry over words and numbers from a prompt's examples; those are not in
    the chunk. Without `use_filenames` the names in its source count for such words too.
    """
    source, text = pair.chunk.source, pair.chunk.text
    known = f"{source}\n{text}" if use_filenames else text
    asked, told = content_words(pair.question), content_words(pair.answer)
    if numbers(f"{pair.question} {pair.answer}") - numbers(known):
        return "a number that the text does not have"
    if coverage(told, known) < 0.5 or coverage(asked, known) < 0.3:
        return "not in the words of the text"
    if asks_about_text(pair.question):
        return "asks about the text, not its subject"
    if told <= asked and coverage(asked, pair.answer) > 0.8:
        return "answer only repeats the question"
    named = content_words(" ".join(names(f"{pair.question} {pair.answer}")))
    if not use_filenames and named & (content_words(source) - content_words(text)):
        return "names the document"
    return None


def read_verdict(reply: str) -> str:
    """Return what follows "Verdict: " at the start of a line, to the end of the reply."""
    _, found, verdict = f"\n{reply}".partition("\nVerdict: ")
    if not found:
        raise Unparsable("no verdict")
    return verdict.strip()


def _parse_judgement(chunk: Chunk, reply: str) -> bool:
    verdict = read_verdict(reply)
    if verdict == "facts":
        return True
    if verdict in UNWORTHY:
        raise Rejected(verdict)
    raise Unparsable("unknown verdict")


def _parse_check(pair: QAPair, reply: str) -> bool:
    verdict, _, reason = read_verdict(reply).partition("\nReason: ")
    if verdict not in ("yes", "no") or (verdict == "yes" and reason):
        raise Unparsable("unknown verdict")
    return verdict == "yes"


def _parse_pairs(request: QuestionRequest, reply: str) -> tuple[QAPair, ...]:
    if strange_script(reply, request.chunk.text + request.chunk.source):
        raise Unparsable("letters of another script")
    sentences = number_sentences(request.chunk.text, request.chunk.language)
    pairs: dict[tuple[frozenset[str], frozenset[str]], QAPair] = {}
    for cited, answer, question in _PAIR.findall(reply):
        named = {int(number) for number in re.findall(r"\d+", cited)}
        chosen = tuple(sorted(number for number in named if 1 <= number <= len(sentences)))
        question, answer = question.strip(), answer.strip()
        if not (chosen and content_words(question) and answer):
            continue
        sameness = (frozenset(content_words(question)), frozenset(numbers(question)))
        pair = QAPair(
            uuid=make_uuid(request.chunk.uuid, question, answer),
            question=question,
            answer=answer,
            sentences=chosen,
            quote=" ".join(sentences[number - 1].strip() for number in chosen),
            chunk=request.chunk,
        )
        pairs.setdefault(sameness, pair)
    if not pairs:
        raise Unparsable("no pair in the reply")
    return tuple(pairs.values())[: request.most]


def _parse_revision(pair: QAPair, reply: str) -> QAPair:
    verdict = read_verdict(reply)
    if verdict == "fail":
        raise Rejected("does not stand alone")
    if verdict != "pass":
        reworded = _REWORDED.fullmatch(verdict)
        if reworded is None:
            raise Unparsable("unknown verdict")
        pair = _reword(pair, *reworded.groups())
    if find_unclear(pair.question, pair.answer):
        raise Rejected("points at the text")
    return pair


def _reword(pair: QAPair, question: str, answer: str) -> QAPair:
    question, answer = question.strip(), answer.strip()
    if strange_script(question + answer, pair.chunk.text + pair.chunk.source):
        raise Unparsable("letters of another script")
    if (question, answer) == (pair.question, pair.answer):
        return pair
    return QAPair(
        uuid=make_uuid(pair.uuid, question, answer),
        question=question,
        answer=answer,
        sentences=pair.sentences,
        quote=pair.quote,
        chunk=pair.chunk,
    )


def _judgement_rules(chunk: Chunk) -> Mapping[str, str]:
    """Leave out verdicts that the text's form rules out; small models are too fond of them.

    Exercises ask or give a sum to do. A contents list is no prose: few of its lines end
    as a sentence does.
    """
    sentences = number_sentences(chunk.text, chunk.language)
    ended = sum(sentence.rstrip("\"'”’)]_*").endswith((".", "!", "?")) for sentence in sentences)
    possible = ["facts", *UNWORTHY]
    if not _EXERCISE.search(chunk.text):
        possible.remove("exercises")
    if ended > len(sentences) / 2:
        possible.remove("contents list")
    return {"verdict": " | ".join(write_literal(verdict) for verdict in possible)}


def _pair_rules(request: QuestionRequest) -> Mapping[str, str]:
    sentences = {
        number: " ".join(sentence.split())
        for number, sentence in enumerate(
            number_sentences(request.chunk.text, request.chunk.language), start=1
        )
    }
    quotes = [
        write_literal(f"{number}\nAnswer: {sentence}")
        for number, sentence in sentences.items()
        if sentence[-1:] in ".!?" and 8 <= len(sentence.split()) <= 45
    ]
    more = f'("\\n\\n" pair){{0,{request.most - 1}}}' if request.most > 1 else '""'
    allowed = " | ".join(f'"{number}"' for number in sentences)
    return {"number": allowed, "more": more, "verbatim": " | ".join(quotes) or "number"}


def _revision_fields(pair: QAPair) -> dict[str, Any]:
    return {
        "source": pair.chunk.source,
        "chunk": show_chunk(pair.chunk),
        "question": pair.question,
        "answer": pair.answer,
        "pointers": find_unclear(pair.question, pair.answer),
    }


def _revision_rules(pair: QAPair) -> Mapping[str, str]:
    """A pair with words that code knows to be unclear may not pass as it is."""
    unclear = find_unclear(pair.question, pair.answer)
    return {"verdict": '"fail" | reworded'} if unclear else {}


def _fields(*wanted: str) -> Callable[[QAPair], dict[str, Any]]:
    return lambda pair: (
        {"chunk": show_chunk(pair.chunk)} | {name: getattr(pair, name) for name in wanted}
    )


JUDGE_CHUNK: Step[Chunk, bool] = Step(
    "judge_chunk", lambda chunk: {"chunk": show_chunk(chunk)}, _parse_judgement, _judgement_rules
)
WRITE_QUESTIONS: Step[QuestionRequest, tuple[QAPair, ...]] = Step(
    "write_questions",
    lambda request: {
        "source": request.chunk.source,
        "chunk": show_chunk(request.chunk),
        "most": request.most,
    },
    _parse_pairs,
    _pair_rules,
)
CHECK_QUESTION: Step[QAPair, bool] = Step("check_question", _fields("question"), _parse_check)
CHECK_ANSWER_RELEVANCE: Step[QAPair, bool] = Step(
    "check_answer_relevance", _fields("question", "answer"), _parse_check
)
CHECK_ANSWER_ACCURACY: Step[QAPair, bool] = Step(
    "check_answer_accuracy", _fields("question", "answer"), _parse_check
)
REVISE_PAIR: Step[QAPair, QAPair] = Step(
    "revise_pair", _revision_fields, _parse_revision, _revision_rules
)

CHECKS = (
    (CHECK_QUESTION, "question is not answered by the text"),
    (CHECK_ANSWER_RELEVANCE, "answer leaves the question or the text"),
    (CHECK_ANSWER_ACCURACY, "answer disagrees with the text"),
)


async def ask_about_chunk(run: Run, chunk: Chunk) -> tuple[QAPair, ...]:
    """Return the pairs made from `chunk` that are true, to the point and stand alone."""
    if not run.config.system.skip_filter_chunks:
        await run.ask(JUDGE_CHUNK, chunk)
    chunk = run.keep("worthy_for_questions", chunk)
    request = QuestionRequest(chunk, run.config.questions.max_questions)
    written = await run.ask(WRITE_QUESTIONS, request)
    return tuple(await run.map(partial(refine, run), written, "pairs"))


async def refine(run: Run, pair: QAPair) -> QAPair:
    """Vet the pair, make it stand alone, and vet it again if that changed it."""
    await vet(run, pair)
    pair = run.keep("qatuples_raw", pair)
    revised = await run.ask(REVISE_PAIR, pair)
    if revised != pair:
        await vet(run, revised)
    return run.keep("qatuples_revised", revised)


async def vet(run: Run, pair: QAPair) -> None:
    """Raise Rejected unless the pair is grounded in its chunk and wins all three votes."""
    ungrounded = find_ungrounded(pair, run.config.system.use_filenames)
    if ungrounded:
        run.count("grounding", pair.uuid, rejected=ungrounded)
        raise Rejected(ungrounded)
    run.count("grounding", pair.uuid)
    for check, reason in CHECKS:
        if not await run.vote(check, pair):
            raise Rejected(reason)
