"""A step's question about one item: put together once, sent once for each vote and attempt."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from generation_functions.config import Config
from generation_functions.engine.grammar import Grammar
from generation_functions.engine.protocol import Message, Request
from generation_functions.errors import Faulty, Rejected, Unparsable
from generation_functions.steps.copying import find_copied
from generation_functions.steps.prompts import Prompt
from generation_functions.steps.record import Record, Reply
from generation_functions.steps.step import Item, Step

I = TypeVar("I", bound=Item)
O = TypeVar("O")


@dataclass(frozen=True, slots=True)
class Inquiry(Generic[I, O]):
    """What is sent for an item, but for the seed, and how its replies are read."""

    step: Step[I, O]
    item: I
    role: str
    prompt: Prompt
    fields: Mapping[str, Any]
    messages: tuple[Message, ...]
    shared: int
    grammar: Grammar
    config: Config

    @classmethod
    def of(cls, step: Step[I, O], item: I, prompt: Prompt, config: Config) -> "Inquiry[I, O]":
        """Fill the step's prompt and grammar for `item`."""
        fields = dict(step.fields(item))
        grammar = step.narrow(prompt.grammar, item)
        role = config.models.steps.get(step.name, step.role)
        return cls(step, item, role, prompt, fields, *prompt.messages(fields), grammar, config)

    def request(self, vote: int, attempt: int) -> Request:
        """Return the request of one attempt of one vote."""
        system, content = self.config.system, self.prompt.content
        use_stop = system.use_stop if self.step.use_stop is None else self.step.use_stop
        mode = self.step.completion_mode
        return Request(
            messages=self.messages,
            grammar=self.grammar.text,
            sampling=self.prompt.sampling,
            seed=derive_seed(system.seed, self.item.uuid, self.step.name, vote, attempt),
            max_tokens=self.step.most_tokens(self.item, content.max_tokens),
            stop=content.stop if use_stop else (),
            completion_mode=system.completion_mode if mode is None else mode,
            thinking=self.config.models.of(self.role).thinking,
            shared=self.shared,
        )

    def read(self, reply: Reply) -> O:
        """Return a reply's output. Raises Unparsable, also for a reply that was cut."""
        if reply.finish_reason != "stop":
            raise Unparsable("truncated at max_tokens")
        own, filled = self.prompt.grammar, self.grammar
        if own.reaches_bound(reply.text) and filled.reaches_bound(reply.text):
            raise Unparsable("truncated at a bound of the grammar")
        if self.step.own_words and not self._is_given() and self._copies(reply.text):
            raise Unparsable("copied from the prompt")
        return self.step.parse(self.item, reply.text)

    def take(self, record: Record, reply: Reply) -> O:
        """Return a reply's output, and note in its record what came of it. Raises as `read`."""
        try:
            output = self.read(reply)
        except Unparsable as error:
            record.note(reply.key, "unusable", str(error))
            raise
        except Rejected as no:
            record.note(reply.key, "refused" if isinstance(no, Faulty) else "taken", no.reason)
            raise
        record.note(reply.key, "taken")
        return output

    def note_outvoted(self, record: Record, passed: bool) -> None:
        """Tell the votes of the minority from those that decided."""
        for key, reading in list(record.readings.items()):
            reply = record.reply(key)
            if reading.use == "taken" and reply and bool(self.read(reply)) != passed:
                record.note(key, "outvoted")

    def _is_given(self) -> bool:
        """Whether an offered rule gives the words, of which an example may have the same."""
        rules, own = self.grammar.rules, self.prompt.grammar.rules
        return any(rules[name] != own[name] for name in self.step.offers if name in own)

    def _copies(self, text: str) -> bool:
        """Whether a text repeats what goes with every item and is not in this one's message."""
        shown = [message.content for message in self.messages[: self.shared]]
        return find_copied(text, shown, self.messages[-1].content) is not None


def derive_seed(run_seed: int, uuid: str, step: str, vote: int, attempt: int) -> int:
    """Return the 32-bit seed of one request; it depends on nothing but these."""
    text = f"{run_seed}\x1f{uuid}\x1f{step}\x1f{vote}\x1f{attempt}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
