"""What each model role has read and written in a run, and what that cost: <role>_model_tokens.json.

Tokens are counted from the replies in the run's records, whatever pass they came in and whatever
became of them. How long a role was busy no record tells: those seconds are added up, pass by pass.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from generation_functions.config import Config
from generation_functions.engine.pool import Engines
from generation_functions.model_sections import Model
from generation_functions.steps.files import Writer, dump, read_json
from generation_functions.steps.record import Record, Reply

TOKENS_FILE = "{}_model_tokens.json"  # by role
HOUR, MILLION = 3600, 1_000_000


@dataclass(slots=True)
class Usage:
    """Calls that were answered. `evaluated_prompt_tokens` are those that no earlier prompt had;
    `seconds` are the replies' own, of which many pass at once.
    """

    calls: int = 0
    prompt_tokens: int = 0
    evaluated_prompt_tokens: int = 0
    reply_tokens: int = 0
    seconds: float = 0.0

    def add(self, reply: Reply) -> None:
        """Count a reply."""
        self.calls += 1
        self.prompt_tokens += reply.prompt_tokens
        self.evaluated_prompt_tokens += reply.prompt_tokens - reply.cached_tokens
        self.reply_tokens += reply.completion_tokens
        self.seconds += reply.seconds

    def __add__(self, other: "Usage") -> "Usage":
        mine, theirs = asdict(self), asdict(other)
        return Usage(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(slots=True)
class Ledger:
    """What one pass has asked: the steps with their roles, and how long each role was busy."""

    roles: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _going: Counter[str] = field(default_factory=Counter)
    _since: dict[str, float] = field(default_factory=dict)

    def note(self, step: str, role: str) -> None:
        """Note that a role was asked a step, or would have been, had it not been before."""
        self.roles[step] = role

    @contextmanager
    def measure(self, role: str) -> Iterator[None]:
        """Count the time until the block ends, once for all that go at once.

        Loading the role's model is part of it, waiting while another has the machine is not.
        """
        if not self._going[role]:
            self._since[role] = monotonic()
        self._going[role] += 1
        try:
            yield
        finally:
            self._going[role] -= 1
            if not self._going[role]:
                passed = monotonic() - self._since[role]
                self.seconds[role] = self.seconds.get(role, 0.0) + passed

    def write(self, folder: Path, config: Config, engines: Engines, writer: Writer) -> None:
        """Write each role's file anew, and begin afresh; nothing for a role that nobody asked.

        The steps of this pass are counted in the run's records; the others stand as they were.
        A reply counts for the role whose model gave it, an older model's for its step's role.
        """
        prints = {role: engines.of(role).fingerprint for role in engines.roles}
        counted = {step: _count(folder, step, role, prints) for step, role in self.roles.items()}
        for role in engines.roles:
            path = folder / TOKENS_FILE.format(role)
            before: dict[str, Any] = read_json(path) or {}
            steps = {
                step: Usage(**{name: entry[name] for name in asdict(Usage())})
                for step, entry in before.get("steps", {}).items()
                if step not in counted
            }
            steps |= {step: by_role[role] for step, by_role in counted.items() if role in by_role}
            busy = before.get("busy_seconds", 0.0) + self.seconds.get(role, 0.0)
            if steps or before:
                text = dump(_describe(role, config.models.of(role), steps, busy))
                writer.write(path, text)
        self.roles, self.seconds = {}, {}


def _count(folder: Path, step: str, own: str, prints: Mapping[str, str]) -> dict[str, Usage]:
    """Return by role what the records of a step hold, opened one at a time."""
    found: dict[str, Usage] = {}
    for path in (folder / step).glob("*.json"):
        value = read_json(path)
        for reply in Record.from_json(value).replies if value else ():
            others = [role for role, known in prints.items() if known == reply.model]
            role = own if own in others or not others else others[0]
            found.setdefault(role, Usage()).add(reply)
    return found


def _describe(role: str, model: Model, steps: dict[str, Usage], busy: float) -> dict[str, Any]:
    total = sum(steps.values(), Usage())
    hourly = (model.cost_per_hour or 0.0) * busy / HOUR
    priced = {
        step: _price_tokens(usage, model)
        + (hourly * usage.seconds / total.seconds if total.seconds else 0.0)
        for step, usage in sorted(steps.items())
    }
    known = model.cost_per_hour is not None or model.cost_per_million is not None
    return {
        "role": role,
        "model": model.gguf or model.model,
        **_round(asdict(total)),
        "busy_seconds": round(busy, 3),
        "cost_per_hour": model.cost_per_hour,
        "cost_per_million": model.cost_per_million,
        "cost": round(hourly + _price_tokens(total, model), 6) if known else None,
        "steps": {
            step: {
                **_round(asdict(steps[step])),
                "cost": round(cost, 6) if known else None,
            }
            for step, cost in priced.items()
        },
    }


def _price_tokens(usage: Usage, model: Model) -> float:
    read, written = model.cost_per_million or (0.0, 0.0)
    return (usage.prompt_tokens * read + usage.reply_tokens * written) / MILLION


def _round(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) for name, value in entry.items()}
