"""Whether plain words still tell what a sentence tells, and have left its wording behind.

All by code: figures, units, bounds ("more than 80"), names, denials, "some" and "many", the words.
It does not see who did what to whom; a share of the words that is kept leaves little room for that.
"""

import re
from collections.abc import Iterator, Sequence

from pydantic import Field

from generation_functions.pipeline_sections import PipelineSection
from generation_functions.pipelines.amounts import known_amounts
from generation_functions.pipelines.landmarks import find_foreign
from generation_functions.pipelines.roots import find_roots, share_known
from generation_functions.pipelines.strange import find_strange
from generation_functions.pipelines.wording import find_pointers, strange_script
from generation_functions.steps.copying import share_copied

RUN = 5  # words in a row by which wording is compared
LEAST_SHARED = 0.3  # share of the plain words' roots that the passage has
BOUNDED = 3  # words behind a bound in which its figure stands
MOST_BORROWED = 3  # words that only other sentences of the passage have, such as what "it" is
SLACK = 20  # characters that plain words may have more than the limit, for short sentences

_BOUNDS = re.compile(
    r"\b(?:(?P<less>(?:not|no|never) (?:\w+ )?(?:more|greater|higher|larger|longer|heavier) than"
    r"|not (?:over|above|exceed(?:ing)?)|at (?:the )?most|up to"
    r"|(?:less|fewer|lower|smaller|shorter|lighter) than|under|below|within)"
    r"|(?P<more>(?:not|no|never) (?:\w+ )?(?:less|fewer|lower|smaller|shorter|lighter) than"
    r"|not (?:under|below)|at (?:the )?least"
    r"|(?:more|greater|higher|larger|longer|heavier) than|over|above|beyond|exceed(?:s|ed|ing)?"
    r"|upwards of)"
    r"|(?P<about>about|approximately|roughly|around|nearly|almost|some(?= \d)))\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(r",? (?:however|indeed|moreover|of course|therefore),")  # "does not, however,"
_UNITS = {
    unit: re.compile(rf"(?<![^\W\d_])(?:{forms})(?![^\W\d_])", re.IGNORECASE)
    for unit, forms in {
        "millimetre": "millimet(?:re|er)s?|mm",
        "centimetre": r"centimet(?:re|er)s?|cm|c\.c\.",
        "metre": r"met(?:re|er)s?|(?<=\d )m",
        "kilometre": "kilomet(?:re|er)s?|km",
        "inch": "inch(?:es)?",
        "foot": "feet|foot|ft",
        "yard": "yards?",
        "mile": "miles?",
        "milligram": "milligram(?:me)?s?|mg",
        "gram": r"gram(?:me)?s?|(?<=\d )g",
        "kilogram": "kilogram(?:me)?s?|kilos?|kg",
        "ounce": "ounces?|oz",
        "pound": "pounds?|lbs?|£",
        "litre": r"lit(?:re|er)s?|(?<=\d )l",
        "gallon": "gallons?",
        "acre": "acres?",
        "percent": r"per ?cent(?:age)?|p\.c\.|%",
    }.items()
}
# Of each scale the levels, from little to much.
_SCALES = tuple(
    tuple(re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for words in levels)
    for levels in (
        (
            "sometimes|occasionally|at times|now and then",
            "often|frequently|usually|generally|commonly|mostly|as a rule",
            "always|invariably|constantly|continually|all the time",
        ),
        (
            "some|a few|several|certain",
            "many|most|numerous|(?:large|great|chief|main)(?:er)? part|majority|a lot of",
            "all|every|each|everybody|everyone|everywhere|whole|entire",
        ),
    )
)
_DENIAL = re.compile(
    r"\b(?:not?(?! but| only)|never|neither|nor|none|nothing|nobody|nowhere|without"
    r"|cannot(?! but)|hardly|scarcely|seldom|rarely|barely)\b|n['’]t\b",
    re.IGNORECASE,
)
# What may stand in the place of a denial, or have one in its place.
_NEAR_DENIAL = re.compile(
    r"\b(?:un(?!der|til|it|ion|iver|less)\w{4,}|\w+less|im(?:mobile|movable|perfect|permeable"
    r"|possible|probable|pure)|ir(?:regular|relevant|reversible)|in(?:active|animate|appreciable"
    r"|capable|combustible|complete|considerable|convenient|definite|dependent|different|direct"
    r"|exact|significant|soluble|sufficient|visible)|dis(?:agree|appear|connect|continu|like|regard"
    r"|similar)\w*)(?:ly)?\b"
    r"|\b(?:few|little|less|least|only|but|except|rather|instead|lacks?|lacked|lacking|fails?|failed"
    r"|free (?:from|of)|unless|until|stops?|stopped|refused?|missed|too|avoid\w*)\b",
    re.IGNORECASE,
)


class PlainLimits(PipelineSection):
    """How far plain words may stray from a sentence, and how near its wording they may stay.

    Shares are from 0 to 1.
    """

    least_kept: float = Field(default=0.5, ge=0, le=1)  # of the sentence's words, in any form
    most_copied: float = Field(default=0.25, ge=0, le=1)  # of the plain words' runs of RUN words
    least_length_ratio: float = Field(default=0.4, ge=0)  # of characters, to those of the sentence
    most_length_ratio: float = Field(default=2.0, ge=0)


def find_fault(
    sentence: str, plain: str, known: str, language: str, limits: PlainLimits
) -> str | None:
    """Return how plain words fail a sentence: they have its wording, or not its facts. Or None.

    `known` is all that they may take figures and names from: the passage, and its source.
    """
    if len(plain) < limits.least_length_ratio * len(sentence):
        return "much shorter than the sentence"
    if len(plain) > limits.most_length_ratio * len(sentence) + SLACK:
        return "much longer than the sentence"
    if strange_script(plain, known) or share_known(plain, known) < LEAST_SHARED:
        return "other words than the passage"
    if find_foreign(plain, known, language):
        return "a figure or name that the passage lacks"
    if find_strange(sentence, plain, language):
        return "a figure or name is lost"
    if _list_units(plain) - _list_units(known):
        return "a unit that the passage lacks"
    sentence, plain = _ASIDE.sub("", sentence), _ASIDE.sub("", plain)
    if _is_bound_changed(sentence, plain):
        return "a bound is changed"
    if any(_is_level_changed(scale, sentence, plain) for scale in _SCALES):
        return "some has become many, or often always"
    if _is_denial_changed(sentence, plain):
        return "a denial is lost or made up"
    if set(find_pointers(plain)) - set(find_pointers(known)):
        return "speaks of the text"
    if share_copied(plain, sentence, RUN) > limits.most_copied:
        return "the wording of the passage"
    if share_known(sentence, plain) < limits.least_kept:
        return "words are lost"
    if len((find_roots(plain) & find_roots(known)) - find_roots(sentence)) > MOST_BORROWED:
        return "tells other sentences too"
    return None


def _list_units(text: str) -> set[str]:
    return {unit for unit, forms in _UNITS.items() if forms.search(text)}


def _is_bound_changed(sentence: str, plain: str) -> bool:
    """Whether a figure of both is bounded otherwise: "not more than 300", "only 300"."""
    both = known_amounts(sentence) & known_amounts(plain)
    given, told = (
        {(bound, figure) for bound, figure in _list_bounds(text) if figure in both}
        for text in (sentence, plain)
    )
    return given != told


def _list_bounds(text: str) -> Iterator[tuple[str, str]]:
    """Yield each bound of a figure ("more", "less", "about"), with the figure."""
    for match in _BOUNDS.finditer(text):
        behind = " ".join(re.split(r"[,;:]\s", text[match.end() :])[0].split()[:BOUNDED])
        for figure in sorted(known_amounts(behind)):
            yield str(match.lastgroup), figure


def _is_level_changed(scale: Sequence[re.Pattern[str]], sentence: str, plain: str) -> bool:
    """Whether both speak of a level of the scale, and of none alike."""
    given, told = (
        {level for level, words in enumerate(scale) if words.search(text)}
        for text in (sentence, plain)
    )
    return bool(given and told) and given.isdisjoint(told)


def _is_denial_changed(sentence: str, plain: str) -> bool:
    """Whether one of them denies something, and the other has no word that could stand for it."""
    sentence, plain = _BOUNDS.sub("", sentence), _BOUNDS.sub("", plain)  # "not more than"
    denied = bool(_DENIAL.search(sentence))
    if denied == bool(_DENIAL.search(plain)):
        return False
    return not _NEAR_DENIAL.search(plain if denied else sentence)
