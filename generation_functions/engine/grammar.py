"""A grammar: rules put together from files, some of them replaced for one item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from generation_functions.engine.analysis import find_left_recursion, reach, references
from generation_functions.engine.gbnf import Rule, parse_body, split_rules
from generation_functions.engine.matching import Matcher
from generation_functions.errors import GrammarError


@dataclass(frozen=True, slots=True)
class Grammar:
    """Rules by name; the start is `root`."""

    rules: Mapping[str, Rule]
    _matchers: dict[bool, "Matcher"] = field(default_factory=dict, compare=False, repr=False)

    @property
    def text(self) -> str:
        """The rules that root reaches, as llama.cpp reads them.

        llama.cpp looks for what follows `::=` and `|` in the next line too, so that a body
        which ends there is given the empty literal.
        """
        return "".join(f"{name} ::= {_close(self.rules[name].body)}\n" for name in self.reachable())

    def reachable(self) -> list[str]:
        """Return the names of the rules that root reaches, root first."""
        return reach(["root"], lambda name: references(self.rules[name].node))

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

    def matched_length(self, text: str) -> int:
        """Return how many characters of the text the grammar takes, before it refuses one."""
        return self._matcher(tight=False).matched_length(text)

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
    nodes = {name: rule.node for name, rule in grammar.rules.items()}
    for name in find_left_recursion(nodes, grammar.reachable()):
        raise GrammarError(
            f"{grammar.rules[name].place}: rule `{name}` begins with itself (left recursion)."
        )
    return grammar


def _close(body: str) -> str:
    return f'{body} ""' if not body or body.endswith("|") else body
