"""Counting what becomes of items: for every step in = kept + rejected + failed."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from generation_functions.engine.protocol import Completion
from generation_functions.steps.record import Outcome


@dataclass(slots=True)
class StepCount:
    """One step in one pass. Calls are requests: new ones were asked, the others replayed.

    Tokens are those of new calls; cached ones are prompt tokens that the engine had
    evaluated for an earlier request. `made_with` counts the replies that were read, by the hash
    of their prompt and the fingerprint of their model.
    """

    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    new_calls: int = 0
    replayed_calls: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    made_with: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add_call(self, completion: Completion) -> None:
        """Count a new call."""
        self.new_calls += 1
        self.prompt_tokens += completion.prompt_tokens
        self.cached_tokens += completion.cached_tokens
        self.completion_tokens += completion.completion_tokens

    def note(self, uuid: str, outcome: Outcome) -> None:
        """Count an item; the same item counts once."""
        self.outcomes[uuid] = (outcome.result, outcome.reason)

    def as_json(self) -> dict[str, Any]:
        """Return the step's line of the funnel."""
        results = Counter(result for result, _ in self.outcomes.values())
        reasons: dict[str, Counter[str]] = {"rejected": Counter(), "failed": Counter()}
        for result, reason in self.outcomes.values():
            if result != "kept":
                reasons[result][reason] += 1
        return {
            "in": len(self.outcomes),
            "kept": results["kept"],
            "rejected": results["rejected"],
            "failed": results["failed"],
            "new_calls": self.new_calls,
            "replayed_calls": self.replayed_calls,
            "prompt_tokens": self.prompt_tokens,
            "cached_tokens": self.cached_tokens,
            "completion_tokens": self.completion_tokens,
            "made_with": [
                {"prompt": prompt, "model": model, "replies": replies}
                for (prompt, model), replies in sorted(self.made_with.items())
            ],
            "reasons": {name: dict(counts.most_common()) for name, counts in reasons.items()},
        }
