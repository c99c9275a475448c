"""An English statement taken apart: of what it tells, its verb, and the rest."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from generation_functions.pipelines.question_words import is_verb
from generation_functions.pipelines.sentence_kinds import find_clause, is_order

LONGEST_SUBJECT = 7  # words
LONGEST = 30  # words of a statement that a question takes up whole

_VERB = "will|can|cannot|could|would|must|should|is|are|was|were"
_STATEMENT = re.compile(
    rf"(?P<subject>[A-Z0-9][^,;:()“”]*?(?<!\b[Aa])(?<!\b[Aa]n)(?<!\b[Tt]he)) "
    rf"(?P<verb>{_VERB}) (?P<rest>[^;:()“”]+)\."
)
# What makes a subject another one, or of several: "what he said is", "if there is".
_NO_SUBJECT = re.compile(
    r"\b(?:and so|which|that|who|whom|whose|what|if|when|whenever|where|wherever|while|as|once"
    r"|because|since|although|though|whilst|after|before|until|there|it|this|these|those|they|he|she|we|you|i"
    r"|such|so|nor|neither|not|never|no|none|nothing|nobody|all|some|many|most|any|anyone|anything"
    r"|each|every|few|several|both|either|only|also|again|then|here|following|sometimes|moreover|thus|however|\w+ly)\b",
    re.IGNORECASE,
)
_OPENS = re.compile(
    r"(?:about|above|according|after|along|among|as|at|below|beyond|like|near|upon|before|between|by|during|for|from|in|of|on|over|to|through"
    r"|under|until|with|within|without)\b",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    r"\b(?:but|nor|although|though|unless|not only|as well as)\b|, and\b|—|[.!?] "
    r"|\b(?:because|since|so that|in order)\b|\bthe same\b|, (?:it|they|he|she|this) "
    r"|\band (?:it|they|he|she|you|your|this|there|an?|the|is|are|was|were|has|have|had|can|will"
    r"|must|should) |, (?:as|for) "
)
_OFTEN = re.compile(r"(?:not only|of no|no|only|often|also|always|then|never|seldom|still|\w+ly)\b")
_ADVICE = re.compile(r"(?P<adviser>[^“]+) (?P<advise>advises?): “(?P<order>[^“”]+)”")
FORBIDS = re.compile(r"(?:do not|don[’']t|never) ", re.IGNORECASE)
_NO_BASE = frozenset("after always before do let never please remember see to try".split())
_DENIED = re.compile(r"\b(?:not|cannot|neither|nor|hardly)\b|n[’']t\b")
_NOT_ALONE = re.compile(r"\b(?:not only|than|also)\b")  # of which a denial says something else
_ANYONE = re.compile(r"(?:any|all|every|each|some|no)\w*\b|it\b", re.IGNORECASE)
_NEGATED = {"can": "cannot"}
# The first verb of a clause, with no other clause in its subject.
_FIRST_VERB = re.compile(
    rf"(?:(?!\b(?:which|that|who|whose|what|if|when|where|while|as|nobody|nothing|none|no)\b)[^;:“])+?"
    rf" (?P<verb>{_VERB})(?P<never> never\b)?(?= (?!not\b|only\b|also\b|often\b))"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """`subject` `verb` `rest`, a verb of the kind that may come before its subject."""

    subject: str
    verb: str
    rest: str

    @property
    def is_negated(self) -> bool:
        """Whether it says that something is not so."""
        return self.verb == "cannot" or self.rest.startswith("not ")


@dataclass(frozen=True, slots=True)
class Contrary:
    """What is not so, and a question that takes it for granted."""

    wrong: str
    question: str


def read_statement(sentence: str) -> Statement | None:
    """Return the parts of a statement of a single clause; None for any other sentence."""
    found = _STATEMENT.fullmatch(sentence)
    if not found or len(sentence.split()) > LONGEST:
        return None
    subject, verb, rest = found.group("subject", "verb", "rest")
    if (
        len(subject.split()) > LONGEST_SUBJECT
        or _NO_SUBJECT.search(subject)
        or _OPENS.match(subject)
    ):
        return None
    return None if _ANOTHER.search(rest) else Statement(subject, verb, rest)


def find_contrary(sentence: str, put_within: Callable[[str], str]) -> Contrary | None:
    """Return the contrary of a statement or of advice, or None; `put_within` returns a subject as
    it stands within a sentence."""
    told = read_statement(sentence)
    contrary = _contradict(told, put_within(told.subject)) if told else None
    return contrary or _contradict_advice(sentence)


def _contradict(told: Statement, subject: str) -> Contrary | None:
    if _OFTEN.match(told.rest):
        return None
    if told.rest.startswith(("see that ", "make sure that ")):
        return None
    if told.is_negated and "until" in told.rest:
        return None
    if told.is_negated:
        verb, rest = told.verb.removesuffix("not"), told.rest.removeprefix("not ")
        return Contrary(f"{told.subject} {verb} {rest}.", f"Why {verb} {subject} {rest}?")
    verb = _NEGATED.get(told.verb, f"{told.verb} not")
    return Contrary(
        f"{told.subject} {verb} {told.rest}.", f"Why {told.verb} {subject} not {told.rest}?"
    )


def deny(sentence: str) -> str | None:
    """Return a sentence with the first verb of its main clause denied, or what it denies by
    "never" told as so; None without such a verb."""
    if not sentence.endswith(".") or ". " in sentence or "“" in sentence:
        return None
    clause = find_clause(sentence)
    found = _FIRST_VERB.match(clause)
    if not found or found["verb"] == "cannot" or _DENIED.search(found[0]):
        return None
    if _NOT_ALONE.search(clause):
        return None
    if _OFTEN.match(clause[found.end() + 1 :]) or _ANYONE.match(clause):
        return None
    begun = sentence[: len(sentence) - len(clause)] + clause[: found.start("verb")]
    verb = found["verb"] if found["never"] else _NEGATED.get(found["verb"], f"{found['verb']} not")
    return begun + verb + clause[found.end() :]


def _contradict_advice(sentence: str) -> Contrary | None:
    """Return the contrary of what a source advises, a single order, or None."""
    found = _ADVICE.fullmatch(sentence)
    if not found or len(sentence.split()) > LONGEST:
        return None
    order = found["order"].rstrip(".!")
    if re.search(
        r"[.;:!?]|, for |\b(?:because|since)\b|\band (?:your|the|it|they|you|this) ", order
    ) or not is_order(order):
        return None
    forbids = FORBIDS.match(order)
    done = order[forbids.end() :] if forbids else order[:1].lower() + order[1:]
    first = done.split()[0].lower()
    if first in _NO_BASE or not is_verb(first) or (forbids and "until" in done):
        return None
    never = "" if forbids else "never "
    does = "does" if found["advise"].endswith("s") else "do"
    adviser = found["adviser"]
    within = adviser[:1].lower() + adviser[1:] if adviser.startswith("The ") else adviser
    return Contrary(
        f"{adviser} {found['advise']} {never}to {done}.",
        f"Why {does} {within} advise {never}to {done}?",
    )
