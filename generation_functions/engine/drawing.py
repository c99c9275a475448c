"""Draw random texts from a grammar's language: for tests, and for engines without a model."""

import random
import string
from functools import lru_cache

from generation_functions.engine.analysis import repeats
from generation_functions.engine.gbnf import Chars, Choice, Node, Reference, Repeat, Sequence
from generation_functions.engine.grammar import Grammar

_LETTERS = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation
_STRANGE = "é߯ñΩжЪאعहあ漢한“”‘’«»—–…·½²‰€。？！،؟\t\n\r\\\"'[]{}<>|:;\u00a0\u200d\u0301"
_MANY = 3


def draw_text(grammar: Grammar, seed: int) -> str:
    """Return a text of the grammar's language, the same for the same seed.

    Optional repetitions are short, so length bounds are not reached; a recursive
    grammar must have a way out that does not recurse as the first of its options.
    """
    return _Drawing(grammar, random.Random(seed)).draw(grammar.rules["root"].node, 0)


def draw_extreme(grammar: Grammar, seed: int) -> str:
    """Return a text with one of the grammar's repetitions at its upper bound.

    Seeds that follow each other take the repetitions in turn; the others are as short as may
    be, or one longer, and of alternatives the first is taken mostly. Every eighth character
    is a strange one of its class, if it has one.
    """
    bounded = [one for name in grammar.reachable() for one in repeats(grammar.rules[name].node)]
    full = bounded[seed % len(bounded)] if bounded else None
    drawing = _Drawing(grammar, random.Random(seed), 1, full, strange=0.125)
    return drawing.draw(grammar.rules["root"].node, 0)


class _Drawing:
    """One draw: `full` is repeated as often as it may be, the rest at most `many` times more
    than they must.
    """

    def __init__(
        self,
        grammar: Grammar,
        rng: random.Random,
        many: int = _MANY,
        full: Repeat | None = None,
        strange: float = 0.0,
    ) -> None:
        self._rules = grammar.rules
        self._rng = rng
        self._many = many
        self._full = full
        self._strange = strange

    def draw(self, node: Node, depth: int) -> str:
        match node:
            case Reference(name):
                return self.draw(self._rules[name].node, depth + 1)
            case Choice(options):
                first = depth > 60 or (self._full and self._rng.random() < 0.75)
                return self.draw(options[0] if first else self._rng.choice(options), depth)
            case Sequence(items):
                return "".join(self.draw(item, depth) for item in items)
            case Repeat(item):
                return "".join(self.draw(item, depth) for _ in range(self._times(node)))
            case Chars():
                return self._character(node)

    def _times(self, repeat: Repeat) -> int:
        upper = repeat.least + self._many
        if repeat.most is not None:
            if repeat is self._full:
                return repeat.most
            upper = min(repeat.most, upper)
        return self._rng.randint(repeat.least, upper)

    def _character(self, chars: Chars) -> str:
        if self._strange and self._rng.random() < self._strange:
            return self._rng.choice(_strange(chars) or _usual(chars))
        return self._rng.choice(_usual(chars))


@lru_cache(maxsize=1024)
def _usual(chars: Chars) -> str:
    """Return some characters of the class: printable ASCII where it has any."""
    usual = "".join(character for character in _LETTERS if chars.holds(character))
    if usual or not chars.negated:
        return usual or "".join(chr(low) for low, _ in chars.ranges)
    return next(chr(code) for code in range(0xA1, 0x10000) if chars.holds(chr(code)))


@lru_cache(maxsize=1024)
def _strange(chars: Chars) -> str:
    """Return some characters of the class that are no plain ASCII letters, and its ends."""
    ends = "" if chars.negated else "".join(chr(end) for ends in chars.ranges for end in ends)
    return ends + "".join(character for character in _STRANGE if chars.holds(character))
