"""What can be told about rules without a text: what they use, begin with, and may leave empty."""

from collections.abc import Callable, Collection, Iterable, Mapping

from generation_functions.engine.gbnf import Choice, Node, Reference, Repeat, Sequence


def references(node: Node) -> list[str]:
    """Return the names of the rules a node uses."""
    match node:
        case Reference(name):
            return [name]
        case Sequence(items) | Choice(items):
            return [name for item in items for name in references(item)]
        case Repeat(item, _, _):
            return references(item)
        case _:
            return []


def repeats(node: Node) -> list[Repeat]:
    """Return the repetitions in a node, the outer ones first."""
    match node:
        case Sequence(items) | Choice(items):
            return [one for item in items for one in repeats(item)]
        case Repeat(item, _, _):
            return [node, *repeats(item)]
        case _:
            return []


def reach(starts: Iterable[str], uses: Callable[[str], Iterable[str]]) -> list[str]:
    """Return `starts` and all that they use, directly or not, the nearest first."""
    found: dict[str, None] = {}
    queue = list(starts)
    for name in queue:
        if name not in found:
            found[name] = None
            queue.extend(uses(name))
    return list(found)


def may_be_empty(node: Node, empty: Collection[str]) -> bool:
    """Whether a node matches the empty text, where the rules named in `empty` do."""
    return _holds(node, empty, of_character=False)


def can_end(node: Node, ending: Collection[str]) -> bool:
    """Whether some text ends a node, where texts end the rules named in `ending`."""
    return _holds(node, ending, of_character=True)


def _holds(node: Node, names: Collection[str], of_character: bool) -> bool:
    """Whether a node has what the rules in `names` have: by one option, and by all in a row."""
    match node:
        case Reference(name):
            return name in names
        case Choice(options):
            return any(_holds(one, names, of_character) for one in options)
        case Sequence(items):
            return all(_holds(one, names, of_character) for one in items)
        case Repeat(item, least, _):
            return least == 0 or _holds(item, names, of_character)
        case _:
            return of_character


def may_be_filled(node: Node, filled: Collection[str]) -> bool:
    """Whether a node has a character anywhere, where the rules named in `filled` have."""
    match node:
        case Reference(name):
            return name in filled
        case Sequence(items) | Choice(items):
            return any(may_be_filled(one, filled) for one in items)
        case Repeat(item, _, most):
            return most != 0 and may_be_filled(item, filled)
        case _:
            return True


def close(
    rules: Mapping[str, Node], holds: Callable[[Node, Collection[str]], bool], start: Iterable[str]
) -> set[str]:
    """Return the names for which `holds`, as far as that follows from `start` step by step."""
    found = set(start)
    rest = {name for name in rules if name not in found}
    while more := {name for name in rest if holds(rules[name], found)}:
        found |= more
        rest -= more
    return found


def leading_references(node: Node, empty: Collection[str]) -> set[str]:
    """Return the rules that a node may begin with, where the rules named in `empty` may be."""
    match node:
        case Reference(name):
            return {name}
        case Choice(options):
            return set().union(*(leading_references(one, empty) for one in options))
        case Repeat(item, _, _):
            return leading_references(item, empty)
        case Sequence(items):
            found: set[str] = set()
            for item in items:
                found |= leading_references(item, empty)
                if not may_be_empty(item, empty):
                    break
            return found
        case _:
            return set()


def find_left_recursion(rules: Mapping[str, Node], names: Iterable[str]) -> list[str]:
    """Return those of `names` whose rules may begin with themselves."""
    empty = close(rules, may_be_empty, ())
    first = {name: leading_references(node, empty) & rules.keys() for name, node in rules.items()}
    return [name for name in names if name in reach(first[name], first.__getitem__)]
