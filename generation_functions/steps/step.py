"""A step: one prompt, the fields that fill it, the parser that reads its reply."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from generation_functions.engine.grammar import Grammar
from generation_functions.errors import GrammarError


class Item(Protocol):
    """Anything with a uuid can be asked about."""

    @property
    def uuid(self) -> str: ...


I = TypeVar("I", bound=Item)
O = TypeVar("O")


PARTS = 8  # of a reply, for which the max_tokens of its prompt are enough


def one_part(item: Any) -> int:
    """A reply about an item that is one whole."""
    return 1


def no_rules(item: Any) -> Mapping[str, str]:
    """The grammar as it stands in its file."""
    return {}


@dataclass(frozen=True, slots=True)
class Step(Generic[I, O]):
    """One prompt of a pipeline.

    `name` is also the name of prompts/<name>.yaml and grammars/<name>.gbnf.
    `fields(item)` gives the template's variables, no more and no fewer.
    `parse(item, reply)` returns the output, raises `Unparsable` to have the request
    asked again with the next seed, or `Rejected(reason)` for a final no.
    `rules(item)` replaces named rules of the grammar (their right-hand sides in GBNF): those that
    `replaces` names, which every grammar of the step must have, and those that it `offers`, which
    one may have. `labels` it must be able to write: `parse` finds the parts of a reply by them.
    `role` is the model role ("small" or "large") unless the config names another.
    `use_stop` says whether its stop strings are used, `completion_mode` whether the prompt is
    plain text; None: as under `system`.
    `folders` of prompts go before the run's own, and `like` names the step whose grammar is
    used where there is none of the step's own name.
    What a section of the config sets of these is applied with `dataclasses.replace`.
    `counted` is another name for the funnel, whose counts are kept apart from the run's own;
    records stay in the step's folder.
    `parts(item)` says how many pairs or exchanges a reply has: with more than PARTS the prompt's
    max_tokens grow in proportion.
    With `own_words`, a reply that shares a run of words with the prompt's examples is
    asked again (steps/copying.py), unless an offered rule gives its words.
    """

    name: str
    fields: Callable[[I], Mapping[str, Any]]
    parse: Callable[[I, str], O]
    rules: Callable[[I], Mapping[str, str]] = no_rules
    role: str = "small"
    use_stop: bool | None = None
    completion_mode: bool | None = None
    folders: tuple[str, ...] = ()
    like: str = ""
    counted: str = ""
    own_words: bool = False
    parts: Callable[[I], int] = one_part
    replaces: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def check_grammar(self, grammar: Grammar) -> None:
        """Raise GrammarError for a grammar that the step cannot use, naming its file."""
        place = grammar.rules["root"].place
        shown = f"grammars/{self.like or self.name}.gbnf shows how"
        for name in self.replaces:
            if name not in grammar.rules:
                raise GrammarError(
                    f"{place}: no rule `{name}`, which is replaced for each item: {shown}."
                )
        for label in self.labels:
            if f"{label}: " not in grammar.text:
                raise GrammarError(
                    f'{place}: nothing writes "\\n{label}: ", by which a reply is read: {shown}.'
                )

    def narrow(self, grammar: Grammar, item: I) -> Grammar:
        """Return the step's grammar with the rules replaced that are the item's own.

        Raises GrammarError for one that does not exist, unless it was only offered.
        """
        rules = self.rules(item)
        left = {name for name in self.offers if name not in grammar.rules}
        return grammar.replace({name: body for name, body in rules.items() if name not in left})

    def most_tokens(self, item: I, max_tokens: int) -> int:
        """Return how many tokens a reply about an item may have; `max_tokens` is its prompt's."""
        return max_tokens * max(PARTS, self.parts(item)) // PARTS


# What a grammar that keeps a text's words has a model write where they leave nothing to write.
NOTHING = "Nothing."


def write_literal(text: str) -> str:
    """Return `text` as a GBNF literal, for the right-hand side of a replaced rule."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
