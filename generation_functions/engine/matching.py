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
        self._open_ways: dict[_Frame, tuple[_Frame | None, ...]] = {}
        self._steps: dict[tuple[_Frame, str], tuple[_Frame | None, ...]] = {}

    def accepts(self, text: str) -> bool:
        """Whether the whole text matches."""
        state: set[_Frame | None] = {self._frame(self._rules["root"], 0, None)}
        for character in text:
            state = {after for way in state if way for after in self._step(way, character)}
            if not state:
                return False
        return any(way is None or None in self._open(way) for way in state)

    def _step(self, way: _Frame, character: str) -> tuple[_Frame | None, ...]:
        """Return what may follow once `way` has taken a character."""
        key = (way, character)
        if key not in self._steps:
            self._steps[key] = tuple(
                {
                    first.rest
                    for first in self._open(way)
                    if first and isinstance(first.node, Chars) and first.node.holds(character)
                }
            )
        return self._steps[key]

    def _frame(self, node: Node, count: int, rest: _Frame | None) -> _Frame:
        key = (id(node), count, id(rest))
        if key not in self._frames:
            self._frames[key] = _Frame(node, count, rest)
        return self._frames[key]

    def _open(self, start: _Frame) -> tuple[_Frame | None, ...]:
        """Unfold until every way begins with a character class, or is at its end (None)."""
        if start not in self._open_ways:
            found: set[_Frame | None] = set()
            seen: set[_Frame | None] = set()
            queue: list[_Frame | None] = [start]
            while queue:
                way = queue.pop()
                if way in seen:
                    continue
                seen.add(way)
                if way is None or isinstance(way.node, Chars):
                    found.add(way)
                else:
                    queue += self._unfold(way)
            self._open_ways[start] = tuple(found)
        return self._open_ways[start]

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
