"""What a run's models have read and written so far, and what that cost, as people read it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generation_functions.steps.files import read_json
from generation_functions.steps.ledger import HOUR, TOKENS_FILE

_COLUMNS = ("calls", "prompt_tokens", "evaluated_prompt_tokens", "reply_tokens", "hours", "cost")
_HEADS = ("calls", "prompt", "of it anew", "reply", "hours", "cost")
_NAME = 26  # characters of a model's name in a line

Costs = dict[str, Any]


def read_costs(folder: Path) -> list[Costs]:
    """Return what <role>_model_tokens.json say, for the roles that have been asked."""
    found = (read_json(folder / TOKENS_FILE.format(role)) for role in ("small", "large"))
    return [one for one in found if one]


def cost_rows(costs: Sequence[Costs]) -> list[dict[str, Any]]:
    """Return a row for each role: calls and tokens of all passes, hours in which it was asked."""
    return [
        {
            "role": one["role"],
            "model": one["model"],
            **{name: one[name] for name in _COLUMNS[:4]},
            "hours": round(one["busy_seconds"] / HOUR, 2),
            "cost": None if one["cost"] is None else round(one["cost"], 4),
        }
        for one in costs
    ]


def describe_costs(costs: Sequence[Costs]) -> str:
    """Return a line for each role; a cost only where prices are known."""
    if not costs:
        return ""
    lines = [f"{'Tokens of all calls':28}" + "".join(f"{name:>16}" for name in _HEADS)]
    for row in cost_rows(costs):
        shown = [f"{row[name]:,}" if row[name] is not None else "–" for name in _COLUMNS]
        lines.append(
            f"  {row['role'] + ' · ' + row['model']:{_NAME}}" + "".join(map("{:>16}".format, shown))
        )
    return "\n".join(lines)
