"""The steps that write a wrong answer and its correction, or a doubt that is not justified."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from generation_functions.documents.sentences import number_sentences
from generation_functions.errors import Rejected, Unparsable
from generation_functions.pipelines.amounts import amounts, known_amounts
from generation_functions.pipelines.answer_kinds import fits_kind
from generation_functions.pipelines.doubt_copies import KNOWING, keep_firm, keep_wrong
from generation_functions.pipelines.pair_checks import find_problem
from generation_functions.pipelines.premises import tells
from generation_functions.pipelines.question_steps import check_script, show_chunk
from generation_functions.pipelines.roots import find_roots
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.wording import find_pointers
from generation_functions.records import QAPair, make_uuid
from generation_functions.steps.step import NOTHING, Step, write_literal

# How a user doubts; of those to whom they are given: of a wrong answer, of a right one, of both.
DOUBTS = (
    "asks whether that is really so",
    "says that it does not sound right, without a reason",
    "politely asks the other to think it over once more",
    "says in a few words that it is wrong",
    "has read something else, and does not remember what",
    "wonders where the other has that from",
    "gives a reason why it can hardly be so",
)
OF_WRONG = (*DOUBTS, "knows what is right, and says it")
OF_RIGHT = (*DOUBTS, "believes something else, and says what")
# By which rule a grammar that keeps an answer's words has each of them; a reason is none of these.
_RULES = ("asking", "doubting", "begging", "denying", "reading", "tracing", "doubting", KNOWING)
Keeper = Callable[[QAPair, str], str]
MOST_GIVEN = 0.6  # share of the right answer's own words that a doubt may have

_LABELS = re.compile(r"Changed: (.+)\nWrong: (.+)\nDoubt: (.+)\nAdmits: (.+)")
_FIRM = re.compile(r"Doubt: (.+)\nStays: (.+)\nAnswer: (.+)")
_ADMITS = re.compile(
    r"\b(?:right to|you(?:['’]re| are) right|correct(?:ed|ion)?|mistak\w+|wrong\w*|errors?|erred"
    r"|sorry|apolog\w+|misspoke|misremember\w*|mixed up|confus\w+|incorrect\w*|inaccura\w+|slip"
    r"|thank\w*|not (?:so|true|what))\b",
    re.IGNORECASE,
)
_GIVES_IN = re.compile(
    r"\b(?:you(?:['’]re| are) (?:quite |absolutely )?right|sorry|apolog\w+|my (?:mistake|error)"
    r"|i (?:was|am) (?:wrong|mistaken)|i (?:erred|misspoke)|stand corrected)\b"
    r"|\bi['’]m (?:wrong|mistaken)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class DoubtRequest:
    """A vetted pair whose answer is to be doubted in a `manner`.

    `refused` is an answer that was written for it and was no use, the `number`th; "" at first.
    """

    pair: QAPair
    manner: str
    refused: str = ""
    number: int = 0

    @property
    def uuid(self) -> str:
        again = (str(self.number), self.refused) if self.number else ()
        return make_uuid(self.pair.uuid, "doubt", self.manner, *again)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong answer, the doubt that it meets, and the sentence that admits it."""

    wrong: str
    doubt: str
    admits: str


@dataclass(frozen=True, slots=True)
class Stand:
    """A doubt of a right answer, and what is said to it: a sentence, and the answer again."""

    doubt: str
    stays: str
    answer: str


def make_claim(pair: QAPair, answer: str) -> QAPair:
    """Return a pair with another answer, as checks look at it."""
    uuid = make_uuid(pair.uuid, "claim", answer)
    return replace(pair, uuid=uuid, answer=answer)


def find_difference(pair: QAPair, wrong: str) -> str:
    """Return why code alone cannot take an answer for a wrong one; "" where it can."""
    if not fits_kind(pair.question, wrong):
        return "does not give what the question asks for"
    if find_roots(wrong) == find_roots(pair.answer) and _words(wrong) == _words(pair.answer):
        return "is the right answer"
    sentences = number_sentences(pair.chunk.text, pair.chunk.language)
    if any(tells(one, wrong) for one in (*sentences, pair.answer, pair.quote)):
        return "is what the text says"
    told = amounts(pair.answer) - amounts(pair.question)
    if told and told <= known_amounts(wrong) and find_roots(wrong) <= find_roots(pair.answer):
        return "has the right figures"
    return ""


def _parse_mistake(request: DoubtRequest, reply: str) -> Mistake:
    """Raises Unparsable for an answer that is not wrong, and for what gives the right one away."""
    pair = request.pair
    _check_nothing(reply)
    found = _LABELS.fullmatch(reply.strip())
    if found is None:
        raise Unparsable("something is missing")
    check_script(reply, pair.chunk)
    _, wrong, doubt, admits = (one.strip() for one in found.groups())
    problem = find_difference(pair, wrong)
    if problem or wrong == request.refused:
        raise Unparsable(f"the wrong answer {problem or 'was refused before'}")
    _check_pointers(wrong, doubt, admits)
    if request.manner != OF_WRONG[-1] and _gives_away(pair, wrong, doubt):
        raise Unparsable("the doubt gives the right answer away")
    if pair.chunk.language == "english" and not _ADMITS.search(admits):
        raise Unparsable("does not admit the mistake")
    if find_strange(admits, _known(pair, wrong), pair.chunk.language):
        raise Unparsable("what is admitted has facts of its own")
    return Mistake(wrong, doubt, admits)


def _parse_stand(request: DoubtRequest, reply: str) -> Stand:
    """Raises Unparsable for an answer that gives in, or that is not grounded as the first is."""
    pair = request.pair
    _check_nothing(reply)
    found = _FIRM.fullmatch(reply.strip())
    if found is None:
        raise Unparsable("something is missing")
    check_script(reply, pair.chunk)
    doubt, stays, answer = (one.strip() for one in found.groups())
    _check_pointers(doubt, stays, answer)
    if _GIVES_IN.search(f"{stays} {answer}"):
        raise Unparsable("gives in")
    if _words(answer) == _words(pair.answer):
        raise Unparsable("only says the same again")
    if find_strange(stays, _known(pair, doubt), pair.chunk.language):
        raise Unparsable("what is said to the doubt has facts of its own")
    problem = find_problem(make_claim(pair, answer))
    if problem:
        raise Unparsable(f"the answer given again: {problem.reason}")
    lost = amounts(pair.answer) - known_amounts(f"{answer} {pair.question}")
    if lost:
        raise Unparsable("the answer given again lacks a figure of the first")
    return Stand(doubt, stays, answer)


def _check_nothing(reply: str) -> None:
    """Raise Rejected where a grammar that keeps an answer's words left nothing to write."""
    if reply.strip() == NOTHING:
        raise Rejected("no contrary in the words of the answer")


def _check_pointers(*texts: str) -> None:
    for text in texts:
        if find_pointers(text):
            raise Unparsable("speaks of the text")


def _gives_away(pair: QAPair, wrong: str, doubt: str) -> bool:
    """Whether a doubt has the right figures, or most of the right answer's own words."""
    right = pair.answer
    figures = amounts(right) - known_amounts(f"{pair.question} {wrong}")
    if figures & known_amounts(doubt):
        return True
    own = find_roots(right) - find_roots(f"{pair.question} {wrong}")
    return bool(own) and len(own & find_roots(doubt)) > MOST_GIVEN * len(own)


def _known(pair: QAPair, more: str) -> str:
    chunk = pair.chunk
    return "\n".join((chunk.source, *chunk.headings, chunk.text, pair.question, more))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _fields(request: DoubtRequest) -> Mapping[str, str]:
    pair = request.pair
    return {
        "source": pair.chunk.source,
        "chunk": show_chunk(pair.chunk),
        "question": pair.question,
        "answer": pair.answer,
        "manner": request.manner,
        "refused": request.refused,
    }


def _keep(keep: Keeper, manners: Sequence[str], request: DoubtRequest) -> Mapping[str, str]:
    """The rule `kept` for grammars that keep an answer's words, in English."""
    if request.pair.chunk.language != "english" or request.manner not in manners:
        return {}
    rule = _RULES[manners.index(request.manner)]
    return {"kept": keep(request.pair, rule) or write_literal(NOTHING)}


WRITE_CORRECTION: Step[DoubtRequest, Mistake] = Step(
    "write_correction",
    _fields,
    _parse_mistake,
    partial(_keep, keep_wrong, OF_WRONG),
    role="large",
    own_words=True,
    offers=("kept",),
)
STAND_FIRM: Step[DoubtRequest, Stand] = Step(
    "stand_firm",
    _fields,
    _parse_stand,
    partial(_keep, keep_firm, OF_RIGHT),
    role="large",
    own_words=True,
    offers=("kept",),
)
