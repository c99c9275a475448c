"""The step that asks for an answer: the question is made of the answer alone.

A question written beside its answer, with the whole text in view, is where small models go wrong
most: they ask for something near it. Of the answer alone they can ask for nothing else.
"""

import re
from dataclasses import dataclass, replace

from generation_functions.errors import Unparsable
from generation_functions.pipelines.question_steps import check_script
from generation_functions.pipelines.roots import find_roots
from generation_functions.records import QAPair, make_uuid
from generation_functions.steps.step import Step

_QUESTION = re.compile(r"Question: (.+\S)")


@dataclass(frozen=True, slots=True)
class Asking:
    """A pair that is to have another question: for the first time, or for the `problem` of its own.

    `tried` are the questions that it had before.
    """

    pair: QAPair
    problem: str = ""
    tried: tuple[str, ...] = ()

    @property
    def uuid(self) -> str:
        return make_uuid(self.pair.uuid, "asking", *self.tried, self.problem)


def _parse(asking: Asking, reply: str) -> QAPair:
    found = _QUESTION.fullmatch(reply.strip())
    if found is None:
        raise Unparsable("no question in the reply")
    pair, question = asking.pair, found[1]
    check_script(question, pair.chunk)
    if not find_roots(question) & find_roots(pair.answer):
        raise Unparsable("a question that has nothing of its answer")
    if question in asking.tried:
        raise Unparsable("the same question again")
    return replace(pair, uuid=make_uuid(pair.chunk.uuid, question, pair.answer), question=question)


ASK_QUESTION: Step[Asking, QAPair] = Step(
    "ask_question",
    lambda asking: {
        "answer": asking.pair.answer,
        "problem": asking.problem,
        "tried": asking.tried,
    },
    _parse,
)
