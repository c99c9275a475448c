"""A step's record of one item: every reply it ever had, and what follows from them."""

from dataclasses import dataclass, field
from typing import Any, Literal

from generation_functions.records import to_json

Result = Literal["kept", "rejected", "failed"]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answered request. `key` names all that was sent; `prompt` the prompt file's hash."""

    key: str
    prompt: str
    model: str
    vote: int
    attempt: int
    seed: int
    text: str
    finish_reason: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    seconds: float
    thinking: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that did not fit into `context` tokens; asked again when that changes."""

    key: str
    context: int
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the item in this step."""

    result: Result
    reason: str = ""
    output: Any = None


@dataclass(slots=True)
class Record:
    """The mutable record while its step runs; one file on disk.

    `counted` is the name under which the step counts apart what is not the run's own.
    """

    uuid: str
    step: str
    fields: dict[str, Any] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    outcome: Outcome | None = None
    counted: str = ""

    def reply(self, key: str) -> Reply | None:
        """Return the answer that a request had."""
        return next((reply for reply in self.replies if reply.key == key), None)

    def refusal(self, key: str, context: int) -> Refusal | None:
        """Return the refusal that a request had at this context."""
        return next(
            (one for one in self.refusals if (one.key, one.context) == (key, context)), None
        )

    def as_json(self) -> dict[str, Any]:
        """Return the record as it stands in its file."""
        outcome = self.outcome
        return {
            "uuid": self.uuid,
            "step": self.step,
            **({"counted": self.counted} if self.counted else {}),
            "outcome": outcome.result if outcome else None,
            "reason": outcome.reason if outcome else "",
            "output": to_json(outcome.output) if outcome else None,
            "fields": self.fields,
            "replies": [to_json(reply) for reply in self.replies],
            "refusals": [to_json(refusal) for refusal in self.refusals],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Record":
        """Read a record back; its outcome is derived anew when its step runs."""
        return cls(
            uuid=value["uuid"],
            step=value["step"],
            counted=value.get("counted", ""),
            fields=value["fields"],
            replies=[Reply(**reply) for reply in value["replies"]],
            refusals=[Refusal(**refusal) for refusal in value["refusals"]],
        )
