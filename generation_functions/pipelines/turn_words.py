"""What the words of a conversation's turn are: what can tell it apart, and what it asks for."""

import re
from functools import lru_cache

from generation_functions.pipelines.wording import content_words, names, numbers

STEM = 5  # letters of a stem, so that forms of a word are one

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
        """actually again always another anybody anyone anything apart away back besides bit both
        came come comes course either else ever every everybody everything exactly gave get gets
        getting give given gives go goes going got happen happened happens indeed instead kind know
        let's like lot mean neither never nothing now people person pretty put quite
        rather really right said say says simply somebody someone something sort still suppose
        sure take taken takes tell thing
        things think want way ways well whatever whole without
        aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't wasn't weren't won't
        wouldn't he'd he'll he's i'd i'll i'm i've it'd it'll it's she'd she's that's there's they'd
        they'll they're they've we'd we're we've what's who's you'd you'll you're you've"""
    )
)
_NAME = re.compile(r"[A-Z][^\W\d_]+")
_KINDS = {
    "who": r"who|whom|whose",
    "when": r"when|(?:what|which) (?:year|date|day|month|century|time)",
    "where": r"where|(?:what|which) (?:place|country|town|city)",
    "why": r"why|reasons?|what (?:made|makes|led)|how come|what for|purpose|cause[sd]?",
    "amount": r"how (?:many|much|long|far|old|often|high|deep|wide|tall|heavy|large|big|fast|hot"
    r"|great|soon|small|thick|strong)|what (?:percentage|proportion|share|temperature|size|weight"
    r"|rate|distance|number|limits?|range|figure|length|height|depth|speed|price|cost)",
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
    return frozenset(
        {stem[:STEM] for stem in stems if stem not in _NUMBER_WORDS} | counted
    ) | digits(text)


@lru_cache(maxsize=20_000)
def digits(text: str) -> Words:
    """Return the numbers in digits as `tell_apart` writes them."""
    return frozenset(f"#{number}" for number in numbers(text))


@lru_cache(maxsize=20_000)
def find_kinds(text: str) -> Words:
    """Return what a text asks for: "who", "when", "why", "amount" …; "what" where none is told."""
    kinds = {kind for kind, words in _ASKS.items() if words.search(text)}
    return frozenset(kinds or {"what"})


@lru_cache(maxsize=20_000)
def find_inner_names(text: str) -> Words:
    """Return the words of names that do not stand where a sentence begins."""
    return frozenset(stem for name in names(text) for stem in tell_apart(name))


def judge_reply(asked: str, told: str) -> dict[str, float]:
    """Return what speaks against `told` as a reply to `asked`, whatever the two are about."""
    kinds = find_kinds(asked)
    counted = any(word.startswith("#") for word in tell_apart(told))
    return {
        "no reason": float("why" in kinds and not _GIVES_REASON.search(told)),
        "a reason unasked": float("why" not in kinds and bool(_BEGINS_REASON.match(told))),
        "no amount": float("amount" in kinds and not counted),
        "yes or no unasked": float("whether" not in kinds and bool(_SAYS_YES_OR_NO.match(told))),
    }
