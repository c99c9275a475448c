"""How well a turn of a conversation fits its pair, by words, numbers and names alone.

What a pair shares with its chunk's other sentences and with its siblings tells little; what
sets it apart tells much. So words are weighed by how few sentences and pairs have them (idf)
and by how rare they are in their language, and a turn is held against the pair and against all
that it could have been taken from instead. The weights of the features are those of a logistic
regression on labelled conversations (benchmarks/alignment.py prints them).
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipelines.rarity import measure_rarity
from generation_functions.pipelines.turn_words import (
    Words,
    digits,
    find_inner_names,
    find_kinds,
    judge_reply,
    tell_apart,
)
from generation_functions.records import Chunk, QAPair

# A fit above zero is accepted; the bias holds the threshold.
QUESTION_WEIGHTS: Mapping[str, float] = {
    "bias": 0.99,
    "lead over sibling questions": 6.35,
    "lead over sentences": 0.21,
    "lead over sentences, relative": 5.80,
    "lead over siblings": 0.55,
    "question said so far": 2.28,
    "new words of the question": -1.44,
    "foreign words": -1.89,
    "foreign name": -5.48,
    "strongest foreign word": -1.29,
    "foreign words said before": 1.49,
    "new words based on the pair": -2.83,
    "words of reply and pair": 2.52,
    "number of the question missing": -3.67,
    "same kind": 1.95,
    "no reason": -2.57,
    "a reason unasked": -2.94,
    "no amount": -4.50,
    "yes or no unasked": -3.69,
}
ANSWER_WEIGHTS: Mapping[str, float] = {
    "bias": -1.53,
    "lead over sentences": 1.05,
    "lead over siblings": 0.72,
    "new words of the answer": 4.43,
    "words of pair and quote": 3.34,
    "words from elsewhere": 2.16,
    "number missing": -3.66,
    "new number missing": -3.67,
    "no reason": -1.57,
    "a reason unasked": -4.14,
    "no amount": -1.17,
    "yes or no unasked": -3.55,
}


class Subject:
    """A chunk and the pairs that are talked about, with the weight that each word has there."""

    def __init__(self, chunk: Chunk, pairs: Sequence[QAPair]) -> None:
        self.pairs = pairs
        self._language = chunk.language
        self._sentences = [tell_apart(one) for one in number_sentences(chunk.text, chunk.language)]
        self._own = [tell_apart(f"{pair.question} {pair.answer}") for pair in pairs]
        self._source = tell_apart(chunk.source)
        self._names = find_inner_names(chunk.text)
        units = [*self._sentences, *self._own]
        self._seen = Counter(word for unit in units for word in unit)
        self._units = len(units)
        self._weights: dict[str, float] = {}

    @cached_property
    def _known(self) -> Words:
        return frozenset().union(*self._sentences)

    def _rests(self, pair: QAPair) -> list[Words]:
        """Return the words of each sentence that a pair rests on."""
        return [self._sentences[one - 1] for one in pair.sentences if one <= len(self._sentences)]

    def weigh(self, words: Iterable[str], said: Words = frozenset()) -> float:
        """Return the words' idf in all; half for what was `said` before, little for the source."""
        weights = [self._weight(word) * (0.5 if word in said else 1.0) for word in words]
        return math.fsum(weights)  # the same in whatever order a set gives its words

    def _weight(self, word: str) -> float:
        if word not in self._weights:
            self._weights[word] = self._find_weight(word)
        return self._weights[word]

    def _find_weight(self, word: str) -> float:
        idf = math.log(1 + self._units / (0.5 + self._seen[word]))
        if word.startswith("#"):
            return idf * (0.4 if word in self._source else 1.5)
        rarity = measure_rarity(word, self._language)
        return idf * rarity * (0.4 if word in self._source else 1.0)

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
        near = self._own[place] | tell_apart(said) | tell_apart(told)
        if words and not words & (self._known | near):
            return -1.0  # of something else altogether; the labelled questions are never that
        return _sum(QUESTION_WEIGHTS, self.question_features(place, asked, told, said))

    def fit_answer(self, place: int, asked: str, told: str, said: str) -> float:
        """Return how surely `told` gives the answer of pair `place`; below 0 it does not."""
        if self._alters_number(place, asked, told, said):
            return -1.0
        return _sum(ANSWER_WEIGHTS, self.answer_features(place, asked, told, said))

    def _alters_number(self, place: int, asked: str, told: str, said: str) -> bool:
        """Whether a number of the answer is not told, and one is that nothing near it has; or that
        was only said before, where what is left out was not said at all."""
        asked_for, before = tell_apart(asked), tell_apart(said)
        left_out = digits(self.pairs[place].answer) - tell_apart(told)
        strange = digits(told) - self._own[place] - asked_for
        unsaid = left_out - asked_for - before
        return bool(left_out and strange - before) or bool(unsaid and strange)

    def question_features(self, place: int, asked: str, told: str, said: str) -> dict[str, float]:
        """Return what `fit_question` adds up."""
        pair = self.pairs[place]
        words, before = tell_apart(asked), tell_apart(said)
        question, own = tell_apart(pair.question), self._own[place]
        siblings = [tell_apart(one.question) for one in self.pairs if one is not pair]
        based = own.union(*self._rests(pair))
        foreign = (words & self._known) - based - before
        elsewhere = foreign - tell_apart(told)
        names_unknown = (words & self._names) - own - before - tell_apart(told)
        lead = self._lead_over_sentences(place, words, before)
        overlap = self.share(words, question)
        left_out = {word for word in question if word.startswith("#")} - words - before
        left_out -= tell_apart(told)
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
            "strongest foreign word": max(map(self._weight, sorted(elsewhere)), default=0.0),
            "foreign words said before": self.weigh(((words & self._known) - based) & before)
            / (self.weigh(words) or 1.0),
            "new words based on the pair": self.share(words - before, based),
            "words of reply and pair": self.share(words, own | tell_apart(told)),
            "number of the question missing": float(bool(left_out)),
            "same kind": float(bool(find_kinds(pair.question) & find_kinds(asked))),
            **judge_reply(asked, told),
        }

    def answer_features(self, place: int, asked: str, told: str, said: str) -> dict[str, float]:
        """Return what `fit_answer` adds up."""
        pair = self.pairs[place]
        words, before = tell_apart(told), tell_apart(asked) | tell_apart(said)
        question, answer = tell_apart(pair.question), tell_apart(pair.answer)
        figures = digits(pair.answer)
        new = words - tell_apart(asked) - question
        return {
            "bias": 1.0,
            "lead over sentences": self._lead_over_sentences(place, words, before),
            "lead over siblings": self._lead_over_siblings(place, words, before),
            "new words of the answer": self.share(new, answer),
            "words of pair and quote": self.share(
                words - tell_apart(asked), (question | answer).union(*self._rests(pair))
            ),
            "words from elsewhere": self.weigh(words - self._known - self._own[place], before)
            / (self.weigh(words, before) or 1.0),
            "number missing": float(bool(figures - words - before)),
            "new number missing": float(bool(figures - question - words - tell_apart(asked))),
            **judge_reply(asked, told),
        }


def _sum(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return sum(weights[name] * value for name, value in features.items())
