"""Whether a sentence admits that a thing is not known: what it denies has to be the thing itself.

"I do not know of a swing span" does; "I do not know how heavy the swing span is" grants that there
is one. In English only.
"""

import re
from collections.abc import Sequence

from generation_functions.pipelines.exchange_checks import stems

_NEAR = 5  # words in which a denial and what it denies stand together
_NOT = frozenset("not never cannot unable nothing no".split())
_DENIES = frozenset("no nothing nobody none neither unaware unfamiliar ignorant unknown".split())
_KNOWS = frozenset(
    """know known knows hear heard aware familiar recall remember tell say find found across confirm
    sure certain seen met read encountered recognise recognize have has think believe exist exists
    recorded described mentioned""".split()
)
# What may stand between a denial and the thing: nothing that asks or tells something of it.
_LINKS = _KNOWS | frozenset(
    """of about with on by as to me us you my there this any a an the such is was are were be been
    had can ever anything anyone anybody something some like called named name kind sort
    thing person what who told said information knowledge record records mention trace
    evidence existence term word""".split()
)
_WHETHER = frozenset("whether if that".split())  # begin a clause, unless "that" points
_ANY = frozenset("no any a an such".split())
_NAMES = frozenset("of called named like".split())
_ASKS = frozenset("who whose how why when where what which whether".split())
_SAYS_NOTHING = frozenset("mean means say says tell tells ring rings".split())
_ARE = (["is"], ["are"], ["was"], ["were"])
_REAL = frozenset("name thing person place real one anything something".split())
_INSTEAD = frozenset("it that this these those one them him her".split())
_TOKEN = re.compile(r"[.,;:!?]|[^\s.,;:!?\"“”]+")
_END = frozenset(".,;:!?")


def admits(sentence: str, thing: str) -> bool:
    """Whether a sentence says that a thing is unknown, or does not exist."""
    words = [word.lower() for word in _TOKEN.findall(sentence)]
    words = [part for word in words for part in _split_negation(word)]
    start, end = _find_thing(words, thing)
    return start < end and (_is_denied_before(words, start) or _is_denied_behind(words, end))


def _split_negation(word: str) -> list[str]:
    """Return "don't" as "do", "not"."""
    word = word.replace("’", "'")
    return [word.removesuffix("n't"), "not"] if word.endswith("n't") else [word]


def _find_thing(words: Sequence[str], thing: str) -> tuple[int, int]:
    """Return where the longest run of the thing's words begins and ends; without any, where the
    last word stands that may stand for a thing.
    """
    runs = [_follow(words, start, stems(thing)) for start in range(len(words))]
    count, start, end = max(
        ((count, start, end) for start, (count, end) in enumerate(runs)),
        key=lambda run: (run[0], run[1] - run[2]),
        default=(0, 0, 0),
    )
    if count:
        return start, end
    for place in range(len(words) - 1, -1, -1):
        if words[place] in _INSTEAD or "such" in words[max(place - 2, 0) : place]:
            return place, place + 1
    return 0, 0


def _follow(words: Sequence[str], start: int, wanted: frozenset[str]) -> tuple[int, int]:
    """Return how many `wanted` stems follow each other from `start` on, each once, and where they
    end."""
    found: frozenset[str] = frozenset()
    end = start
    for place in range(start, len(words)):
        said = stems(words[place])
        if said & found or said - wanted or words[place] in _END or not (found or said):
            break
        if said:
            found, end = found | said, place + 1
    return len(found), end


def _is_denied_before(words: Sequence[str], start: int) -> bool:
    """Whether what stands before the thing denies it: "I know of no …", "never heard of a …"."""
    place = start - 1
    while place >= 0:
        word, before = words[place], words[max(place - _NEAR + 1, 0) : place]
        if word in _DENIES:
            return True
        if word in _KNOWS and any(one in _NOT for one in before):
            return True
        if not (word in _LINKS or _leads_on(words, place, start)):
            return False
        place -= 1
    return False


def _leads_on(words: Sequence[str], place: int, start: int) -> bool:
    """Whether a word that is no link says no more of the thing than what it is: "no office of …",
    "a river …", "whether there is …"."""
    before, behind = words[place - 1] if place else "", words[place + 1]
    if words[place] in _WHETHER:
        alone = {*words[place + 1 : start]} <= {"a", "an", "the", "any", "such"}
        exists = alone and any(one.startswith("exist") for one in words[start:])
        return behind == "there" or before in {"of", "about", "with"} or exists
    return before in _ANY and (behind in _NAMES or place == start - 1)


def _is_denied_behind(words: Sequence[str], end: int) -> bool:
    """Whether what stands behind the thing denies it: "… is unknown", "… does not exist", "… is one
    that I have never heard of"."""
    clause = list(words[end:])
    for place, word in enumerate(clause[: 2 * _NEAR]):
        following = clause[place + 1 : place + 1 + _NEAR]
        if word in {"unknown", "unfamiliar"}:
            return not following or following[0] not in _ASKS
        if word in _SAYS_NOTHING and following[:1] in (["nothing"], ["no"]):
            return True
        if word == "nothing" and {*clause[:place][-1:]} & _KNOWS and _ends(clause, place):
            return True
        if word in _NOT and not (word == "no" and clause[:place][-1:] not in _ARE):
            known = [at for at, one in enumerate(following) if one in _KNOWS]
            if place <= 2 and (known or any(one in _REAL for one in following)):
                return True
            if any(_ends(following, at) for at in known):
                return True
    return False


def _ends(words: Sequence[str], place: int) -> bool:
    """Whether a clause ends behind a word, and "of" or "about" after it."""
    rest = words[place + 1 :]
    rest = rest[1:] if rest[:1] in (["of"], ["about"]) else rest
    return not rest or rest[0] in _END
