"""The steps that look at one pair: three checks, what makes it stand alone, and two repairs."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from generation_functions.errors import Faulty, Rejected, Unparsable
from generation_functions.pipelines.citing import cite
from generation_functions.pipelines.pair_checks import Problem
from generation_functions.pipelines.question_steps import (
    check_script,
    make_pair,
    narrow_to_quotes,
    read_pairs,
    read_sentences,
    read_verdict,
    show_chunk,
    tidy,
)
from generation_functions.pipelines.roots import find_roots
from generation_functions.pipelines.wording import find_pointers, find_unclear
from generation_functions.records import QAPair, make_uuid
from generation_functions.steps.step import Step, write_literal

NOT_ALONE = "does not stand alone"
POINTS = "points at the text"

_REWORDED = re.compile(r"reword\nQuestion: (.+)\nAnswer: (.+)")
_ANSWER = re.compile(r"Sentences: ([\d, ]+)\nAnswer: (.+)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One vote of a check, true when it is a yes; `reason` is the model's own, after a no."""

    passed: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.passed


@dataclass(frozen=True, slots=True)
class Repair:
    """A pair to be mended: what is wrong, which questions exist, the number of this repair."""

    pair: QAPair
    problem: Problem
    existing: tuple[str, ...]
    number: int

    @property
    def uuid(self) -> str:
        return make_uuid(self.pair.uuid, "repair", str(self.number), self.problem.told)


def tell_unclear(pair: QAPair, reason: str) -> Problem:
    """Return what is to be mended in a pair that does not stand alone.

    Where code knows no words of the question that are to blame, but some of the answer,
    another answer can do it.
    """
    phrases = find_unclear(pair.question, pair.answer)
    if not phrases:
        return Problem(reason, "Somebody without the text cannot understand it.", in_question=True)
    told = f"Somebody without the text cannot know what is meant by {_quote(phrases)}."
    return Problem(reason, told, in_question=bool(find_unclear(pair.question, "")))


def _quote(phrases: Sequence[str]) -> str:
    return ", ".join(f"“{phrase}”" for phrase in phrases)


def _parse_check(pair: QAPair, reply: str) -> Verdict:
    verdict, _, reason = read_verdict(reply).partition("\nReason: ")
    if verdict not in ("yes", "no") or (verdict == "yes" and reason):
        raise Unparsable("unknown verdict")
    return Verdict(verdict == "yes", reason)


def _parse_question_check(pair: QAPair, reply: str) -> Verdict:
    """Pass a pair if the words of the text that answer its question are also in its answer.

    An override's grammar may have no such words; then the verdict alone decides.
    """
    verdict, found, words = reply.partition("\nWords: ")
    if not found:
        return _parse_check(pair, reply)
    if read_verdict(verdict) != "yes":
        raise Unparsable("unknown verdict")
    if _tell_the_same(words, pair):
        return Verdict(True)
    return Verdict(False, f"The text answers: {words}")


def _tell_the_same(words: str, pair: QAPair) -> bool:
    """Whether the words of the text that answer a question are those that its answer rests on.

    Half of them are in the answer or its quote, and one of them the question does not say.
    """
    found, told = find_roots(words), find_roots(pair.answer)
    if not found:
        return True
    new = told - find_roots(pair.question) or told
    return bool(found & new) and 2 * len(found & (told | find_roots(pair.quote))) >= len(found)


def _parse_revision(pair: QAPair, reply: str) -> QAPair:
    verdict = read_verdict(reply)
    if verdict == "fail":
        raise Rejected(NOT_ALONE)
    if verdict != "pass":
        reworded = _REWORDED.fullmatch(verdict)
        if reworded is None:
            raise Unparsable("unknown verdict")
        pair = _reword(pair, *reworded.groups())
    if find_unclear(pair.question, pair.answer):
        raise Faulty(POINTS)
    return pair


def _reword(pair: QAPair, question: str, answer: str) -> QAPair:
    question, answer = question.strip(), tidy(answer, pair.chunk)
    check_script(question + answer, pair.chunk)
    if (question, answer) == (pair.question, pair.answer):
        return pair
    uuid = make_uuid(pair.uuid, question, answer)
    return replace(pair, uuid=uuid, question=question, answer=answer)


def _revision_fields(pair: QAPair) -> dict[str, Any]:
    return {
        "source": pair.chunk.source,
        "chunk": show_chunk(pair.chunk),
        "question": pair.question,
        "answer": pair.answer,
        "pointers": find_unclear(pair.question, pair.answer),
    }


def _revision_rules(pair: QAPair) -> Mapping[str, str]:
    """A pair with words that code knows to be unclear may not pass as it is.

    Only a pair that speaks of a text and its parts may fail: small models fail the others too,
    which can be put into other words.
    """
    phrases = find_unclear(pair.question, pair.answer)
    if not phrases:
        return {}
    about_text = find_pointers(pair.question) or find_pointers(pair.answer)
    unclear = write_literal(f"What is meant by {_quote(phrases)}.")
    return {"unclear": unclear, "verdict": '"fail" | reworded' if about_text else "reworded"}


def _repair_fields(repair: Repair, **more: Any) -> dict[str, Any]:
    """Return what a repair is told; not the old words, which small models only say again."""
    chunk = repair.pair.chunk
    told = {"source": chunk.source, "chunk": show_chunk(chunk), "problem": repair.problem.told}
    return {**told, **more}


def _parse_answer(repair: Repair, reply: str) -> QAPair:
    pair = repair.pair
    found = _ANSWER.fullmatch(reply.strip())
    chosen = read_sentences(pair.chunk, found[1]) if found else ()
    if found is None or not chosen:
        raise Unparsable("no answer in the reply")
    check_script(reply, pair.chunk)
    answer = tidy(found[2], pair.chunk)
    if answer == pair.answer:
        raise Unparsable("the same answer again")
    return cite(make_pair(pair.chunk, chosen, pair.question, answer))


def _parse_replacement(repair: Repair, reply: str) -> QAPair:
    pairs = read_pairs(repair.pair.chunk, reply)
    if not pairs:
        raise Unparsable("no pair in the reply")
    old, new = repair.pair, pairs[0]
    if new.question == old.question and (repair.problem.in_question or new.answer == old.answer):
        raise Unparsable("the same question again")
    return new


def _fields(*names: str) -> Callable[[QAPair], dict[str, Any]]:
    return lambda pair: (
        {"source": pair.chunk.source, "chunk": show_chunk(pair.chunk)}
        | {name: getattr(pair, name) for name in names}
    )


CHECK_QUESTION: Step[QAPair, Verdict] = Step(
    "check_question", _fields("question"), _parse_question_check
)
CHECK_ANSWER_RELEVANCE: Step[QAPair, Verdict] = Step(
    "check_answer_relevance", _fields("question", "answer"), _parse_check
)
CHECK_ANSWER_ACCURACY: Step[QAPair, Verdict] = Step(
    "check_answer_accuracy", _fields("question", "answer"), _parse_check
)
REVISE_PAIR: Step[QAPair, QAPair] = Step(
    "revise_pair",
    _revision_fields,
    _parse_revision,
    _revision_rules,
    replaces=("unclear", "verdict"),
)
REPAIR_ANSWER: Step[Repair, QAPair] = Step(
    "repair_answer",
    lambda repair: _repair_fields(repair, question=repair.pair.question),
    _parse_answer,
    lambda repair: narrow_to_quotes(repair.pair.chunk),
    replaces=("number",),
    offers=("advised", "verbatim"),
)
REPLACE_PAIR: Step[Repair, QAPair] = Step(
    "replace_pair",
    lambda repair: _repair_fields(repair, existing=[*repair.existing, repair.pair.question]),
    _parse_replacement,
    lambda repair: narrow_to_quotes(repair.pair.chunk),
    replaces=("number",),
    offers=("advised", "verbatim"),
)

# The check, why a pair is dropped that loses it, and whether its question is at fault.
VotedCheck = tuple[Step[QAPair, Verdict], str, bool]
CHECKS: tuple[VotedCheck, ...] = (
    (CHECK_QUESTION, "question is not answered by the text", True),
    (CHECK_ANSWER_RELEVANCE, "answer leaves the question or the text", False),
    (CHECK_ANSWER_ACCURACY, "answer disagrees with the text", False),
)
