"""The grammar doctor: what is wrong with rules although they parse, and what to do about it.

It finds more than loading a grammar does, and takes its time. What it says of llama.cpp was
read and tried in llama-cpp-python 0.3.36 (src/llama-grammar.cpp).
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from generation_functions.engine.analysis import (
    can_end,
    close,
    find_left_recursion,
    may_be_empty,
    may_be_filled,
    reach,
    references,
    repeats,
)
from generation_functions.engine.gbnf import (
    LARGEST_BOUND,
    Chars,
    Choice,
    Node,
    Reference,
    Repeat,
    Rule,
    Sequence,
    parse_body,
    split_rules,
)

Rules = Mapping[str, Rule]
Source = tuple[str, str]  # a file's name and its text


def read_rules(sources: Iterable[Source]) -> tuple[dict[str, Rule], list[str]]:
    """Return the rules of (file name, text) sources, and problems of their definitions.

    As when a grammar is loaded, a rule of an earlier source goes before one of a later
    source. Raises GrammarError for what does not parse.
    """
    rules: dict[str, Rule] = {}
    problems = []
    for file, text in sources:
        own: dict[str, Rule] = {}
        for rule in split_rules(file, text):
            if rule.name in own:
                problems.append(
                    f"{rule.place}: rule `{rule.name}` is defined a second time (first at "
                    f"{own[rule.name].place}), and this one is not read. Delete one of them."
                )
            own.setdefault(rule.name, rule)
        rules = {**own, **rules}
    if "root" not in rules:
        problems.append(f"{file}:1: no rule named `root`. Add it; a reply begins there.")
    return rules, problems


def replace_bodies(rules: Rules, bodies: Mapping[str, str]) -> dict[str, Rule]:
    """Return the rules with these right-hand sides, without a look at what they use.

    Raises GrammarError for a body that does not parse.
    """
    return dict(rules) | {
        name: Rule(name, body, parse_body(body, rules[name].place), rules[name].place)
        for name, body in bodies.items()
        if name in rules
    }


def find_problems(rules: Rules) -> list[str]:
    """Return a line for each problem of the rules of one whole grammar."""
    problems = [
        *_find_undefined(rules),
        *_find_recursion(rules),
        *_find_unbounded(rules),
        *_find_oversized(rules),
        *_find_ambiguous(rules),
        *_find_empty(rules),
    ]
    return list(dict.fromkeys(problems))


def find_used(rules: Rules, starts: Iterable[str]) -> set[str]:
    """Return the names of `starts` and of all rules that they use."""
    return set(reach((name for name in starts if name in rules), lambda name: _uses(rules, name)))


def find_unused(file: str, text: str, used: Iterable[str]) -> list[str]:
    """Return a line for each rule of a file that is not in `used`."""
    names = set(used)
    return [
        f"{rule.place}: no grammar uses rule `{rule.name}`. Delete it, or mend the name where "
        "it should be used."
        for rule in split_rules(file, text)
        if rule.name not in names
    ]


def _uses(rules: Rules, name: str) -> list[str]:
    return [one for one in references(rules[name].node) if one in rules]


def _nodes(rules: Rules) -> dict[str, Node]:
    return {name: rule.node for name, rule in rules.items()}


def _find_undefined(rules: Rules) -> list[str]:
    problems = []
    for rule in rules.values():
        for name in references(rule.node):
            if name not in rules:
                near = get_close_matches(name, rules, 1)
                hint = f" Did you mean `{near[0]}`?" if near else ""
                problems.append(
                    f"{rule.place}: rule `{rule.name}` uses `{name}`, which is not defined. "
                    f"Define it, or mend the name.{hint}"
                )
    return problems


def _find_recursion(rules: Rules) -> list[str]:
    """Name each circle of rules once, by the worst that can be said of it."""
    after = {name: reach(_uses(rules, name), lambda one: _uses(rules, one)) for name in rules}
    left = set(find_left_recursion(_nodes(rules), rules))
    undefined = {name for rule in rules.values() for name in references(rule.node)} - rules.keys()
    ending = close(_nodes(rules), can_end, undefined)
    problems = []
    told: set[str] = set()
    for name, rule in rules.items():
        circle = [one for one in after[name] if name in after[one]]
        if name in told or name not in circle:
            continue
        told.update(circle)
        others = " and ".join(f"`{one}`" for one in circle if one != name)
        again = f"rule `{name}` uses itself" + (f" through {others}" if others else "")
        if not ending & set(circle):
            what = "has no way out: no text ends it. Add an alternative without it"
        elif left & set(circle):
            what = "begins with itself (left recursion), which llama.cpp refuses. Use {n,m}"
        else:
            what = "has no bound above it. Write the repetition as {n,m}"
        problems.append(f"{rule.place}: {again}, and {what}.")
    return problems


def _find_unbounded(rules: Rules) -> list[str]:
    return [
        f"{rule.place}: rule `{rule.name}` repeats without a bound: `*`, `+`, `{{n,}}`, or an "
        f"upper bound over {LARGEST_BOUND:,}, which llama.cpp takes for none. Write {{n,m}}: "
        "20 or more for a length, fewer for a count."
        for rule in rules.values()
        if any(one.most is None for one in repeats(rule.node))
    ]


def _find_oversized(rules: Rules) -> list[str]:
    """Count as llama.cpp does what a repetition writes out of the groups inside it."""
    problems = []
    known: set[str] = set()
    starts = ["root"] if "root" in rules else []
    for name in reach(starts, lambda one: _uses(rules, one)):
        known.add(name)
        size = max(_count_symbols(rules[name].node, known)[1], default=0)
        if size >= LARGEST_BOUND:
            problems.append(
                f"{rules[name].place}: the repetitions of rule `{name}` multiply to {size:,}; "
                f"llama.cpp writes them out and refuses {LARGEST_BOUND:,}. Lower the bounds, or "
                "give what is repeated a rule of its own."
            )
    return problems


def _count_symbols(node: Node, known: set[str]) -> tuple[int, list[int]]:
    """Return how many rules llama.cpp makes of a node, and the size of each repetition.

    A size is the rules made of what is repeated, times the bound. A name counts where it
    is met first.
    """
    match node:
        case Reference(name):
            new = name not in known
            known.add(name)
            return int(new), []
        case Sequence(items) | Choice(items):
            counts = [_count_symbols(item, known) for item in items]
            group = not all(isinstance(item, Chars) for item in items) or isinstance(node, Choice)
            return group + sum(one for one, _ in counts), [
                size for _, sub in counts for size in sub
            ]
        case Repeat(item, least, most):
            inside, sizes = _count_symbols(item, known)
            each = 1 if isinstance(item, Reference) else max(1, inside)
            made = 1 if most is None else most - least
            return inside + made, [*sizes, each * max(1, most if most is not None else least)]
        case _:
            return 0, []


def _find_ambiguous(rules: Rules) -> list[str]:
    empty = close(_nodes(rules), may_be_empty, ())
    return [
        f"{rule.place}: rule `{rule.name}` repeats up to {one.most} times what may be empty, so "
        "that llama.cpp follows as many ways at once. Let what is repeated have a character."
        for rule in rules.values()
        for one in repeats(rule.node)
        if one.most is not None and one.most > 1 and may_be_empty(one.item, empty)
    ]


def _find_empty(rules: Rules) -> list[str]:
    """Find what is empty by mistake; a rule that is just `""` says that it is meant."""
    undefined = {name for rule in rules.values() for name in references(rule.node)} - rules.keys()
    filled = close(_nodes(rules), may_be_filled, undefined)
    problems = []
    for name, rule in rules.items():
        if any(one.most == 0 for one in repeats(rule.node)):
            problems.append(
                f"{rule.place}: rule `{name}` repeats something 0 times. Delete that; where "
                'code makes the rule, let it make `""`.'
            )
        elif name not in filled and (rule.body != '""' or name == "root") and _ends(rules, name):
            problems.append(
                f"{rule.place}: rule `{name}` matches only the empty text. Say what it matches, "
                'or write `""` where that is meant.'
            )
    return problems


def _ends(rules: Rules, name: str) -> bool:
    """Whether texts end the rule: one that no text ends is told of elsewhere."""
    return name in close(_nodes(rules), can_end, ())
