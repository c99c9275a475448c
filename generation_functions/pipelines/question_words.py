"""The words of a question that is made of its answer: the answer's own, and those that ask.

A small model turns a statement round when it may say what it likes: of "Loose earth stops the
pump" it makes "How can the pump be kept from stopping?". Held to the statement's words, in any
of their forms, and to words that only ask, it can hardly ask for anything else.
"""

import re
from collections.abc import Iterable

from generation_functions.pipelines.reasons import gives_reason
from generation_functions.pipelines.spelling import load_dictionary

# Which words there are besides the answer's. No negations, which turn a question round, and no
# pronouns, which stand for what a question has not named.
_LINKS = """a an and any are as at at be been being but by can could did do does for from had has
    have how if in into is kind made make may might more most much must of off on or
    other out over part should some than that the through to under up upon was were
    what when where which while who whom whose why will with within would"""
_ASKING = """according amount animal animals called city colour country day doing done example form
    group happen happens happened instead length material means method name number
    objects people person persons place size sort substance things thing time tool way
    ways word year years"""
# Words that ask for a reason, where the answer gives one.
_REASONS = "aim cause causes consequence effect purpose reason result".split()
# What stands for somebody or something that a question has not named.
_UNNAMED = frozenset(
    """he her hers him his i it its me my our ours she that their theirs them these they this those
    us we you your yours yourself himself herself itself themselves""".split()
)
_NEGATIONS = "no not never nor neither without".split()
_NEGATED = re.compile(r"\b(?:no|not|never|nor|neither|without|cannot)\b|n[’']t\b", re.IGNORECASE)
# What ends as a form does, and is none.
_BASES = frozenset(
    "bring fling ring sing sling spring sting string swing wring bed shed wed".split()
)
_IS_FORM = re.compile(r"(?:[^s]s|ing|[^e]ed)$")
_WORD = re.compile(r"[A-Z]\.(?=\s)|[^\s—]+")
_MARKS = ".,;:!?'’‘`_*“”\"()[]"
_INITIAL = re.compile(r"[A-Z]\.")
_VOWELS = "aeiou"


def list_words(answer: str) -> list[str]:
    """Return the words that a question about an English answer may have, in a stable order."""
    words = dict.fromkeys((*_LINKS.split(), *_ASKING.split()))
    if _NEGATED.search(answer):
        words |= dict.fromkeys(_NEGATIONS)
    if gives_reason(answer):
        words |= dict.fromkeys(_REASONS)
    for word in _list_said(answer):
        if word.lower() not in words and word.lower() not in _UNNAMED:
            words |= dict.fromkeys((word, *_find_forms(word)))
    return list(words)


def is_verb(word: str) -> bool:
    """Whether the dictionary has an English word with "-ing", and it may be a verb's base form."""
    short = word.removesuffix("e")
    double = word + word[-1] if word[-1] not in _VOWELS else word
    forms = [f"{short}ing", f"{double}ing", f"{word}ing"]
    if word in _LINKS.split() or (_IS_FORM.search(word) and word not in _BASES):
        return False
    return bool(load_dictionary("en").known(forms))


def _list_said(answer: str) -> list[str]:
    """Return the words of an answer without the marks around them, in a stable order."""
    found: list[str] = _WORD.findall(answer)
    words = (word if _INITIAL.fullmatch(word) else word.strip(_MARKS) for word in found)
    return list(dict.fromkeys(filter(None, words)))


def _find_forms(word: str) -> Iterable[str]:
    """Return the forms of a word that the dictionary has; of names and figures the word alone."""
    lower = word.lower()
    if not lower.isascii() or not lower.isalpha() or len(lower) < 3:
        return [lower] if lower.isalpha() else []
    bases = {lower}
    for ending, others in (("ies", "y"), ("es", ""), ("s", ""), ("ied", "y"), ("ed", ""), ("d", ""),
                           ("ing", ""), ("ing", "e")):  # fmt: skip
        if lower.endswith(ending) and len(lower) - len(ending) >= 3:
            base = lower.removesuffix(ending) + others
            bases |= {base, base[:-1]} if base[-2:-1] == base[-1:] else {base}
    forms = set(bases)
    for base in bases:
        short = base.removesuffix("e")
        double = base + base[-1] if base[-1] not in _VOWELS else base
        forms |= {f"{base}s", f"{base}es", f"{short}ed", f"{short}ing"}
        forms |= {f"{double}ed", f"{double}ing"}
        if base.endswith("y"):
            forms |= {f"{base[:-1]}ies", f"{base[:-1]}ied"}
    known = load_dictionary("en").known(forms)
    return sorted({lower, *(known or forms)})
