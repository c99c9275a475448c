"""Whether a reply repeats what stands in its prompt's examples."""

import re
from collections.abc import Iterable

RUN = 8  # words in a row that two texts do not share by chance

_WORD = re.compile(r"\w+")


def find_copied(text: str, examples: Iterable[str], own: str = "", run: int = RUN) -> str | None:
    """Return the first `run` words in a row that `text` shares with an example, or None.

    Case and punctuation do not count. What the item's `own` text has too is no copy.
    """
    allowed = _runs(own, run)
    shown = {words for example in examples for words in _runs(example, run)}
    return next((" ".join(one) for one in list_runs(text, run) if one in shown - allowed), None)


def share_copied(text: str, source: str, run: int = RUN) -> float:
    """Return the share of the text's runs of `run` words that stand in `source` as they are.

    Case and punctuation do not count. 0.0 for a text of fewer words.
    """
    own = _runs(text, run)
    return len(own & _runs(source, run)) / len(own) if own else 0.0


def _runs(text: str, run: int) -> set[tuple[str, ...]]:
    return set(list_runs(text, run))


def list_runs(text: str, run: int) -> list[tuple[str, ...]]:
    """Return every `run` words in a row of a text, lower-cased."""
    words = _WORD.findall(text.lower())
    return [tuple(words[start : start + run]) for start in range(len(words) - run + 1)]
