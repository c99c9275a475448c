"""From a chunk's pairs to a conversation between a user and an assistant."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generation_functions.errors import Unparsable
from generation_functions.pipelines.wording import (
    content_words,
    coverage,
    find_pointers,
    names,
    numbers,
    strange_script,
)
from generation_functions.records import Chunk, Conversation, QAPair, Turn, make_uuid
from generation_functions.steps.run import Run
from generation_functions.steps.step import Step, write_literal

_EXCHANGE = re.compile(r"User: (.+)\nAssistant: (.+)")
_LABEL = re.compile(r"\b(?:User|Human|Assistant|Question|Answer):")
_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")


@dataclass(frozen=True, slots=True)
class ConversationRequest:
    """The pairs of one chunk, in the order in which they are to be talked about."""

    pairs: tuple[QAPair, ...]
    chunk: Chunk

    @property
    def uuid(self) -> str:
        return make_uuid(self.chunk.uuid, *(pair.uuid for pair in self.pairs))


def _fields(request: ConversationRequest) -> dict[str, object]:
    pairs = [{"question": pair.question, "answer": pair.answer} for pair in request.pairs]
    return {"pairs": pairs}


def _rules(request: ConversationRequest) -> Mapping[str, str]:
    words = [write_literal(f"{pair.question}\nAssistant: {pair.answer}") for pair in request.pairs]
    verbatim = [f'"User: " opening {one}' for one in words]
    return {
        "talk": ' "\\n" '.join(["exchange"] * len(request.pairs)),
        "verbatim": ' "\\n" '.join(verbatim),
    }


def _parse(request: ConversationRequest, reply: str) -> Conversation:
    exchanges = [(asked.strip(), told.strip()) for asked, told in _EXCHANGE.findall(reply)]
    check_exchanges(request, exchanges)
    turns = [
        Turn(speaker, text)
        for exchange in exchanges
        for speaker, text in zip(("human", "gpt"), exchange, strict=True)
    ]
    return Conversation(request.uuid, tuple(turns), request.pairs, request.chunk)


def check_exchanges(request: ConversationRequest, exchanges: Sequence[tuple[str, str]]) -> None:
    """Raise Unparsable unless exchange k asks question k and gives answer k.

    Numbers and names must all be there, content words as far as `share_wanted` says.
    What was said before counts for the question (a person says "it" the second time);
    what the user says counts for the answer.
    """
    if len(exchanges) != len(request.pairs):
        raise Unparsable("wrong number of turns")
    known = " ".join([request.chunk.text, *(f"{p.question} {p.answer}" for p in request.pairs)])
    reply = " ".join(" ".join(exchange) for exchange in exchanges)
    if _LABEL.search(reply):
        raise Unparsable("a speaker's label within a message")
    if _TWO_STOPS.search(reply):
        raise Unparsable("two full stops")
    if strange_script(reply, known):
        raise Unparsable("letters of another script")
    if numbers(reply) - numbers(known):
        raise Unparsable("a number that the text does not have")
    if find_pointers(reply):
        raise Unparsable("points at the text")
    said = ""
    for pair, (asked, told) in zip(request.pairs, exchanges, strict=True):
        said += f" {asked}"
        if not _carries(pair.question, asked, said):
            raise Unparsable("a question is not asked")
        if not _carries(pair.answer, told, f"{asked} {told}"):
            raise Unparsable("an answer is not given")
        said += f" {told}"
    endings = [re.split(r"(?<=[.!?]) ", told)[-1].lower() for _, told in exchanges]
    if len(set(endings)) < len(endings):
        raise Unparsable("the assistant repeats itself")


def share_wanted(count: int) -> float:
    """How many of `count` content words must be there: all of a few, two thirds of many."""
    return 1.0 if count <= 2 else 0.75 if count <= 6 else 0.66


def _carries(content: str, text: str, context: str) -> bool:
    """Whether `text`, read in `context`, has the numbers, names and words of `content`."""
    wanted = content_words(content)
    return (
        numbers(content) <= numbers(context)
        and all(name in context.lower() for name in names(content))
        and coverage(wanted, context) >= share_wanted(len(wanted))
        and coverage(wanted, text) >= share_wanted(len(wanted)) / 2
    )


WRITE_CONVERSATION: Step[ConversationRequest, Conversation] = Step(
    "write_conversation", _fields, _parse, _rules, role="large"
)


async def converse(run: Run, request: ConversationRequest) -> Conversation:
    """Write the conversation that carries the request's pairs."""
    conversation = await run.ask(WRITE_CONVERSATION, request)
    return run.keep("multiturn_convs", conversation)
