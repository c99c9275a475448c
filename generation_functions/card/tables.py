"""Tables of a dataset card, in Markdown."""

from collections.abc import Sequence

NOT_MEASURED = "not measured"
MOST_ROWS = 40  # of a table that may have thousands


def make_table(head: Sequence[str], rows: Sequence[Sequence[str]], most: int = MOST_ROWS) -> str:
    """Return a Markdown table of the first rows, and how many there are more."""
    lines = [head, ["---"] * len(head), *rows[:most]]
    text = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
    more = len(rows) - most
    return f"{text}\n\nAnd {more:,} more." if more > 0 else text


def _cell(text: str) -> str:
    """Return a text that stays in its cell."""
    return " ".join(text.split()).replace("|", "\\|")
