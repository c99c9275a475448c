"""Questions that ask the same thing, told by their words and not by how they begin.

Two questions are alike when they ask for the same kind of thing (who, when, why ...) with
the same numbers, negations and turning words ("before", "more"), and either their content words are
the same, or most of them are and the answers agree.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generation_functions.pipelines.amounts import amounts
from generation_functions.pipelines.wording import content_words, names, numbers
from generation_functions.records import QAPair

LEAST = 0.5  # of the content words of two questions that may be alike; Jaccard
MOST = 0.75  # from here on it is enough that the answers speak of the same
SAME_SUBJECT = 0.5  # share of the shorter answer's content words that the other has
SAME_ANSWER = 0.75  # Jaccard

_KINDS = (
    ("who", r"who|whom|whose"),
    ("when", r"when|(?:what|which) (?:year|date|day|month|century)"),
    ("where", r"where"),
    ("why", r"why|what (?:is|was|are|were) the (?:reason|cause)s?|for what reason"),
    (
        "amount",
        r"how (?:many|much|long|far|old|often|high|deep|wide|tall|heavy|large|big|fast|hot)",
    ),
    ("how", r"how|(?:in|by) (?:what|which) (?:way|means|manner)"),
    ("what", r"what|which"),
)
_ASKS = re.compile("|".join(rf"(?P<{name}>\b(?:{words})\b)" for name, words in _KINDS), re.I)
# Words that turn a question into another one, though they carry no subject.
_TURNS = re.compile(
    r"\b(?:not|no|never|nor|neither|none|nothing|nobody|without|n't|cannot|before|after|until|since"
    r"|above|below|over|under|more|most|less|least|fewer|few|same|only|other|made of|made for"
    r"|used for|used to|out|both|each)\b|n't\b",
    re.IGNORECASE,
)
_ORDER = re.compile(r"\b(?:first|second|last|next|previous)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a pair's question asks, apart from its wording."""

    kind: tuple[str, frozenset[str], frozenset[str]]
    words: frozenset[str]
    names: frozenset[str]
    told: frozenset[str]
    amounts: frozenset[str]


def _read(question: str, answer: str) -> _Asked:
    asks = _ASKS.search(question)
    turns = {match.group().lower() for match in _TURNS.finditer(question)}
    turns |= {match.group().lower() for match in _ORDER.finditer(question)}
    figures = amounts(question) | numbers(question)
    return _Asked(
        kind=(asks.lastgroup or "" if asks else "", frozenset(turns), frozenset(figures)),
        words=frozenset(content_words(question)),
        names=frozenset(names(question)),
        told=frozenset(content_words(answer)),
        amounts=frozenset(amounts(answer) | numbers(answer)),
    )


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the Jaccard similarity of two sets (1.0 for two empty ones)."""
    return len(one & other) / len(one | other) if one | other else 1.0


def _alike(one: _Asked, other: _Asked) -> bool:
    if one.kind != other.kind or (one.names - other.names and other.names - one.names):
        return False
    if one.words == other.words:
        return True
    if one.amounts != other.amounts:
        return False
    asked = _overlap(one.words, other.words)
    if asked >= MOST:
        shared = len(one.told & other.told)
        return shared >= SAME_SUBJECT * min(len(one.told), len(other.told))
    return asked >= LEAST and _overlap(one.told, other.told) >= SAME_ANSWER


def alike(one: QAPair, other: QAPair) -> bool:
    """Whether the questions of two pairs ask the same thing."""
    return _alike(_read(one.question, one.answer), _read(other.question, other.answer))


class AskedBefore:
    """Remembers pairs; of those whose questions are alike, the first is the one to keep.

    Two sets whose Jaccard similarity is at least LEAST share one of the first words of each,
    in any order that is the same for all (Bayardo et al., 2007, "Scaling up all pairs
    similarity search"); the long words come first, since few questions have them.
    """

    def __init__(self) -> None:
        self._by_word: dict[object, list[tuple[_Asked, QAPair]]] = defaultdict(list)

    def add(self, pair: QAPair) -> QAPair | None:
        """Return the pair like this one that was added before; where there is none, remember it."""
        asked = _read(pair.question, pair.answer)
        ordered = sorted(asked.words, key=lambda word: (-len(word), word))
        first = ordered[: len(ordered) - -(-len(ordered) // 2) + 1] or [""]
        keys = [(asked.kind, word) for word in first]
        for key in keys:
            for other, earlier in self._by_word[key]:
                if _alike(asked, other):
                    return earlier
        for key in keys:
            self._by_word[key].append((asked, pair))
        return None


def keep_best(pairs: Iterable[tuple[QAPair, int]]) -> list[QAPair]:
    """Return the pairs without those whose question is like a better one's, in their order.

    Each comes with how often it was repaired. Better is what was repaired less often, then
    what tells more of its quote, then what came first.
    """
    ordered = list(pairs)
    ranked = sorted(
        range(len(ordered)), key=lambda place: (ordered[place][1], -_told_share(ordered[place][0]))
    )
    seen = AskedBefore()
    chosen = [place for place in ranked if not seen.add(ordered[place][0])]
    return [ordered[place][0] for place in sorted(chosen)]


def is_asked(pair: QAPair, others: Sequence[QAPair]) -> bool:
    """Whether one of the others asks what this pair asks."""
    return any(alike(pair, other) for other in others)


def _told_share(pair: QAPair) -> float:
    quoted = content_words(pair.quote)
    told = content_words(f"{pair.question} {pair.answer}")
    return len(quoted & told) / len(quoted) if quoted else 0.0
