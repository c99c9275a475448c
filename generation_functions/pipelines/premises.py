"""Whether a text tells what a question takes for granted, and whether an answer sets it right."""

import re
from collections.abc import Iterator, Sequence

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipelines.amounts import amounts, known_amounts
from generation_functions.pipelines.exchange_checks import stems
from generation_functions.pipelines.strange import find_strange

MOST_BETWEEN = 3  # stems between two of a premise's where a text tells it
LEAST_SHARED = 0.4  # of a premise's stems, by a sentence that speaks of it

_SETS_RIGHT = re.compile(
    r"\b(?:no|not|none|neither|nor|nobody|nothing|instead|actually|in fact"
    r"|wrong|mistaken|mistake|contrary|false|untrue|cannot)\b|n['’]t\b",
    re.IGNORECASE,
)
_NEVER = re.compile(r"\b(?:never|seldom|hardly|scarcely|only|rather than)\b", re.IGNORECASE)
_WRONG = re.compile(
    r"\b(?:wrong|mistaken|mistake|false|untrue|contrary|instead|rather"
    r"|(?:not|n['’]t) (?:so|true|right|correct))\b",
    re.IGNORECASE,
)
# Words that turn a statement into another one though they carry no subject.
_TURNS = re.compile(
    r"\b(?:more|most|less|least|fewer|before|after|above|below|over|under|up|down|first|last|until"
    r"|only|both|all|same|other|each)\b",
    re.IGNORECASE,
)
_SUPERLATIVE = re.compile(r"\b(?:most|least|first|last|\w{3,}est)\b", re.IGNORECASE)
_ORDINAL = re.compile(r"\b(?:second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b", re.I)
_NEGATES = re.compile(
    r"\b(?:not|no|never|without|cannot|none|nobody|nothing|neither|nor)\b|n['’]t\b", re.IGNORECASE
)

_BOUNDARY = re.compile(r"(,(?!\d)|[;:]|\bbut\b)")
_SUPPOSES = re.compile(
    r"\b(?:if|whether|(?:al)?though|claim\w*|idea|belie[fv]\w*|sa(?:id|ys?)|th(?:ink\w*|ought)"
    r"|suppos\w+|assum\w+|suggest\w*)\b",
    re.IGNORECASE,
)


def sets_right(answer: str, premise: str) -> bool:
    """Whether an answer contradicts a premise, or gives other figures, and does not say it too.

    It does so in sentences that speak of the premise, or before them; where none does, in any.
    """
    sentences, taken = number_sentences(answer), stems(premise)
    speaks = [len(stems(one) & taken) >= LEAST_SHARED * len(taken) for one in sentences]
    first = speaks.index(True) if True in speaks else len(sentences)
    speaking = [one for one, yes in zip(sentences, speaks, strict=True) if yes]
    begun = " ".join((*sentences[:first], *speaking))
    changed = known_amounts(begun) - known_amounts(premise)
    ranked = {*_SUPERLATIVE.findall(" ".join(speaking))} - {*_SUPERLATIVE.findall(premise)}
    denied = _SETS_RIGHT.search(begun) or _NEVER.search(" ".join(speaking))
    return bool(denied or changed or ranked) and not _grants(answer, premise)


def find_granted(answer: str, premise: str, known: str, told_by: str, language: str) -> str | None:
    """Return a number, month or name that an answer takes from a wrong premise.

    It stands where the answer denies nothing, and `known` does not have it; or it is a number of
    the premise that is not in what the answer rests on (`told_by`), whatever it counts elsewhere.
    """
    wrong = amounts(premise) - known_amounts(told_by)
    for sentence in number_sentences(answer, language):
        clauses = _list_asserted(sentence) if _denies(sentence) else (sentence,)
        for clause in clauses:
            strange = find_strange(clause, known, language)
            if strange or wrong & amounts(clause):
                return strange or min(wrong & amounts(clause))
    return None


def _list_asserted(sentence: str) -> Iterator[str]:
    """Yield the clauses of a sentence that deny nothing, and suppose nothing: a denial holds for
    those behind it too, up to "but", a colon or a semicolon."""
    denied, before = False, ""
    for number, part in enumerate(_BOUNDARY.split(sentence)):
        if number % 2:
            before = part
            continue
        denied = _denies(part) or (denied and before == ",")
        if not (denied or _SUPPOSES.search(part)):
            yield part


def _denies(text: str) -> bool:
    return bool(_NEGATES.search(text) or _WRONG.search(text))


def tells(text: str, premise: str) -> bool:
    """Whether a text has all words of a premise in their order, its figures, and its negations.

    Who does what to whom is told by order alone: "workers drive drones out".
    """
    same = [bool(_NEGATES.search(one)) for one in (text, premise)]
    known = known_amounts(premise) <= known_amounts(text)
    turned = _find_turns(premise) - _find_turns(text)
    ranked = _SUPERLATIVE.search(premise) and set(_ORDINAL.findall(text)) - set(
        _ORDINAL.findall(premise)
    )
    in_order = has_in_order(_list_stems(text), _list_stems(premise))
    return known and not turned and not ranked and same[0] == same[1] and in_order


def has_in_order(told: Sequence[str], wanted: Sequence[str], between: int = MOST_BETWEEN) -> bool:
    """Whether `told` has what is `wanted` in its order, with at most so many `between` two."""
    for start, stem in enumerate(told if wanted else ()):
        if stem == wanted[0]:
            place = start
            for one in wanted[1:]:
                following = told[place + 1 : place + 2 + between]
                if one not in following:
                    break
                place += 1 + following.index(one)
            else:
                return True
    return not wanted


def _find_turns(text: str) -> set[str]:
    return {match.group().lower() for match in _TURNS.finditer(text)}


def _list_stems(text: str) -> list[str]:
    return [stem for word in text.split() for stem in sorted(stems(word))]


def _grants(answer: str, premise: str) -> bool:
    """Whether an answer says itself, in one of its sentences or in a clause that denies nothing,
    what its question wrongly took for granted."""
    corrects = not _WRONG.search(premise)  # else its words are the premise's own
    return any(
        any(tells(clause, premise) for clause in _list_asserted(one))
        or (tells(one, premise) and not (corrects and _WRONG.search(one)))
        for one in number_sentences(answer)
    )
