"""A grammar: rules put together from files, some of them replaced for one item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from generation_functions.engine.gbnf import (
    Choice,
    Node,
    Reference,
    Repeat,
    Rule,
    Sequence,
    parse_body,
    split_rules,
)
from generation_functions.engine.matching import Matcher
from generation_functions.errors import GrammarError


@dataclass(frozen=True, slots=True)
class Grammar:
    """Rules by name; the start is `root`."""

    rules: Mapping[str, Rule]
    _matchers: dict[bool, "Matcher"] = field(default_factory=dict, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The rules that root reaches, as llama.cpp reads them."""
        return "".join(f"{name} ::= {self.rules[name].body}\n" for name in self.reachable())

    def reachable(self) -> list[str]:
        """Return the names of the rules that root reaches, root first."""
        found, queue = [], ["root"]
        while queue:
            name = queue.pop(0)
            if name not in found:
                found.append(name)
                queue += references(self.rules[name].node)
        return found

    def replace(self, bodies: Mapping[str, str]) -> "Grammar":
        """Return the grammar with the right-hand sides of named rules replaced.

        Raises GrammarError for a rule that does not exist or a body that does not parse.
        """
        rules = dict(self.rules)
        for name, body in bodies.items():
            if name not in rules:
                raise GrammarError(f"{rules['root'].place}: no rule `{name}` to replace.")
            place = f"{rules[name].place} (replaced)"
            rules[name] = Rule(name, body, parse_body(body, place), place)
        return check_references(Grammar(rules))

    def matches(self, text: str) -> bool:
        """Whether the whole text is in the grammar's language."""
        return self._matcher(tight=False).accepts(text)

    def reaches_bound(self, text: str) -> bool:
        """Whether a text of the language has used a length bound up: it may be cut."""
        return not self._matcher(tight=True).accepts(text)

    def _matcher(self, tight: bool) -> "Matcher":
        if tight not in self._matchers:
            self._matchers[tight] = Matcher(
                {name: rule.node for name, rule in self.rules.items()}, tight
            )
        return self._matchers[tight]


def parse_grammar(sources: Iterable[tuple[str, str]]) -> Grammar:
    """Parse (file name, text) sources into one grammar.

    A rule of a later source gives way to one of the same name in an earlier source.
    Raises GrammarError with file and line.
    """
    rules: dict[str, Rule] = {}
    for file, text in sources:
        for rule in split_rules(file, text):
            rules.setdefault(rule.name, rule)
    if "root" not in rules:
        names = ", ".join(file for file, _ in sources)
        raise GrammarError(f"{names}: no rule named `root`; a grammar starts there.")
    return check_references(Grammar(rules))


def check_references(grammar: Grammar) -> Grammar:
    """Return the grammar; raise GrammarError for undefined and left-recursive rules."""
    for rule in grammar.rules.values():
        for name in references(rule.node):
            if name not in grammar.rules:
                raise GrammarError(f"{rule.place}: rule `{rule.name}` uses `{name}`, not defined.")
    for name in grammar.reachable():
        _refuse_left_recursion(grammar, name)
    return grammar


def references(node: Node) -> list[str]:
    """Return the names of the rules a node uses."""
    match node:
        case Reference(name):
            return [name]
        case Sequence(items):
            return [name for item in items for name in references(item)]
        case Choice(options):
            return [name for item in options for name in references(item)]
        case Repeat(item, _, _):
            return references(item)
        case _:
            return []


def _refuse_left_recursion(grammar: Grammar, name: str) -> None:
    seen: set[str] = set()
    queue = _first_references(grammar, grammar.rules[name].node)
    while queue:
        current = queue.pop()
        if current == name:
            raise GrammarError(
                f"{grammar.rules[name].place}: rule `{name}` begins with itself (left recursion)."
            )
        if current not in seen:
            seen.add(current)
            queue |= _first_references(grammar, grammar.rules[current].node)


def _first_references(grammar: Grammar, node: Node) -> set[str]:
    match node:
        case Reference(name):
            return {name}
        case Choice(options):
            return set().union(*(_first_references(grammar, one) for one in options))
        case Repeat(item, _, _):
            return _first_references(grammar, item)
        case Sequence(items):
            found: set[str] = set()
            for item in items:
                found |= _first_references(grammar, item)
                if not _may_be_empty(grammar, item, frozenset()):
                    break
            return found
        case _:
            return set()


def _may_be_empty(grammar: Grammar, node: Node, open_rules: frozenset[str]) -> bool:
    match node:
        case Reference(name):
            if name in open_rules:
                return False
            return _may_be_empty(grammar, grammar.rules[name].node, open_rules | {name})
        case Choice(options):
            return any(_may_be_empty(grammar, one, open_rules) for one in options)
        case Repeat(item, least, _):
            return least == 0 or _may_be_empty(grammar, item, open_rules)
        case Sequence(items):
            return all(_may_be_empty(grammar, one, open_rules) for one in items)
        case _:
            return False
