"""Counting what becomes of items: for every step in = kept + rejected + failed."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from generation_functions.steps.record import Outcome


@dataclass(slots=True)
class StepCount:
    """One step in one pass. Calls are requests: new ones were asked, the others replayed."""

    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    new_calls: int = 0
    replayed_calls: int = 0

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
            "reasons": {name: dict(counts.most_common()) for name, counts in reasons.items()},
        }
