"""How well a turn of a conversation fits its pair, by words, numbers and names alone.

What a pair shares with its chunk's other sentences and with its siblings tells little; what
sets it apart tells much. So words are weighed by how few sentences and pairs have them (idf),
and a turn is held against the pair and against all that it could have been taken from
instead. The weights of the features are those of a logistic regression on labelled
conversations (benchmarks/alignment.py prints them).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipelines.wording import content_words, names
from generation_functions.records import Chunk, QAPair

# A fit above zero is accepted; the bias holds the threshold.
QUESTION_WEIGHTS: Mapping[str, float] = {
    "bias": 1.22,
    "lead over sibling questions": 9.33,
    "lead over sentences": 0.43,
    "lead over sentences, relative": 3.14,
    "lead over siblings": 0.20,
    "question said so far": 4.00,
    "new words of the question": -3.35,
    "foreign words": -3.12,
    "foreign name": -5.60,
    "words from elsewhere": 0.32,
    "same kind": 1.65,
    "no reason": -2.51,
    "a reason unasked": -4.77,
    "no amount": -3.68,
    "yes or no unasked": -3.17,
}
ANSWER_WEIGHTS: Mapping[str, float] = {
    "bias": -0.54,
    "lead over sentences": 0.85,
    "lead over siblings": 0.49,
    "new words of the answer": 5.50,
    "words of pair and quote": 2.37,
    "words from elsewhere": 1.91,
    "number missing": -3.52,
    "new number missing": -3.53,
    "no reason": -1.81,
    "a reason unasked": -4.58,
    "no amount": -0.71,
    "yes or no unasked": -3.74,
}

_COUNTED = """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
    sixteen seventeen eighteen nineteen twenty""".split()
_NUMBER_WORDS = {
    stem: str(value)
    for word, value in [
        *((word, value) for value, word in enumerate(_COUNTED, start=2)),
        *((word, 10 * value) for value, word in enumerate("thirty forty fifty".split(), start=3)),
        *((word, 10 * value) for value, word in enumerate("sixty seventy".split(), start=6)),
        *((word, 10 * value) for value, word in enumerate("eighty ninety".split(), start=8)),
        ("hundred", 100),
        ("thousand", 1000),
        ("twice", 2),
        ("half", 0.5),
    ]
    for stem in content_words(word)
}
# What people say between the words that matter.
_FILLERS = frozenset(
    stem
    for stem in content_words(
        """actually again always another anybody anyone anything away back bit both came come comes
        course either else ever every everybody everything exactly gave get gets getting give given
        gives go goes going got happen happened happens indeed instead kind know let's like lot mean
        neither never nothing now people person pretty put quite rather really right said say
        says simply somebody someone something sort still suppose sure take taken takes tell thing
        things think want way ways well whatever whole without
        aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't wasn't weren't won't
        wouldn't he'd he'll he's i'd i'll i'm i've it'd it'll it's she'd she's that's there's they'd
        they'll they're they've we'd we're we've what's who's you'd you'll you're you've"""
    )
)
_NUMBER = re.compile(r"\d+(?:[.,·]\d+)*")
_NAME = re.compile(r"[A-Z][^\W\d_]+")
_KINDS = {
    "who": r"who|whom|whose",
    "when": r"when|(?:what|which) (?:year|date|day|month|century|time)",
    "where": r"where|(?:what|which) (?:place|country|town|city)",
    "why": r"why|reasons?|what (?:made|makes|led)|how come|what for|purpose|cause[sd]?",
    "amount": r"how (?:many|much|long|far|old|often|high|deep|wide|tall|heavy|large|big|fast|hot"
    r"|great|soon|small|thick|strong)|what (?:percentage|proportion|share|temperature|size|weight"
    r"|rate|distance|number|limits?|range|figure|length|height|depth|speed|price|cost)",
    "how": r"how|what way|what means",
    "whether": r"(?:^|(?<=[.?!,;:] ))(?:(?:and|but|so|then|or) )*(?:is|are|was|were|do|does|did|can"
    r"|could|may|must|should|has|have|had|will|would)",
}
_ASKS = {kind: re.compile(rf"\b(?:{words})\b", re.I) for kind, words in _KINDS.items()}
_GIVES_REASON = re.compile(
    r"\b(?:because|since|so that|in order|otherwise|owing|due|reason|to keep|to make|that's why"
    r"|cause)\b",
    re.IGNORECASE,
)
_BEGINS_REASON = re.compile(r"(?:because|so that)\b", re.IGNORECASE)
_SAYS_YES_OR_NO = re.compile(
    r"(?:yes|no|not|(?:it|they|he|she|you|there|i) (?:is|was|are|were|does|do|did|can|could|must"
    r"|may|has|have|had|would|will)(?:n't)?[.,;:])(?!\w)",
    re.IGNORECASE,
)

Words = frozenset[str]


@lru_cache(maxsize=20_000)
def tell_apart(text: str) -> Words:
    """Return what can tell a text from its neighbours: stems of content words, and numbers.

    Numbers look alike in digits and words: "#2" stands for "2" and "two".
    """
    stems = content_words(text) - _FILLERS
    counted = {f"#{_NUMBER_WORDS[stem]}" for stem in stems if stem in _NUMBER_WORDS}
    return frozenset({stem[:6] for stem in stems if stem not in _NUMBER_WORDS} | counted) | digits(
        text
    )


@lru_cache(maxsize=20_000)
def digits(text: str) -> Words:
    """Return the numbers in digits as `tell_apart` writes them; 0·5 and 0.5 are the same."""
    found = (match.group().rstrip(".,·") for match in _NUMBER.finditer(text))
    return frozenset(
        "#" + re.sub(r",(?=\d{3}\b)", "", number).replace("·", ".") for number in found
    )


@lru_cache(maxsize=20_000)
def _kinds(text: str) -> Words:
    kinds = {kind for kind, words in _ASKS.items() if words.search(text)}
    return frozenset(kinds - {"how"} if "amount" in kinds else kinds or {"what"})


@lru_cache(maxsize=20_000)
def _inner_names(text: str) -> Words:
    """Return the words of names that do not stand where a sentence begins."""
    return frozenset(stem for name in names(text) for stem in tell_apart(name))


@lru_cache(maxsize=2_000)
def _split(text: str, language: str) -> tuple[str, ...]:
    return tuple(sentence.strip() for sentence in number_sentences(text, language))


class Subject:
    """A chunk and the pairs that are talked about, with the weight that each word has there."""

    def __init__(self, chunk: Chunk, pairs: Sequence[QAPair]) -> None:
        self.pairs = pairs
        self._sentences = [tell_apart(one) for one in _split(chunk.text, chunk.language)]
        self._own = [tell_apart(f"{pair.question} {pair.answer}") for pair in pairs]
        self._source = tell_apart(chunk.source)
        self._names = _inner_names(chunk.text)
        units = [*self._sentences, *self._own]
        self._seen = Counter(word for unit in units for word in unit)
        self._units = len(units)

    @cached_property
    def _known(self) -> Words:
        return frozenset().union(*self._sentences)

    def weigh(self, words: Iterable[str], said: Words = frozenset()) -> float:
        """Return the words' idf in all; half for what was `said` before, little for the source."""
        return sum(self._weight(word) * (0.5 if word in said else 1.0) for word in words)

    def _weight(self, word: str) -> float:
        idf = math.log(1 + self._units / (0.5 + self._seen[word]))
        return idf * (0.4 if word in self._source else 1.5 if word.startswith("#") else 1.0)

    def share(self, wanted: Words, given: Words) -> float:
        """Return the weighed share of `wanted` that is `given` (1.0 when nothing is wanted)."""
        whole = self.weigh(wanted)
        return self.weigh(wanted & given) / whole if whole else 1.0

    def _lead_over_sentences(self, place: int, words: Words, said: Words) -> float:
        """Return by how much words speak for a pair rather than for sentences it does not rest on.

        Held against a sentence are only the words that one has and the other lacks.
        """
        own = self._own[place]
        others = [
            sentence
            for number, sentence in enumerate(self._sentences, start=1)
            if number not in self.pairs[place].sentences
        ]
        return self._least_lead(own, others, words, said)

    def _lead_over_siblings(self, place: int, words: Words, said: Words) -> float:
        others = [own for number, own in enumerate(self._own) if number != place]
        return self._least_lead(self._own[place], others, words, said)

    def _least_lead(self, own: Words, others: Sequence[Words], words: Words, said: Words) -> float:
        leads = [
            self.weigh(words & (own - other), said) - self.weigh(words & (other - own), said)
            for other in others
        ]
        return max(-6.0, min([6.0, self.weigh(words & own, said), *leads]))

    def fit_question(self, place: int, asked: str, told: str, said: str) -> float:
        """Return how surely `asked` asks the question of pair `place`; below 0 it does not.

        `said` is all that was said before; `told` is what follows.
        """
        words = tell_apart(asked)
        if words and not words & self._known.union(self._own[place], tell_apart(said + told)):
            return -1.0  # of something else altogether; the labelled questions are never that
        return _sum(QUESTION_WEIGHTS, self.question_features(place, asked, told, said))

    def fit_answer(self, place: int, asked: str, told: str, said: str) -> float:
        """Return how surely `told` gives the answer of pair `place`; below 0 it does not."""
        return _sum(ANSWER_WEIGHTS, self.answer_features(place, asked, told, said))

    def question_features(self, place: int, asked: str, told: str, said: str) -> dict[str, float]:
        """Return what `fit_question` adds up."""
        pair = self.pairs[place]
        words, before = tell_apart(asked), tell_apart(said)
        question, own = tell_apart(pair.question), self._own[place]
        siblings = [tell_apart(one.question) for one in self.pairs if one is not pair]
        rests = [self._sentences[one - 1] for one in pair.sentences if one <= len(self._sentences)]
        foreign = (words & self._known) - own.union(*rests) - before
        names_unknown = (words & self._names) - own - before - tell_apart(told)
        lead = self._lead_over_sentences(place, words, before)
        overlap = self.share(words, question)
        return {
            "bias": 1.0,
            "lead over sibling questions": overlap
            - max((self.share(words, one) for one in siblings), default=0.0),
            "lead over sentences": lead,
            "lead over sentences, relative": lead / (self.weigh(words, before) or 1.0),
            "lead over siblings": self._lead_over_siblings(place, words, before),
            "question said so far": self.share(question, words | before),
            "new words of the question": self.share(words - before, question),
            "foreign words": self.weigh(foreign) / (self.weigh(words) or 1.0),
            "foreign name": float(bool(names_unknown)),
            "words from elsewhere": self.weigh(words - self._known - own, before)
            / (self.weigh(words, before) or 1.0),
            "same kind": float(bool(_kinds(pair.question) & _kinds(asked))),
            **_reply_features(asked, told),
        }

    def answer_features(self, place: int, asked: str, told: str, said: str) -> dict[str, float]:
        """Return what `fit_answer` adds up."""
        pair = self.pairs[place]
        words, before = tell_apart(told), tell_apart(asked) | tell_apart(said)
        question, answer = tell_apart(pair.question), tell_apart(pair.answer)
        rests = [self._sentences[one - 1] for one in pair.sentences if one <= len(self._sentences)]
        figures = digits(pair.answer)
        new = words - tell_apart(asked) - question
        return {
            "bias": 1.0,
            "lead over sentences": self._lead_over_sentences(place, words, before),
            "lead over siblings": self._lead_over_siblings(place, words, before),
            "new words of the answer": self.share(new, answer),
            "words of pair and quote": self.share(
                words - tell_apart(asked), (question | answer).union(*rests)
            ),
            "words from elsewhere": self.weigh(words - self._known - self._own[place], before)
            / (self.weigh(words, before) or 1.0),
            "number missing": float(bool(figures - words - before)),
            "new number missing": float(bool(figures - question - words - tell_apart(asked))),
            **_reply_features(asked, told),
        }


def _reply_features(asked: str, told: str) -> dict[str, float]:
    """Return what speaks against `told` as a reply to `asked`, whatever the two are about."""
    kinds = _kinds(asked)
    counted = any(word.startswith("#") for word in tell_apart(told))
    return {
        "no reason": float("why" in kinds and not _GIVES_REASON.search(told)),
        "a reason unasked": float("why" not in kinds and bool(_BEGINS_REASON.match(told))),
        "no amount": float("amount" in kinds and not counted),
        "yes or no unasked": float("whether" not in kinds and bool(_SAYS_YES_OR_NO.match(told))),
    }


def _sum(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return sum(weights[name] * value for name, value in features.items())
