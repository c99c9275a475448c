"""GBNF, the grammar notation of llama.cpp: from text to rules.

The notation: ggml-org/llama.cpp, grammars/README.md (without its token literals <...>).
"""

import re
import sys
from dataclasses import dataclass

from generation_functions.errors import GrammarError

LARGEST_BOUND = (
    2000  # llama.cpp takes a larger upper bound for none, and refuses a larger lower one
)


@dataclass(frozen=True, slots=True, eq=False)
class Chars:
    """One character out of (or, negated, not out of) ranges of code points."""

    ranges: tuple[tuple[int, int], ...]
    negated: bool = False

    def holds(self, character: str) -> bool:
        """Whether the class admits the character."""
        code = ord(character)
        return any(low <= code <= high for low, high in self.ranges) != self.negated


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """One node after the other."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of several nodes."""

    options: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """A node, `least` to `most` times; None is without bound, or above LARGEST_BOUND."""

    item: "Node"
    least: int
    most: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A rule by its name."""

    name: str


Node = Chars | Sequence | Choice | Repeat | Reference


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it stands in its file; `body` is its right-hand side as text."""

    name: str
    body: str
    node: Node
    place: str


def split_rules(file: str, text: str) -> list[Rule]:
    """Cut a file into rules; one begins at each `name ::=` at the start of a line.

    Raises GrammarError with file and line.
    """
    heads = list(re.finditer(r"^[ \t]*([A-Za-z0-9-]+)[ \t]*::=", text, re.MULTILINE))
    before = re.sub(r"#.*", "", text[: heads[0].start()] if heads else text).strip()
    if before or not heads:
        line = 1 + len(text) - len(text.lstrip())
        raise GrammarError(f"{file}:{min(line, 1 + text.count(chr(10)))}: no rule `name ::= ...`.")
    rules = []
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() : following.start() if following else len(text)]
        line = text.count("\n", 0, head.start()) + 1
        node = parse_body(body, f"{file}:{line}", file, line)
        clean = " ".join(_strip_comment(one) for one in body.splitlines()).strip()
        rules.append(Rule(head[1], re.sub(r"\s+$", "", clean), node, f"{file}:{line}"))
    return rules


def parse_body(body: str, place: str, file: str = "", line: int = 0) -> Node:
    """Parse a right-hand side that stands at `place` (with `file`, errors count lines)."""
    return _Parser(body, place, file, line).parse_all()


def _strip_comment(line: str) -> str:
    """Drop a `#` comment, not a `#` inside a literal or a class."""
    match = re.match(r'(?:"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|[^"\[#])*', line)
    return (match[0] if match else line).strip()


_EMPTY = Sequence(())
_GAP = r"(?:[ \t\r\n]|#[^\n]*\n)*"
_REPETITION = re.compile(rf"([*+?])|\{{{_GAP}(\d+){_GAP}(?:(,){_GAP}(\d*){_GAP})?\}}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "[": "[", "]": "]", "-": "-"}


class _Parser:
    """Recursive descent over one right-hand side."""

    def __init__(self, text: str, place: str, file: str = "", line: int = 0) -> None:
        self._text = text
        self._at = 0
        self._place = place
        self._file = file
        self._line = line

    def parse_all(self) -> Node:
        self._skip(newlines=True)
        node = self._choice(nested=False)
        self._skip(newlines=True)
        if self._at < len(self._text):
            raise self._error(f"unexpected {self._text[self._at]!r}")
        return node

    def _error(self, what: str) -> GrammarError:
        line = self._line + self._text.count("\n", 0, self._at)
        place = f"{self._file}:{line}" if self._file else self._place
        return GrammarError(f"{place}: {what}.")

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, newlines: bool) -> None:
        pattern = r"(?:[ \t]|#[^\n]*|\r?\n)*" if newlines else r"(?:[ \t]|#[^\n]*)*"
        match = re.compile(pattern).match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _choice(self, nested: bool) -> Node:
        options = [self._sequence(nested)]
        while self._peek() == "|":
            self._at += 1
            self._skip(newlines=True)
            options.append(self._sequence(nested))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self, nested: bool) -> Node:
        items: list[Node] = []
        while (character := self._peek()) and character not in "|)\n\r":
            single = self._single(character)
            item = self._repeated(single, nested)
            if isinstance(item, Repeat) and single is _EMPTY:
                raise self._error("an empty literal is repeated")
            items.append(item)
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _single(self, character: str) -> Node:
        if character == '"':
            return self._literal()
        if character == "[":
            return self._class()
        if character == ".":
            self._at += 1
            return Chars((), negated=True)
        if character == "(":
            self._at += 1
            self._skip(newlines=True)
            node = self._choice(nested=True)
            if self._peek() != ")":
                raise self._error("a group `(` is not closed")
            self._at += 1
            return node
        name = re.compile(r"[A-Za-z0-9-]+").match(self._text, self._at)
        if not name:
            raise self._error(f"unexpected {character!r}")
        self._at = name.end()
        return Reference(name[0])

    def _repeated(self, node: Node, nested: bool) -> Node:
        self._skip(newlines=nested)
        match = _REPETITION.match(self._text, self._at)
        if not match:
            if self._peek() == "{":
                raise self._error("a repetition is {n}, {n,} or {n,m}")
            return node
        if match[1]:
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[match[1]]
        else:
            least = int(match[2])
            most = (int(match[4]) if match[4] else None) if match[3] else least
        if most is not None and most < least:
            raise self._error(f"a repetition from {least} to {most} has no way")
        if least > LARGEST_BOUND:
            raise self._error(f"a repetition of at least {least} is above {LARGEST_BOUND}")
        self._at = match.end()
        if most is not None and most > LARGEST_BOUND:
            most = None
        return self._repeated(Repeat(node, least, most), nested)

    def _literal(self) -> Node:
        self._at += 1
        items: list[Node] = []
        while self._peek() != '"':
            code = ord(self._character('a literal `"`'))
            items.append(Chars(((code, code),)))
        self._at += 1
        if not items:
            return _EMPTY
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _class(self) -> Node:
        self._at += 1
        negated = self._peek() == "^"
        self._at += negated
        ranges = []
        while self._peek() != "]":
            low = high = ord(self._character("a class `[`"))
            if self._peek() == "-" and self._text[self._at + 1 : self._at + 2] != "]":
                self._at += 1
                high = ord(self._character("a class `[`"))
            if high < low:
                raise self._error("a range of characters runs backwards")
            ranges.append((low, high))
        if not ranges:
            raise self._error("a class `[]` has no characters; llama.cpp skips it, so delete it")
        self._at += 1
        return Chars(tuple(ranges), negated)

    def _character(self, inside: str) -> str:
        character = self._peek()
        if character in ("", "\n", "\r"):
            raise self._error(f"{inside} is not closed on its line")
        self._at += 1
        if character != "\\":
            return character
        escape = self._peek()
        self._at += 1
        if escape in _ESCAPES and escape:
            return _ESCAPES[escape]
        width = {"x": 2, "u": 4, "U": 8}.get(escape, 0)
        digits = self._text[self._at : self._at + width]
        if not width or not re.fullmatch(rf"[0-9a-fA-F]{{{width}}}", digits):
            raise self._error(f"unknown escape \\{escape}")
        self._at += width
        if int(digits, 16) > sys.maxunicode:
            raise self._error(f"no character has the code \\{escape}{digits}")
        return chr(int(digits, 16))
