"""How much a sentence says: units, bounds of figures ("more than 80"), "some" and "many"."""

import re
from collections.abc import Iterator, Sequence

from generation_functions.pipelines.amounts import known_amounts

BOUNDED = 3  # words behind a bound in which its figure stands

BOUNDS = re.compile(
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
            "many|most|numerous|(?:large|great|chief|main)(?:er)? part|majority|a lot of"
            "|(?:almost|nearly) (?:all|every|everybody|everyone|everywhere)",
            "(?<!almost )(?<!nearly )(?:all|every|everybody|everyone|everywhere)|each|whole|entire",
        ),
    )
)


def list_units(text: str) -> set[str]:
    """Return the units of measurement that a text names, by their full names."""
    return {unit for unit, forms in _UNITS.items() if forms.search(text)}


def is_bound_changed(sentence: str, plain: str) -> bool:
    """Whether a figure of both is bounded otherwise: "not more than 300", "only 300"."""
    both = known_amounts(sentence) & known_amounts(plain)
    given, told = (
        {(bound, figure) for bound, figure in _list_bounds(text) if figure in both}
        for text in (sentence, plain)
    )
    return given != told


def is_level_changed(sentence: str, plain: str) -> bool:
    """Whether both say how much or how often, and nothing of it alike."""
    return any(_is_changed(scale, sentence, plain) for scale in _SCALES)


def _list_bounds(text: str) -> Iterator[tuple[str, str]]:
    """Yield each bound of a figure ("more", "less", "about"), with the figure."""
    for match in BOUNDS.finditer(text):
        behind = " ".join(re.split(r"[,;:]\s", text[match.end() :])[0].split()[:BOUNDED])
        for figure in sorted(known_amounts(behind)):
            yield str(match.lastgroup), figure


def _is_changed(scale: Sequence[re.Pattern[str]], sentence: str, plain: str) -> bool:
    """Whether both speak of a level of the scale, and of none alike."""
    given, told = (
        {level for level, words in enumerate(scale) if words.search(text)}
        for text in (sentence, plain)
    )
    return bool(given and told) and given.isdisjoint(told)
