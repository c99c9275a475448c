"""What code alone can tell against a question-answer pair, before a model is asked about it.

Words are weighed by how few of the chunk's sentences have them: what an answer shares with
the whole chunk says little about which sentence it comes from. Thresholds are from
tests/labelled_pairs. What words cannot tell: an answer to another question about the
same sentence. That is for the votes.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

from generation_functions.documents.sentences import number_sentences
from generation_functions.pipelines.amounts import known_amounts
from generation_functions.pipelines.answer_kinds import fits_kind, is_named_otherwise
from generation_functions.pipelines.reasons import find_invented_reason, lacks_reason
from generation_functions.pipelines.roots import find_roots, share_known
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.wording import (
    asks_about_text,
    content_words,
    find_pointers,
)
from generation_functions.records import QAPair

STRANGE_FACT = "answer has a fact that the text lacks"
LEAST_KNOWN = 0.1  # share of an answer's or a question's content words that the chunk has
FEW_WORDS = 3  # an answer with so few content words may have none of the chunk's
LEAST_SUPPORT = 0.25  # weighed share of the answer's own words that its quote has
MOST_BEHIND = 0.4  # by how much other sentences may support an answer better than its quote

_ASKS = re.compile(r"\b(?:wh\w+|how)\b", re.IGNORECASE)
_STEM = 4  # letters: "closely" says "close" again
_CAN = {"cann", "coul"}
_CHOICE = re.compile(r"\b(?:or|whether)\b", re.IGNORECASE)
# Two things that were told of are "the two", also where nobody counted them.
_THE_TWO = re.compile(r"\b(?:the|these|those|its|their) two\b", re.IGNORECASE)
# "Why the tide turns?"; but "When the tide turns, what happens?".
_NO_QUESTION = re.compile(
    r"(?:what|why|how|when|where) (?:(?:the|a|an|his|her|its|their)\b|(?-i:[A-Z][a-z]))[^,]*\?$",
    re.IGNORECASE,
)
# A question may say how many things it asks for ("which three outlets").
COUNTS = re.compile(r"\b(?:two|three|four|five|six|seven|eight|nine)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a pair: `reason` for the funnel, `told` for a repair's prompt.

    `in_question`: no other answer can mend it.
    """

    reason: str
    told: str
    in_question: bool = False


def find_problem(
    pair: QAPair,
    use_filenames: bool = True,
    checks: Sequence["PairCheck"] | None = None,
    granted: str = "",
) -> Problem | None:
    """Return what code alone can tell against a pair, or None; the first of `checks` goes first.

    By default these are ALL_CHECKS. Without `use_filenames` nothing of the chunk's source is
    known, so that a pair which names it has a fact that the text lacks. What is `granted` a pair
    may name though the text does not.
    """
    chunk = pair.chunk
    source = chunk.source if use_filenames else ""
    headings = (*chunk.headings, granted) if granted else chunk.headings
    pair = replace(pair, chunk=replace(chunk, source=source, headings=headings))
    found = (check(pair) for check in (ALL_CHECKS if checks is None else checks))
    return next((problem for problem in found if problem), None)


def check_question(pair: QAPair) -> Problem | None:
    """Return what is wrong with a question: it points at the text, or speaks of other things."""
    known = _known(pair)
    pointers = find_pointers(pair.question)
    if pointers or asks_about_text(pair.question):
        about = f"speaks of “{pointers[0]}”" if pointers else "is about the text"
        told = f"The question {about}, and not of its subject alone."
        return Problem("asks about the text", told, in_question=True)
    if pair.question.count("?") > 1:
        told = "The question asks two things at once."
        return Problem("asks two things at once", told, in_question=True)
    if pair.chunk.language == "english" and _NO_QUESTION.match(pair.question):
        told = (
            "The question has the order of a statement: its verb has to stand before its subject."
        )
        return Problem("is worded as no question", told, in_question=True)
    strange = find_strange(COUNTS.sub("", pair.question), known, pair.chunk.language)
    if strange:
        told = f"The question has “{strange}”, which the text does not have."
        return Problem("question has a fact that the text lacks", told, in_question=True)
    if share_known(pair.question, known) < LEAST_KNOWN:
        told = "The question speaks of things that the text does not speak of."
        return Problem("question is not in the words of the text", told, in_question=True)
    return None


def check_facts(pair: QAPair) -> Problem | None:
    """Return a number, month or name of the answer that is not known, or not from its quote."""
    language, answer = pair.chunk.language, _THE_TWO.sub("", pair.answer)
    strange = find_strange(answer, _known(pair), language)
    if strange:
        told = f"The answer has “{strange}”, which the text does not have."
        return Problem(STRANGE_FACT, told)
    told_by = f"{pair.chunk.source} {pair.quote} {pair.question}"
    strange = find_strange(answer, told_by, language)
    if strange:
        told = (
            f"The answer has “{strange}”, which is neither in the question nor in the sentences "
            "that were named for it."
        )
        return Problem("answer does not rest on its quote", told)
    return None


def check_words(pair: QAPair) -> Problem | None:
    """Return what is wrong with an answer that repeats its question or leaves the text."""
    if _repeats(pair) or lacks_reason(pair.question, pair.answer):
        return Problem("answer only repeats the question", "The answer only repeats the question.")
    invented = find_invented_reason(pair.answer, _known(pair), pair.quote)
    if invented:
        told = f"The answer says “{invented}”, of which the text says nothing."
        return Problem("answer has a reason that the text lacks", told)
    many = len(find_roots(pair.answer)) > FEW_WORDS
    if many and share_known(pair.answer, _known(pair)) < LEAST_KNOWN:
        told = "The answer tells things that the text does not tell."
        return Problem("answer is not in the words of the text", told)
    return None


def _repeats(pair: QAPair) -> bool:
    """Whether an answer says again what a question said that asks for something new."""
    asked, told = content_words(pair.question), content_words(pair.answer)
    new = {word[:_STEM] for word in told} - {word[:_STEM] for word in asked} - _CAN
    asks_for_new = _ASKS.search(pair.question) and not _CHOICE.search(pair.question)
    new_number = known_amounts(pair.answer) - known_amounts(pair.question)
    return bool(asks_for_new and not new_number and not new)


def check_fit(pair: QAPair) -> Problem | None:
    """Return what is wrong with an answer that is not of the kind that its question asks for."""
    if fits_kind(pair.question, pair.answer) and not is_named_otherwise(pair):
        return None
    told = "The answer does not give what the question asks for."
    return Problem("answer does not fit its question", told)


def check_quote(pair: QAPair) -> Problem | None:
    """Return what is wrong with an answer that its quote does not tell."""
    support, best = measure_support(pair)
    if support < LEAST_SUPPORT or best - support > MOST_BEHIND:
        told = "What the answer tells is not in the sentences that were named for it."
        return Problem("answer does not rest on its quote", told)
    return None


def measure_support(pair: QAPair) -> tuple[float, float]:
    """Return the weighed share of the answer's own words that its quote has, and the largest share
    that as many sentences of the chunk have, or two if there are more.

    Own words are those that the chunk has and the question has not; of an answer with fewer
    than two, all that the chunk has. (1.0, 1.0) where there are none.
    """
    sentences, weights = _read_chunk(pair.chunk.text, pair.chunk.language)
    told = {root for root in find_roots(pair.answer) if root in weights}
    own = told - find_roots(pair.question)
    own = told if len(own) < 2 else own

    def share(roots: Set[str]) -> float:
        return sum(weights[root] for root in sorted(own & roots)) / whole

    whole = sum(weights[root] for root in sorted(own))
    if not whole:
        return 1.0, 1.0
    speaking = [one for one in sentences if one & own]
    most = min(len(pair.sentences), 2, len(speaking))
    best = max(share(set[str]().union(*some)) for some in combinations(speaking, most))
    return share(find_roots(pair.quote)), best


@lru_cache(maxsize=64)  # all pairs of a chunk ask for it
def _read_chunk(text: str, language: str) -> tuple[list[frozenset[str]], Mapping[str, float]]:
    """Return the roots of each sentence, and a weight for each root.

    It is log(1 + sentences / sentences that have the root).
    """
    sentences = [find_roots(one) for one in number_sentences(text, language)]
    having = Counter(root for one in sentences for root in one)
    weights = {root: math.log(1 + len(sentences) / count) for root, count in having.items()}
    return sentences, weights


def _known(pair: QAPair) -> str:
    return "\n".join((pair.chunk.source, *pair.chunk.headings, pair.chunk.text))


PairCheck = Callable[[QAPair], Problem | None]
ALL_CHECKS: tuple[PairCheck, ...] = (
    check_question,
    check_facts,
    check_words,
    check_fit,
    check_quote,
)
