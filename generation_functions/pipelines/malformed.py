"""How small models go wrong in the English of a question.

None of it costs a person a second look, and a model that judges passes nearly all of it.
"""

import re

from generation_functions.pipelines.question_words import is_verb

_GIVING = "concerning|regarding|doing|telling|giving|asking|showing|teaching|saying|making sure"
_BEFORE = (
    r"about|above|across|after|against|along|among|around|as|at|before|behind|below|beneath|beside"
    r"|between|beyond|by|down|during|first|for|from|if|in|instead|into|like|near|of|off|on|only|onto"
    r"|out|over|past|since|through|throughout|to|together|towards?|under|until|up|upon|when|where"
    r"|while|with|within|without|\w+ly"
)
_MAY = "will|can|would|could|may|might|must|should"
_PARTICIPLES = (
    "been|begun|broken|brought|built|chosen|done|drawn|driven|found|given|gone|held|hidden|kept"
    "|known|left|lost|made|seen|sent|shown|taken|thrown|told|torn|worn|written"
)
_WHEN = (
    "after|as|at|because|before|by|during|from|if|in|on|once|over|that|under|unless|until|upon|when"
    "|where|which|while|who|with|without"
)
_MALFORMED = (
    # "What does she advise closing the hatch?": nothing is left to be asked for
    rf"What (?:does|did|do) .*\badvise (?:not |against )?(?!{_GIVING})\w+ing (?!(?:{_BEFORE})\b)\w",
    # "What does she advise close?"
    rf"(?:What|Which|Who)\b.*\badvise (?!(?:to|that|what|{_BEFORE})\b)\w+(?<!ing)\?$",
    rf"(?:What|Which|Who)\b.*\badvise (?:to (?!\w+ing\b)|(?:not )?to (?:\w+ed|{_PARTICIPLES})\b)",
    # "What a closed hatch will do?"
    rf"(?!What (?:{_MAY})\b).* (?:{_MAY}) do\?$",
    # "What can she advise?", where it is asked what she does advise; "advise as closing"
    rf"\w+ (?:{_MAY})\b.*\badvise\b|.*\badvise as\b|.*\b(?:is|are|was|were) advised to\b",
    # "What does the boards do?"; a gas, a bus, a basis, a glass and a lens are one
    r"What does .*[^aius'’]s(?<!lens) do\b",
    r"What does (?:the )?[a-z]*[^aius'’](?<!ic)s(?<!lens) (?:not )?(?!(?:of|in|on|at|for)\b)"
    r"[a-z]+(?<!ed)\b",
    # "What does ether and water dissolve?", "What does a band do not assemble?"
    r"What does (?:the )?[a-z]+ and (?:the )?[a-z]+ (?:not )?[a-z]+",
    r"What (?:does|do|did) .*\bdo(?:es)? not \w",
    # "What is not good to expect?", which anything answers
    r"What (?:(?:is|are|was|were|can|could|will|would|does|do) not|cannot)\b",
    r"What (?:is|are|was|were) .* not \w+ing\?$",
    # "What can happen to a hatch?", which does not say when
    rf"What (?:{_MAY}) happen to (?:(?!(?:{_WHEN})\b)[\w'’-]+ )*(?!(?:{_WHEN})\b)[\w'’-]+\?$",
    # "What can be done to a pump to put out of use?", which does not say what
    r".*\bto (?:put|take|bring|get|throw|set) (?:out|off|into|away|up)\b(?: of)?(?: \w+)?\?$",
    # of "for the most part"
    r".*\bthe most part of\b",
)
_IS_MALFORMED = re.compile("|".join(_MALFORMED))
# What an order as it is told leaves no room for: whom it is given to ("What does she advise sailors
# to do?"), and what it is given in ("advise in the size of a hatch").
_ORDERED = re.compile(r"\badvises?: [“\"]")
_TO_WHOM = re.compile(
    rf".*\badvis(?:e|ing) (?!(?:to|that|what|not|never|always|{_BEFORE})\b)\w+(?<!ing)\b"
    r"|What (?:does|did|do|is|was) .*\badvis(?:e|ing) (?:in|of|at|with|by|from) "
    r"|.*\badvise for .* to "
)
_TO_DO = re.compile(r"(?:What|Which|Who) (?:does|did|do) .*\badvise (?:not|never) to (\w+ .+)\?$")
_DOING = re.compile(r".*\badvise doing\b")
_REMEMBERS = re.compile(r"[“\"](?:[^,”]*, )?(?:remember|know|note)\b", re.IGNORECASE)
_PLACE = re.compile(
    r"\b(?:where|wherever|in|at|inside|outside|near|behind|beside|under|beneath|between|among"
    r"|around|along|above|below|over|into|onto|from|on|upon|through|across|against|towards?|beyond"
    r"|north|south|east|west|home)\b"
)
_GOING_ON = re.compile(r"(?:What|Who)\b.* (?:is|are|was|were) .*\bdoing\?$")
_PROGRESSIVE = re.compile(r"\b(?:am|is|are|was|were|be|been|by) (?:\w+ ){0,2}\w+ing\b")
_HELPING, _MAKING = ("be", "do", "happen", "have", "say"), ("make", "use")
_ASKS_WHICH = re.compile(r"What (\w+) (?:is|are|was|were)\b")
_NEGATED = re.compile(
    r"\b(?:against|avoid\w*|cannot|never|neither|no|nor|not|refus\w*|without)\b|n[’']t\b",
    re.IGNORECASE,
)
_FORBIDS = re.compile(
    r"(?:^|[“\"])(?:[^,”]{0,80}, )?(?:do not|don[’']t|never) (\w{3,})", re.IGNORECASE
)
_IS_NOT = re.compile(r"[^,;:]{0,80}\b(?:is|are|was|were) not (?!only\b)")
_AIM = re.compile(r"\bto ([a-z]{2,})")
_AFTER = re.compile(r"\b(without|by|of|for|from|in|about|after|before) (\w+)")


def is_malformed(question: str, answer: str) -> bool:
    """Whether a question is no English, or none that can be asked for this answer."""
    if _IS_MALFORMED.match(question):
        return True
    if tells_order(answer) and _misses_order(question, answer):
        return True
    if question.startswith("Where ") and not _list_places(answer) - _list_places(question[5:]):
        return True
    if _is_begun(question, answer) or _loses_negation(question, answer):
        return True
    if _GOING_ON.match(question) and not _PROGRESSIVE.search(answer):
        return True
    asked, told = question.lower(), answer.lower()
    return _loses_form(asked, told) or _has_other_aim(asked, told)


def _misses_order(question: str, answer: str) -> bool:
    """Whether a question cannot be asked for an order: it says the whole of it ("What does she
    advise not to close the hatch?") or whom it is given to, or asks what is to be done where
    something is to be known."""
    said = _TO_DO.match(question)
    if said and said[1].lower() in answer.lower():
        return True
    if _DOING.match(question) and _REMEMBERS.search(answer):
        return True
    return bool(_TO_WHOM.match(question))


def tells_order(answer: str) -> bool:
    """Whether an answer tells what its source orders, between quotation marks."""
    return bool(_ORDERED.search(answer))


def _list_places(text: str) -> set[str]:
    return set(_PLACE.findall(text.lower()))


def _is_begun(question: str, answer: str) -> bool:
    """Whether a question asks what things are so that the answer begins with."""
    asked = _ASKS_WHICH.match(question)
    return bool(asked and re.match(rf"(?:The |An? )?{asked[1]}\b", answer, re.IGNORECASE))


def _loses_negation(question: str, answer: str) -> bool:
    """Whether a question has as so, or as to be done, what the answer says is not."""
    if _NEGATED.search(question) or question.startswith(("Why ", "How ")):
        return False
    forbidden = _FORBIDS.search(answer)
    if forbidden and re.search(rf"\b{forbidden[1][:4]}", question, re.IGNORECASE):
        return True
    return bool(_IS_NOT.match(answer) and re.search(r"\b(?:is|are|was|were)\b", question))


def _has_other_aim(question: str, answer: str) -> bool:
    """Whether a question has a verb behind "to" of which the answer has no form, or which is itself
    what the answer says should be done."""
    aims = [
        word
        for word in _AIM.findall(question)
        if word in _MAKING or (word not in _HELPING and is_verb(word))
    ]
    for stem in (word.removesuffix("e")[:5] for word in aims):
        if not re.search(rf"\b{stem}", answer):
            return True
        if re.search(rf"\b(?:should|must) (?:be )?{stem}", answer):
            return True
    return False


def _loses_form(question: str, answer: str) -> bool:
    """Whether the answer has another form of a word behind a preposition: "without excite"."""
    for preposition, word in _AFTER.findall(question):
        stem = word[:-1] if word.endswith("e") else word
        double = stem + stem[-1:]
        formed = re.search(rf"\b{preposition} (?:{stem}|{double})ing\b", answer)
        if formed and not re.search(rf"\b{preposition} {word}\b", answer):
            return True
    return False
