"""Draw random texts from a grammar's language: for tests, and for engines without a model."""

import random
import string
from functools import lru_cache

from generation_functions.engine.gbnf import Chars, Choice, Node, Reference, Repeat, Sequence
from generation_functions.engine.grammar import Grammar

_LETTERS = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation
_MANY = 3


def draw_text(grammar: Grammar, seed: int) -> str:
    """Return a text of the grammar's language, the same for the same seed.

    Optional repetitions are short, so length bounds are not reached; a recursive
    grammar must have a way out that does not recurse as the first of its options.
    """
    return _draw(grammar, grammar.rules["root"].node, random.Random(seed), 0)


def _draw(grammar: Grammar, node: Node, rng: random.Random, depth: int) -> str:
    match node:
        case Reference(name):
            return _draw(grammar, grammar.rules[name].node, rng, depth + 1)
        case Choice(options):
            option = options[0] if depth > 60 else rng.choice(options)
            return _draw(grammar, option, rng, depth)
        case Sequence(items):
            return "".join(_draw(grammar, item, rng, depth) for item in items)
        case Repeat(item, least, most):
            upper = least + _MANY if most is None else min(most, least + _MANY)
            times = rng.randint(least, upper)
            return "".join(_draw(grammar, item, rng, depth) for _ in range(times))
        case Chars():
            return rng.choice(_characters(node))


@lru_cache(maxsize=1024)
def _characters(chars: Chars) -> str:
    """Return some characters of the class: printable ASCII where it has any."""
    usual = "".join(character for character in _LETTERS if chars.holds(character))
    if usual or not chars.negated:
        return usual or "".join(chr(low) for low, _ in chars.ranges)
    return next(chr(code) for code in range(0xA1, 0x10000) if chars.holds(chr(code)))
