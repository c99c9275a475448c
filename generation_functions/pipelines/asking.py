"""The steps that ask for an answer: several questions of the answer alone, and what answers each.

A question written beside its answer, with the whole text in view, is where small models go wrong
most: they ask for something near it. Of the answer alone they can ask for nothing else. And what
they ask first is often not the best: here they ask several, and code tells which is bound most
closely to the answer. Some then ask for what they say themselves ("What are the most promising
targets for warehouses?" where warehouses are the targets): the words of the answer that answer
the question show it, for these have to be new.
"""

import re
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from itertools import pairwise

from generation_functions.errors import Unparsable
from generation_functions.pipelines.amounts import known_amounts
from generation_functions.pipelines.malformed import is_malformed, tells_order
from generation_functions.pipelines.naming import names_author
from generation_functions.pipelines.question_steps import check_script
from generation_functions.pipelines.question_words import list_words
from generation_functions.pipelines.reasons import gives_reason
from generation_functions.pipelines.roots import find_roots
from generation_functions.records import QAPair, make_uuid
from generation_functions.steps.step import Step, write_literal

MOST_BOUND = 0.6  # share of an answer's roots; a question that has more of them tells too much
MOST_SAID = 4  # roots of the answer; of questions with more the first is the best
FOREIGN = 2  # roots of the answer that one which the answer lacks outweighs
FEW_ROOTS = 4  # an answer with no more cannot be asked about alone ("Oak.")
LEAST_SAID = 2  # roots of the answer that a question has, besides the name of its source
TURNED = 1  # roots of the answer that a change of their order outweighs
LEAST_BOND = -1.0  # where more of a question is foreign, it asks for something else

# Words that ask, and tell of nothing that an answer has to have.
_ASKING = find_roots(
    "happen happens kind type sort way effect consequence purpose reason result outcome aim name"
    " example thing something somebody people person done do advice advise order according"
)
_QUESTION = re.compile(r"^Question: (.*\S)", re.MULTILINE)
_SPAN = re.compile(r"^\d: (.+)$", re.MULTILINE)
_MEANS = re.compile(r"\b(?:by (?:\w+ly )?\w+ing|using|by means of)\b", re.IGNORECASE)
_STATEMENT = re.compile(r"\b(?:statement|(?:instructions?|advice) given)\b", re.IGNORECASE)
_ASKS_FOR = re.compile(
    r"(?:\w+ )?(?:what|which|who|whom|whose|where|when|how|why)\b", re.IGNORECASE
)
# With what an order begins that tells nothing of what is to be done: "See that ...".
_URGING = find_roots("see sure ensure try attempt remember let avoid use make keep")
_ADVISES = re.compile(r"\badvises?\b")
_ADVISED = re.compile(r"\badvis|\baccording to\b", re.IGNORECASE)
_ACCORDING_TO = re.compile(r"\baccording to ([^,?]+)", re.IGNORECASE)
_WHEN = r"(?:when|if|where|once|after|before|while|unless|until)\b"
_WHEN_ASKED = re.compile(rf"\b{_WHEN} (.+?)(?= to\b|[,;?])", re.IGNORECASE)
_WHEN_TOLD = re.compile(
    rf"(?:[^“]* advises?: “)?({_WHEN}[^,]*(?:, {_WHEN}[^,]*)*),(.*)", re.IGNORECASE | re.DOTALL
)
_ON_CONDITION = re.compile(r"\b(?:until|unless|only (?:when|if|where|after))\b", re.IGNORECASE)
_BEHIND = re.compile(r",? according to [^?]*(?=\?)", re.IGNORECASE)
_ASKS_HOW = re.compile(r"(?:Where|When|Why|How|(?:In|To|For|With|From) what)\b")
_LINKS = frozenset("a an and are be is it of the their was were will".split())
_WORDS = re.compile(r"[\w’'-]+")
_ABOUT = re.compile(r"\b(?:with|to|about|for|from|of|on|in|at) (?:[\w'’-]+ ){0,2}[\w'’-]+\?$")
_ALWAYS = "What Which Who Whose When Where In To From For On At Under".split()
_AMOUNTS = [f"How {word}" for word in "many much long far often large old high soon".split()]


def _openings(answer: str) -> list[str]:
    """Return the words that its questions may begin with: no "why" where no reason is given."""
    openings = list(_ALWAYS)
    if known_amounts(answer):
        openings += _AMOUNTS
    if _MEANS.search(answer):
        openings.append("How")
    if gives_reason(answer):
        openings.append("Why")
    return openings


def _rules(pair: QAPair) -> Mapping[str, str]:
    if pair.chunk.language != "english":
        return {}
    openings = " | ".join(write_literal(f"{word} ") for word in _openings(pair.answer))
    own = " | ".join(map(write_literal, list_words(pair.answer)))
    return {"opening": openings, "own": own}


def _parse(pair: QAPair, reply: str) -> tuple[QAPair, ...]:
    asked = dict.fromkeys(_QUESTION.findall(reply))
    if not asked:
        raise Unparsable("no question in the reply")
    for question in asked:
        check_script(question, pair.chunk)
    bound = [question for question in asked if is_bound(question, pair)]
    if not bound:
        raise Unparsable("no question that is bound to its answer")
    bound.sort(key=lambda question: -_rate(question, pair.answer))
    return tuple(
        replace(pair, uuid=make_uuid(pair.chunk.uuid, question, pair.answer), question=question)
        for question in bound
    )


def _rate(question: str, answer: str) -> float:
    return measure_bond(question, answer) - TURNED * count_turned(question, answer)


def is_bound(question: str, pair: QAPair) -> bool:
    """Whether a question has enough of the pair's answer, and little that this lacks.

    It keeps whose view that is, and does not speak of the answer as a statement.
    """
    if _STATEMENT.search(question) and not _STATEMENT.search(pair.answer):
        return False
    source = pair.chunk.source
    if names_author(pair.answer, source) and not names_author(question, source):
        return False
    if is_malformed(question, pair.answer) or _says_twice(question):
        return False
    if not _names_enough(question, pair) or not _leaves_to_tell(question, pair):
        return False
    if _ADVISES.search(pair.answer) and not _ADVISED.search(question):
        return False
    if _names_other_authority(question, pair):
        return False
    if _asks_of_other_time(question, pair.answer):
        return False
    return measure_bond(question, pair.answer) >= LEAST_BOND


def _leaves_to_tell(question: str, pair: QAPair) -> bool:
    """Whether the answer tells anything that a question for something does not say already.

    Of an order that is told its source's name is no answer.
    """
    if not _ASKS_FOR.match(question):
        return True
    named = find_roots(pair.chunk.source) if tells_order(pair.answer) else frozenset()
    return bool(find_roots(pair.answer) - find_roots(question) - named - _ASKING - _URGING)


def _names_other_authority(question: str, pair: QAPair) -> bool:
    """Whether a question asks what is so "according to" somebody else than source and answer."""
    named = _ACCORDING_TO.search(question)
    if not named or "according" in pair.answer:
        return False
    return not find_roots(named[1]) <= find_roots(pair.chunk.source)


def _asks_of_other_time(question: str, answer: str) -> bool:
    """Whether a question asks what is so "when" something is that the answer has elsewhere than
    in the "when" with which it begins itself."""
    asked, told = _WHEN_ASKED.search(question, 1), _WHEN_TOLD.match(answer)
    if not asked or not told:
        return False
    if _ON_CONDITION.search(told[2]):
        return False
    words, begins, goes_on = (
        set(_WORDS.findall(text.lower())) - _LINKS for text in (asked[1], *told.groups())
    )
    said = len(words & begins)
    return said < len(words & goes_on) and 2 * said <= len(begins)


def _says_twice(question: str) -> bool:
    """Whether a question says two words again ("... the oil pump if the oil pump is closed?")."""
    said = Counter(_list_roots(question))
    return sum(count > 1 for root, count in said.items() if root not in _ASKING) > 1


def _names_enough(question: str, pair: QAPair) -> bool:
    """Whether a question says what it is about: not only "What does Ida Brandt advise doing?".

    That takes two roots of the answer besides the source's name, or one where the question ends
    with it ("... advise doing with mail?"), asks for more than a thing ("Where ...?") or the answer
    has few: of an order that is told two.
    """
    named = find_roots(pair.chunk.source)
    told = find_roots(pair.answer) - named - _ASKING
    said = find_roots(question) & told
    few = LEAST_SAID if tells_order(pair.answer) else FEW_ROOTS
    if len(said) >= LEAST_SAID or (said and len(told) <= few):
        return True
    if said and _ASKS_HOW.match(question):
        return True
    about = _ABOUT.search(_BEHIND.sub("", question))
    return bool(about and said & find_roots(about[0]))


def is_terse(answer: str) -> bool:
    """Whether an answer tells too little by itself for a question to be made of it alone."""
    return len(find_roots(answer)) <= FEW_ROOTS


def measure_bond(question: str, answer: str) -> float:
    """Return how closely a question is bound to its answer: by the roots that both have.

    What the answer lacks counts against it, but for words that only ask. What goes beyond
    MOST_BOUND and MOST_SAID does not count, nor do figures: to ask for them is worth more than to
    tell them.
    """
    asked, told = (_without_figures(find_roots(text)) for text in (question, answer))
    common = min(len(asked & told), MOST_BOUND * len(told), MOST_SAID)
    return common - FOREIGN * len(asked - told - _ASKING)


def count_turned(question: str, answer: str) -> int:
    """Return how often a word of the question is followed by one that the answer has before it.

    "What will happen to gasoline when it burns with the engine?" is hardly answered by "As it burns
    with the gasoline, it will mire the engine".
    """
    told = _list_roots(answer)
    places = [told.index(root) for root in _list_roots(question) if root in told]
    return sum(after < before for before, after in pairwise(places))


def _list_roots(text: str) -> list[str]:
    return [root for word in text.split() for root in sorted(find_roots(word))]


def _without_figures(roots: Set[str]) -> set[str]:
    return {root for root in roots if not root[0].isdigit()}


ASK_QUESTION: Step[QAPair, tuple[QAPair, ...]] = Step(
    "ask_question",
    lambda pair: {"answer": pair.answer},
    _parse,
    _rules,
    replaces=("opening",),
    offers=("own",),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer with questions that were made of it."""

    answer: str
    questions: tuple[str, ...]

    @property
    def uuid(self) -> str:
        return make_uuid("asked", self.answer, *self.questions)


def _span_rules(asked: Asked) -> Mapping[str, str]:
    numbers = range(1, len(asked.questions) + 1)
    return {"spans": ' "\\n" '.join(f'"{number}: " span' for number in numbers)}


def _parse_spans(asked: Asked, reply: str) -> tuple[str, ...]:
    """Return what answers each question; "" where the question says that itself."""
    spans = _SPAN.findall(reply)
    if len(spans) != len(asked.questions):
        raise Unparsable("not a line for each question")
    told = find_roots(asked.answer)
    return tuple(
        span if find_roots(span) & told - find_roots(question) else ""
        for question, span in zip(asked.questions, spans, strict=True)
    )


ANSWER_BRIEFLY: Step[Asked, tuple[str, ...]] = Step(
    "answer_briefly",
    lambda asked: {"answer": asked.answer, "questions": asked.questions},
    _parse_spans,
    _span_rules,
    replaces=("spans",),
)
