"""Match text against a grammar, independently of llama.cpp.

It serves the scripted engine, the tests, and the question whether a reply reached a
length bound: a repetition whose upper bound is `LENGTH_BOUND` or more limits length,
a smaller one counts things.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from generation_functions.engine.gbnf import Chars, Choice, Node, Reference, Repeat, Sequence

LENGTH_BOUND = 20


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """What is still to be matched: a node, how often it has been, and what follows."""

    node: Node
    count: int
    rest: "_Frame | None"


class Matcher:
    """Matches text by keeping all ways that are still open, as llama.cpp does."""

    def __init__(self, rules: Mapping[str, Node], tight: bool) -> None:
        """With `tight`, every length bound is one less, so its last place is out of reach."""
        self._rules = rules
        self._tight = tight
        self._frames: dict[tuple[int, int, int], _Frame] = {}

    def accepts(self, text: str) -> bool:
        """Whether the whole text matches."""
        ways = self._open([self._frame(self._rules["root"], 0, None)])
        for character in text:
            ways = self._open(
                [
                    way.rest
                    for way in ways
                    if way and isinstance(way.node, Chars) and way.node.holds(character)
                ]
            )
            if not ways:
                return False
        return None in ways

    def _frame(self, node: Node, count: int, rest: _Frame | None) -> _Frame:
        key = (id(node), count, id(rest))
        if key not in self._frames:
            self._frames[key] = _Frame(node, count, rest)
        return self._frames[key]

    def _open(self, ways: list[_Frame | None]) -> set[_Frame | None]:
        """Unfold until every way begins with a character class, or is at its end (None)."""
        found: set[_Frame | None] = set()
        seen: set[_Frame | None] = set()
        queue = list(ways)
        while queue:
            way = queue.pop()
            if way in seen:
                continue
            seen.add(way)
            if way is None or isinstance(way.node, Chars):
                found.add(way)
            else:
                queue += self._unfold(way)
        return found

    def _unfold(self, way: _Frame) -> list[_Frame | None]:
        match way.node:
            case Reference(name):
                return [self._frame(self._rules[name], 0, way.rest)]
            case Choice(options):
                return [self._frame(option, 0, way.rest) for option in options]
            case Sequence(items):
                rest = way.rest
                for item in reversed(items):
                    rest = self._frame(item, 0, rest)
                return [rest]
            case Repeat(item, least, most):
                ways: list[_Frame | None] = [way.rest] if way.count >= least else []
                if self._tight and most is not None and most >= LENGTH_BOUND and most > least:
                    most -= 1
                if most is None or way.count < most:
                    count = way.count + 1 if most is not None else min(way.count + 1, least)
                    ways.append(self._frame(item, 0, self._frame(way.node, count, way.rest)))
                return ways
            case _:
                return [way]
