"""The steps that write a question with its answer, one for each way of asking."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generation_functions.errors import Rejected, Unparsable
from generation_functions.pipelines.question_steps import check_script, show_numbers
from generation_functions.pipelines.readings import Reading, list_numbers, show_texts
from generation_functions.pipelines.way_copies import keep_words
from generation_functions.pipelines.wording import content_words
from generation_functions.records import Exchange, QAPair, Recalled, make_uuid
from generation_functions.steps.step import NOTHING, Step, write_literal

_LINE = re.compile(r"([\d, ]+): (.+)")
_MOST_SENTENCES = 4  # that a line names, as in the grammars


@dataclass(frozen=True, slots=True)
class WayRequest:
    """What is to be asked: about which texts, after which `turns`, and not again what was `asked`.

    A `draft` that was no good is written anew, told its problem, for the `number`th time. Of the
    first text nothing was asked about the sentences `left_out`.
    """

    item: str
    reading: Reading
    asked: tuple[QAPair, ...] = ()
    turns: tuple[Exchange, ...] = ()
    draft: Exchange | None = None
    problem: str = ""
    number: int = 0
    left_out: tuple[int, ...] = ()

    @property
    def uuid(self) -> str:
        if not (self.turns or self.number):
            return self.item
        said = (turn.question for turn in self.turns)
        return make_uuid(self.item, *said, "draft", str(self.number), self.problem)


def show_exchange(exchange: Exchange | None) -> str:
    """Return a draft as prompts show it."""
    return f"Question: {exchange.question}\nAnswer: {exchange.answer}" if exchange else ""


def _fields(request: WayRequest) -> dict[str, Any]:
    return {
        "texts": show_texts(request.reading),
        "asked": [pair.question for pair in request.asked],
        "draft": show_exchange(request.draft),
        "problem": request.problem,
        "left_out": show_numbers(request.left_out),
    }


def _followup_fields(request: WayRequest) -> dict[str, Any]:
    turns = [{"question": one.question, "answer": one.answer} for one in request.turns]
    return {**_fields(request), "turns": turns}


def _rules(request: WayRequest) -> Mapping[str, str]:
    """A line names sentences of one source; the first line those of the chunk itself."""
    reading = request.reading
    lists = [_list_rule(list_numbers(reading, place)) for place in range(len(reading.sources))]
    return {"own": lists[0], "numbers": " | ".join(dict.fromkeys(lists))}


def _list_rule(numbers: list[int]) -> str:
    one = " | ".join(write_literal(str(number)) for number in numbers)
    return f'({one}) (", " ({one})){{0,{_MOST_SENTENCES - 1}}}'


def _followup_rules(request: WayRequest) -> Mapping[str, str]:
    """What opens a conversation is meant as it stands."""
    meant = r'"\nMeant: " question' if request.turns else '""'
    return {**_rules(request), **_keep("followup", request), "meant": meant}


def _split(request: WayRequest, reply: str, *labels: str) -> list[str]:
    """Return the lines before the first label, and what follows each; none of it empty.

    Raises Unparsable also for what goes on with another pair, and Rejected where a grammar that
    keeps the words of a text left nothing to ask.
    """
    check_script(reply, request.reading.chunk)
    if reply.strip() == NOTHING:
        raise Rejected("nothing to be asked so in the words of the text")
    parts, rest = [], reply
    for label in labels:
        before, found, rest = rest.partition(f"\n{label}: ")
        if not found:
            raise Unparsable(f"no {label.lower()}")
        parts.append(before.strip())
    parts.append(rest.strip())
    if not all(parts):
        raise Unparsable("something is left empty")
    again = re.compile(rf"^(?:{'|'.join(labels)}|[\d, ]+): ", re.MULTILINE)
    if any(again.search(part) for part in parts[1:]):
        raise Unparsable("a second pair after the first")
    return parts


def _read_recalled(request: WayRequest, lines: str) -> tuple[Recalled, ...]:
    """Return what the lines recall; the first must be from the chunk itself."""
    reading, found = request.reading, []
    for line in lines.splitlines():
        match = _LINE.fullmatch(line.strip())
        named = {int(number) for number in re.findall(r"\d+", match[1])} if match else set()
        known = sorted(number for number in named if 1 <= number <= len(reading.sentences))
        owners = {reading.owners[number - 1] for number in known}
        if match is None or len(owners) != 1:
            raise Unparsable("a line that names no sentences of one source")
        quote = " ".join(reading.sentences[number - 1] for number in known)
        found.append(Recalled(owners.pop(), tuple(known), quote, match[2].strip()))
    if not found or found[0].source:
        raise Unparsable("nothing from the chunk itself")
    return tuple({one.told: one for one in found}.values())


def _finish(request: WayRequest, lines: str, exchange: Exchange) -> Exchange:
    """Return an exchange with what its lines recall; Unparsable for one without content."""
    if not content_words(exchange.question):
        raise Unparsable("no question")
    draft = request.draft
    if draft and (draft.question, draft.answer) == (exchange.question, exchange.answer):
        raise Unparsable("the same again")
    return replace(exchange, recalled=_read_recalled(request, lines))


def _parse_openended(request: WayRequest, reply: str) -> Exchange:
    lines, question, answer = _split(request, reply, "Question", "Answer")
    return _finish(request, lines, Exchange(question, answer, ()))


def _parse_negative(request: WayRequest, reply: str) -> Exchange:
    lines, premise, question, answer = _split(request, reply, "Wrong", "Question", "Answer")
    return _finish(request, lines, Exchange(question, answer, (), premise=premise))


def _parse_vague(request: WayRequest, reply: str) -> Exchange:
    labels = ("Name", "Meant", "Question", "Answer")
    lines, name, meant, question, answer = _split(request, reply, *labels)
    return _finish(request, lines, Exchange(question, answer, (), meant, (name,)))


def _parse_followup(request: WayRequest, reply: str) -> Exchange:
    if not request.turns:
        return _parse_openended(request, reply)
    lines, meant, question, answer = _split(request, reply, "Meant", "Question", "Answer")
    return _finish(request, lines, Exchange(question, answer, (), meant))


def _parse_hallucination(request: WayRequest, reply: str) -> Exchange:
    labels = ("Thing", "Question", "Unknown", "Known")
    lines, thing, question, admitted, known = _split(request, reply, *labels)
    answer = f"{admitted} {known}"
    return _finish(
        request, lines, Exchange(question, answer, (), things=(thing,), admitted=admitted)
    )


def _parse_comparison(request: WayRequest, reply: str) -> Exchange:
    labels = ("One", "Other", "Quality", "Question", "Answer")
    lines, one, other, quality, question, answer = _split(request, reply, *labels)
    return _finish(
        request, lines, Exchange(question, answer, (), things=(one, other), quality=quality)
    )


_RULES = ("own", "numbers")


def _write(
    way: str, parse: Callable[[WayRequest, str], Exchange], *labels: str
) -> Step[WayRequest, Exchange]:
    return Step(
        f"write_{way}",
        _fields,
        parse,
        lambda request: {**_rules(request), **_keep(way, request)},
        own_words=True,
        replaces=_RULES,
        offers=("kept",),
        labels=labels,
    )


def _keep(way: str, request: WayRequest) -> Mapping[str, str]:
    """The rule for grammars that keep the text's words."""
    return keep_words(way, request.reading, request.turns, request.uuid)


WRITE_OPENENDED = _write("openended", _parse_openended, "Question", "Answer")
WRITE_NEGATIVE = _write("negative", _parse_negative, "Wrong", "Question", "Answer")
WRITE_VAGUE = _write("vague", _parse_vague, "Name", "Meant", "Question", "Answer")
WRITE_FOLLOWUP = replace(
    _write("followup", _parse_followup, "Meant", "Question", "Answer"),
    fields=_followup_fields,
    rules=_followup_rules,
    replaces=(*_RULES, "meant"),
)
WRITE_HALLUCINATION = _write(
    "hallucination", _parse_hallucination, "Thing", "Question", "Unknown", "Known"
)
WRITE_COMPARISON = _write(
    "comparison", _parse_comparison, "One", "Other", "Quality", "Question", "Answer"
)
