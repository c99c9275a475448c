"""A step's record of one item: every reply it ever had, and what follows from them."""

from dataclasses import dataclass, field
from typing import Any, Literal

from generation_functions.records import to_json

Result = Literal["kept", "rejected", "failed"]
Use = Literal["taken", "outvoted", "refused", "unusable"]


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
class Reading:
    """What the last pass made of a reply to the record's fields, and why it is of no use.

    `taken`: its output counts, also when it is a final no. `outvoted`: a vote of the minority.
    `refused`: readable, but faulty in itself. `unusable`: another attempt was made.
    """

    key: str
    use: Use
    why: str = ""


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
    `readings`, by request key, are of those replies that the last pass had to the `fields`.
    """

    uuid: str
    step: str
    fields: dict[str, Any] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    outcome: Outcome | None = None
    counted: str = ""
    readings: dict[str, Reading] = field(default_factory=dict)

    def reply(self, key: str) -> Reply | None:
        """Return the answer that a request had."""
        return next((reply for reply in self.replies if reply.key == key), None)

    def add(self, reply: Reply) -> Reply:
        """Put a reply among the others, in the order of votes and attempts; return it."""
        self.replies.append(reply)
        self.replies.sort(key=lambda one: (one.vote, one.attempt))
        return reply

    def note(self, key: str, use: Use, why: str = "") -> None:
        """Note what was made of a reply."""
        self.readings[key] = Reading(key, use, why)

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
            "readings": [
                to_json(self.readings[reply.key])
                for reply in self.replies
                if reply.key in self.readings
            ],
            "refusals": [to_json(refusal) for refusal in self.refusals],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Record":
        """Read a record back; outcome and readings are derived anew when its step runs."""
        return cls(
            uuid=value["uuid"],
            step=value["step"],
            counted=value.get("counted", ""),
            fields=value["fields"],
            replies=[Reply(**reply) for reply in value["replies"]],
            refusals=[Refusal(**refusal) for refusal in value["refusals"]],
        )

    @classmethod
    def of_last_pass(cls, value: dict[str, Any]) -> "Record":
        """Read a record back as its step's last pass left it: with outcome and readings."""
        record = cls.from_json(value)
        readings = (Reading(**one) for one in value.get("readings", ()))
        record.readings = {one.key: one for one in readings}
        if value["outcome"]:
            record.outcome = Outcome(value["outcome"], value["reason"], value["output"])
        return record

    @property
    def last_replies(self) -> list[Reply]:
        """The replies that the last pass read: to just what it asked."""
        return [reply for reply in self.replies if reply.key in self.readings]

    @property
    def taken(self) -> list[Reply]:
        """The replies whose output counts, in the order of votes."""
        return [reply for reply in self.last_replies if self.readings[reply.key].use == "taken"]
