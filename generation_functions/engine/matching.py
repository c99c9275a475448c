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


State = frozenset[_Frame | None]


class Matcher:
    """Matches text by keeping all ways that are still open, as llama.cpp does."""

    def __init__(self, rules: Mapping[str, Node], tight: bool) -> None:
        """With `tight`, every length bound is one less, so its last place is out of reach."""
        self._rules = rules
        self._tight = tight
        self._frames: dict[tuple[int, int, int], _Frame] = {}
        self._begins: dict[tuple[Node, str], bool] = {}
        self._steps: dict[tuple[_Frame, str], tuple[_Frame | None, ...]] = {}

    def accepts(self, text: str) -> bool:
        """Whether the whole text matches."""
        return self.is_complete(self.advance(self.start(), text))

    def matched_length(self, text: str) -> int:
        """Return how many characters of the text are taken, before one is refused."""
        state = self.start()
        for length, character in enumerate(text):
            state = self.advance(state, character)
            if not state:
                return length
        return len(text)

    def start(self) -> State:
        """Return all ways that are open before the first character."""
        return frozenset({self._frame(self._rules["root"], 0, None)})

    def advance(self, state: State, text: str) -> State:
        """Return the ways that are open after `text`; none where it is refused."""
        for character in text:
            if not state:
                break
            state = frozenset(after for way in state if way for after in self._step(way, character))
        return state

    def is_complete(self, state: State) -> bool:
        """Whether the text may end here."""
        return any(way is None or self._may_end(way) for way in state)

    def _step(self, way: _Frame, character: str) -> tuple[_Frame | None, ...]:
        """Return what may follow once `way` has taken a character.

        Ways that cannot begin with the character are left before they are unfolded.
        """
        key = (way, character)
        if key not in self._steps:
            found: set[_Frame | None] = set()
            seen: set[_Frame] = set()
            queue: list[_Frame | None] = [way]
            while queue:
                current = queue.pop()
                if current is None or current in seen:
                    continue
                seen.add(current)
                begun = current.count > 0  # a repetition that may be over
                if not begun and not self._may_begin(current.node, character):
                    continue
                if isinstance(current.node, Chars):
                    found.add(current.rest)
                elif isinstance(current.node, Choice):
                    options = [o for o in current.node.options if self._may_begin(o, character)]
                    queue += [self._frame(option, 0, current.rest) for option in options]
                else:
                    queue += self._unfold(current)
            self._steps[key] = tuple(found)
        return self._steps[key]

    def _may_begin(self, node: Node, character: str) -> bool:
        """Whether a node may begin with the character; true also where it may be empty."""
        key = (node, character)
        if key not in self._begins:
            match node:
                case Chars():
                    may = node.holds(character)
                case Reference(name):
                    may = self._may_begin(self._rules[name], character)
                case Choice(options):
                    may = any(self._may_begin(option, character) for option in options)
                case Sequence(items):
                    may = not items or self._may_begin(items[0], character)
                case Repeat(item, least, _):
                    may = least == 0 or self._may_begin(item, character)
            self._begins[key] = may
        return self._begins[key]

    def _may_end(self, start: _Frame) -> bool:
        """Whether nothing has to follow."""
        seen: set[_Frame] = set()
        queue: list[_Frame | None] = [start]
        while queue:
            way = queue.pop()
            if way is None:
                return True
            if way not in seen and not isinstance(way.node, Chars):
                seen.add(way)
                queue += self._unfold(way)
        return False

    def _frame(self, node: Node, count: int, rest: _Frame | None) -> _Frame:
        key = (id(node), count, id(rest))
        if key not in self._frames:
            self._frames[key] = _Frame(node, count, rest)
        return self._frames[key]

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
