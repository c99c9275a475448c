"""Whether an answer is of the kind that its question asks for, and of the same thing."""

import re

from generation_functions.pipelines.amounts import known_amounts, known_months, months
from generation_functions.pipelines.reasons import asks_for_reason
from generation_functions.pipelines.wording import names
from generation_functions.records import QAPair

_ASKS_FOR_AMOUNT = re.compile(
    r"\bhow (?:many|much|long|far|old|often|high|low|deep|wide|tall|heavy|fast|hot|great|soon)\b"
    r"|\b(?:what|which) (?:percentage|proportion|temperatures?|distance|number|limits)\b",
    re.IGNORECASE,
)
_ASKS_FOR_TIME = re.compile(
    r"(?:^|\band |\bsince )\W*when\b|\bwhen\?|\b(?:what|which) (?:year|date|day|month|century)\b",
    re.IGNORECASE,
)
_ASKS_FOR_NAME = re.compile(r"\b(?:who|whom|whose|where|which|from what)\b", re.IGNORECASE)
# Generous: an answer that has none of these gives no amount, no time, no reason.
_AMOUNT = re.compile(
    r"\b(?:one|once|half|all|none|no|many|few|several|much|little|most|every|each|an?|until|till"
    r"|as (?:much|many|long|far|often|high|deep)|more|less|enough|always|never|usually|annually"
    r"|daily|weekly|first|second|next to nothing|nothing|any\w*)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:(?:century|year|day|night|morning|evening|noon|midday|week|month|hour|minute|season)s?"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
    r"|spring|summer|autumn|winter|before|after|during|while|until|till|since|once|as soon|at the"
    r"|on the|in the|age|(?:some)?times?|early|late|later|already|always|never|if|when\w*|by the"
    r"|soon|then|now|upon|as)\b",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"\b(?:because|since|so|as|for|to|due|cause[sd]?|reasons?|otherwise|therefore|thus|hence|lest"
    r"|owing|prevent\w*|avoid\w*|allow\w*|mak\w+|would|could|might|may|must|can\w*|need\w*|if"
    r"|without|not|by|that|lets?|keeps?|helps?|gives?|wh\w+|from|with|ha[sd]|too|no|an?|the)\b",
    re.IGNORECASE,
)
_LEADS_ELSEWHERE = re.compile(
    r"\W*(?:he|she|it|they|this|that|these|those|his|her|its|their|such|because|since|if|when"
    r"|while|as|both|each|one|some|yes|no|to|by|from|with)\b",
    re.IGNORECASE,
)
_CAPITALISED = re.compile(r"[A-Z][^\W\d_]+")


def fits_kind(question: str, answer: str) -> bool:
    """Whether an answer has an amount, a time, a reason, where the question asks for one."""
    counted = bool(known_amounts(answer) or months(answer))
    if _ASKS_FOR_AMOUNT.search(question) and not (counted or _AMOUNT.search(answer)):
        return False
    if _ASKS_FOR_TIME.search(question) and not (counted or _TIME.search(answer)):
        return False
    return not asks_for_reason(question) or bool(_REASON.search(answer))


def is_named_otherwise(pair: QAPair) -> bool:
    """Whether the answer tells of another named thing than the question asks about.

    That is so when the quote has a name of the question that the answer lacks, and one of the
    answer that the question lacks. Told only where an amount is asked for, and not a name, and
    where the answer does not begin with a word that takes up the question ("It").
    """
    if not _ASKS_FOR_AMOUNT.search(pair.question) or _ASKS_FOR_NAME.search(pair.question):
        return False
    if _LEADS_ELSEWHERE.match(pair.answer):
        return False
    quoted = _find_names(pair.quote, pair.chunk.text)
    asked = _find_names(pair.question, pair.chunk.text) & quoted
    told = _find_names(pair.answer, pair.chunk.text) & quoted
    return bool(asked and told - asked and not asked & told)


def _find_names(text: str, known: str) -> set[str]:
    """Return the names of a text, also at the beginning of a sentence if `known` has them inside
    of one; no months."""
    inside = names(known)
    found = {word.lower() for word in _CAPITALISED.findall(text)} & inside | names(text)
    return {name for name in found if name[:3] not in known_months(name)}
