"""Texts changed by code: the case of letters, joined words, slips of a hand on a keyboard.

The functions bear the names that they had in the program's ancestor. Each changes a share of a
text's words, drawn by a seed. Figures with the word behind them ("5 mW"), dates and what is no
plain word stay as they are; names too, except for the case of their letters.
"""

import re
from collections.abc import Callable, Mapping

from generation_functions.choosing import draw_number
from generation_functions.pipelines.landmarks import find_landmarks

# A word alone between spaces, with at most a stop behind it; so no tag, key or code is touched.
_WORD = re.compile(r"(?<!\S)[^\W\d_]{2,}(?=[.,;:!?]?(?!\S))")
_FIGURE = re.compile(r"\d\S* \Z")
_FARTHEST = 20  # characters before a word in which a figure is looked for
_BEFORE = re.compile(r"(?:^|[.!?]\s+|\n)\Z")
SLIPS = "keyboard_augmentation"
_DRAWN = 2**32
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {
    letter: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _ROWS
    for place, letter in enumerate(row)
}


def _alternate(word: str, drawn: int) -> str:
    return "".join(
        letter.upper() if place % 2 == drawn % 2 else letter.lower()
        for place, letter in enumerate(word)
    )


def _randomize(word: str, drawn: int) -> str:
    return "".join(
        letter.upper() if drawn >> place % 200 & 1 else letter.lower()
        for place, letter in enumerate(word)
    )


def _slip(word: str, drawn: int) -> str:
    """Replace one letter by its neighbour on a QWERTY keyboard."""
    places = [place for place, letter in enumerate(word) if letter.lower() in _NEAR]
    if not places:
        return word
    place = places[drawn % len(places)]
    near = _NEAR[word[place].lower()]
    letter = near[drawn // len(places) % len(near)]
    return word[:place] + (letter.upper() if word[place].isupper() else letter) + word[place + 1 :]


_CASES: Mapping[str, Callable[[str, int], str]] = {
    "allcaps": lambda word, drawn: word.upper(),
    "lowercase": lambda word, drawn: word.lower(),
    "serialkillercase": _alternate,
    "titlecase": lambda word, drawn: word.title(),
    "sentencecase": lambda word, drawn: word.lower(),
    "randomcase": _randomize,
    "invertcase": lambda word, drawn: word.swapcase(),
    SLIPS: _slip,
}
# How two words become one.
_JOINS: Mapping[str, Callable[[str, str], str]] = {
    "snakecase": lambda one, other: f"{one}_{other}",
    "kebabcase": lambda one, other: f"{one}-{other}",
    "camelcase": lambda one, other: one + other.title(),
    "pascalcase": lambda one, other: one.title() + other.title(),
}
CODE_VARIATIONS = (*_CASES, *_JOINS)


def vary_by_code(text: str, function: str, rate: float, *key: object) -> str:
    """Return a text in which `function` changed a share `rate` of the words that it may change.

    The key decides which, and what is left to chance. "sentencecase" leaves the first word of a
    sentence alone. Functions that join take each drawn word together with the next.
    """
    kept = find_landmarks(text, with_names=function not in _CASES or function == SLIPS)
    words = [
        match
        for match in _WORD.finditer(text)
        if not (_touches(match.span(), kept) or _is_unit(text, match.start()))
    ]
    parts: list[str] = []
    place = 0
    for number, match in enumerate(words):
        drawn = draw_number(*key, function, number)
        if match.start() < place or drawn % _DRAWN >= rate * _DRAWN:
            continue
        following = words[number + 1] if number + 1 < len(words) else None
        end, changed = match.end(), match.group()
        if function in _CASES:
            opens = function == "sentencecase" and _BEFORE.search(text[: match.start()])
            changed = changed if opens else _CASES[function](changed, drawn // _DRAWN)
        elif following and text[end : following.start()] == " ":
            end, changed = following.end(), _JOINS[function](changed, following.group())
        parts += [text[place : match.start()], changed]
        place = end
    return "".join([*parts, text[place:]])


def _is_unit(text: str, start: int) -> bool:
    """Whether the word that starts there has a figure before it, whose unit it may be."""
    return bool(_FIGURE.search(text[max(0, start - _FARTHEST) : start]))


def _touches(span: tuple[int, int], kept: list[tuple[int, int]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in kept)
