"""The tables at the end of the GPU benchmark, from its JSON lines."""

from collections.abc import Iterable, Sequence
from typing import Any

Line = dict[str, Any]

_COLUMNS = (
    ("streams", "grammar", "decode_tokens_per_second"),
    ("streams", "free", "decode_tokens_per_second"),
    ("unified", "grammar", "decode_tokens_per_second"),
    ("unified", "free", "decode_tokens_per_second"),
    ("streams", "grammar", "tokens_per_second"),
    ("streams", "grammar", "own_share"),
)
_HEADINGS = (
    "  streams streams unified unified whole Python server server".split(" "),
    "slots context grammar free grammar free grammar share grammar free".split(" "),
)


def make_tables(lines: Sequence[Line]) -> str:
    """Return a table for each model, the swaps, and what was left out."""
    swaps = [line for line in lines if line.get("kind") == "swap"]
    measured = [line for line in lines if line.get("kind", "swap") != "swap"]
    models = dict.fromkeys(line["model"] for line in measured)
    parts = [
        _table_of(model, [one for one in measured if one["model"] == model]) for model in models
    ]
    if swaps:
        parts.append(_table_of_swaps(swaps))
    dropped = [f"  {line['dropped']}: {line['why']}" for line in lines if "dropped" in line]
    if dropped:
        parts.append("\n".join(["Left out:", *dropped]))
    return "\n\n".join(["", *parts])


def _table_of(model: str, lines: list[Line]) -> str:
    """Return a model's table: a row for each count of slots."""
    rows: list[Sequence[str]] = [*_HEADINGS]
    for slots in sorted({line["slots"] for line in lines if line["kind"] in ("engine", "server")}):
        here = [line for line in lines if line["slots"] == slots]
        contexts = {line["context"] for line in here if line["kind"] == "engine"}
        cells = [_find(here, key, cache=cache, replies=replies) for cache, replies, key in _COLUMNS]
        cells += [
            _find(here, "tokens_per_second", kind="server", replies=replies)
            for replies in ("grammar", "free")
        ]
        rows.append((str(slots), "/".join(map(str, sorted(contexts))), *cells))
    loop = [
        f"{_find(lines, 'tokens_per_second', kind='loop', replies=replies)} {words}"
        for replies, words in (("grammar", "under the grammar"), ("free", "without"))
    ]
    return "\n".join(
        [
            f"{model}: tokens/s. The first four: while all slots decode, by KV cache; whole and "
            "server: prompts included.",
            *_align(rows),
            f"llama_cpp.Llama, one by one, prompts included: {loop[0]}, {loop[1]}.",
        ]
    )


def _find(lines: Iterable[Line], key: str, **wanted: str) -> str:
    """Return the value of the line that has all that is wanted, or a dash."""
    for line in lines:
        if all(line.get(name) == value for name, value in wanted.items()):
            value = line.get(key)
            if value is not None:
                return f"{value:.1%}" if key == "own_share" else f"{value:.1f}"
    return "-"


def _table_of_swaps(lines: list[Line]) -> str:
    rows = [("loaded", "seconds", "memory in use, GB")]
    for line in lines:
        memory = ", ".join(f"{name} {used}" for name, used in line["memory"].items())
        rows.append((line["now"], f"{line['seconds']:.1f}" if "seconds" in line else "", memory))
    return "\n".join(["From one model to the next, to the first new token:", *_align(rows)])


def _align(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
