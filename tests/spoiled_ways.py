"""Labelled exchanges of each way of asking, read from labelled_ways/, and how code spoils them.

Each passage is a line of JSON: its facts, each with the sentences that it is told by, and by way
exchanges that are right (`ways`) and some that are not (`bad`), by the facts that they recall.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from generation_functions.pipelines.amounts import known_amounts
from generation_functions.pipelines.readings import Reading, read_together
from generation_functions.pipelines.samples import make_chunk
from generation_functions.pipelines.way_steps import WayRequest
from generation_functions.pipelines.wording import names
from generation_functions.records import Chunk, Exchange, Recalled

FOLDER = Path(__file__).with_name("labelled_ways")
UNKNOWN_NAMES = ("Wexbury", "Tolmar", "Ingeborg", "Castellane")
UNKNOWN_THINGS = ("Wexbury engine", "Tolmar resin", "castellane moss")

_FIGURE = re.compile(r"\d+(?:[.,·]\d+)*")


@dataclass(frozen=True, slots=True)
class Labelled:
    """An exchange with the request that it answers; `kind` says how it was spoiled, "" if not.

    `elsewhere` are names of things that only other passages of the corpus have.
    """

    way: str
    request: WayRequest
    exchange: Exchange
    elsewhere: tuple[str, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _Passage:
    reading: Reading
    row: Mapping[str, Any]
    elsewhere: tuple[str, ...]


def read_half(half: str) -> tuple[dict[str, list[Labelled]], dict[str, list[Labelled]]]:
    """Return the exchanges of a half by way: the right ones, and the bad ones, by hand and by code.

    Every second reading has a related passage.
    """
    rows = _read_rows(half)
    chunks = [make_chunk(row["text"], row["source"]) for row in rows]
    right: dict[str, list[Labelled]] = {}
    bad: dict[str, list[Labelled]] = {}
    for place, row in enumerate(rows):
        related = [chunks[place - 1]] if place % 2 else []
        reading = read_together([chunks[place], *related])
        others = [other for other in rows if other["text"] not in reading.chunk.text]
        elsewhere = tuple(one["name"] for other in others for one in other["ways"]["vague"])
        passage = _Passage(reading, row, elsewhere)
        for way, exchanges in row["ways"].items():
            made = [_read(passage, way, one) for one in exchanges]
            by_hand = [_read(passage, way, one, "by hand") for one in row["bad"].get(way, ())]
            right.setdefault(way, []).extend(made)
            bad.setdefault(way, []).extend([*by_hand, *_spoil(made)])
    return right, bad


def read_chunks() -> list[Chunk]:
    """Return all passages of both halves."""
    return [make_chunk(row["text"], row["source"]) for row in _read_rows("*")]


def _read_rows(half: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted(FOLDER.glob(f"{half}_*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def _read(passage: _Passage, way: str, row: Mapping[str, Any], kind: str = "") -> Labelled:
    turns: tuple[Exchange, ...] = ()
    if "turn" in row:
        turn = row["turn"]
        recalled = _recall(passage, turn["recalled"])
        turns = (Exchange(turn["question"], turn["answer"], recalled),)
    exchange = Exchange(
        row["question"],
        row.get("answer") or f"{row['admitted']} {row['known']}",
        _recall(passage, row["recalled"]),
        row.get("meant", ""),
        tuple(row[key] for key in ("name", "thing", "one", "other") if key in row),
        row.get("quality", ""),
        row.get("premise", ""),
        row.get("admitted", ""),
    )
    request = WayRequest("w", passage.reading, turns=turns)
    return Labelled(way, request, exchange, passage.elsewhere, kind)


def _recall(passage: _Passage, numbers: list[int]) -> tuple[Recalled, ...]:
    facts = [passage.row["facts"][number - 1] for number in numbers]
    sentences = passage.reading.sentences
    return tuple(
        Recalled(
            0,
            tuple(fact["sentences"]),
            " ".join(sentences[number - 1] for number in fact["sentences"]),
            fact["told"],
        )
        for fact in facts
    )


Spoil = Callable[[Labelled, list[Labelled]], Exchange | None]


def _spoil(exchanges: list[Labelled], every: int = 2) -> Iterator[Labelled]:
    """Yield the exchanges of a passage spoiled, each in one of `every` manners, in turn.

    With `every` 1 it is all of them, twice as many, and the shares are the same.
    """
    for place, one in enumerate(exchanges):
        for kind, change in [*_ANY.items(), *_BY_WAY[one.way].items()][place % every :: every]:
            spoiled = change(one, exchanges)
            if spoiled and spoiled != one.exchange:
                yield replace(one, exchange=spoiled, kind=kind)


def change_figure(text: str, known: str) -> str | None:
    """Return a text with its last figure changed to one that `known` does not have."""
    found = list(_FIGURE.finditer(text))
    if not found:
        return None
    last = found[-1]
    digits = last.group()
    for step in range(1, 9):
        changed = "".join(
            str((int(digit) + step) % 10) if digit.isdigit() else digit for digit in digits
        )
        if not known_amounts(changed) <= known_amounts(known):
            return text[: last.start()] + changed + text[last.end() :]
    return None


def change_name(text: str, known: str) -> str | None:
    """Return a text in which one of the names that `known` has is another, wherever it stands."""
    capitalised = re.findall(r"\b[A-Z][a-zø]{2,}\b", text)
    found = [word for word in capitalised if word.lower() in names(known)]
    if not found:
        return None
    new = UNKNOWN_NAMES[len(text) % len(UNKNOWN_NAMES)]
    return re.sub(rf"\b{found[-1]}\b", new, text)


def _figure_in_answer(one: Labelled, others: list[Labelled]) -> Exchange | None:
    return _answer(one, change_figure(one.exchange.answer, one.request.reading.chunk.text))


def _name_in_answer(one: Labelled, others: list[Labelled]) -> Exchange | None:
    reading = one.request.reading.chunk
    return _answer(one, change_name(one.exchange.answer, f"{reading.source}\n{reading.text}"))


def _answer(one: Labelled, answer: str | None) -> Exchange | None:
    """Return the exchange with another answer; the admission at its beginning stays."""
    if not answer or not answer.startswith(one.exchange.admitted):
        return None
    return replace(one.exchange, answer=answer)


def _figure_in_line(one: Labelled, others: list[Labelled]) -> Exchange | None:
    return _line(one, change_figure)


def _name_in_line(one: Labelled, others: list[Labelled]) -> Exchange | None:
    return _line(one, change_name)


def _line(one: Labelled, change: Callable[[str, str], str | None]) -> Exchange | None:
    first, *rest = one.exchange.recalled
    chunk = one.request.reading.chunk
    told = change(first.told, f"{chunk.source}\n{chunk.text}")
    return replace(one.exchange, recalled=(replace(first, told=told), *rest)) if told else None


def _other_answer(one: Labelled, others: list[Labelled]) -> Exchange | None:
    """Take the answer of the next exchange that recalls none of the same sentences."""
    own = _sentences(one)
    for other in _after(one, others):
        if not own & _sentences(other):
            exchange = other.exchange
            return replace(one.exchange, answer=exchange.answer, admitted=exchange.admitted)
    return None


def _sentences(one: Labelled) -> set[int]:
    return {number for line in one.exchange.recalled for number in line.sentences}


def _after(one: Labelled, others: list[Labelled]) -> list[Labelled]:
    place = others.index(one)
    return [*others[place + 1 :], *others[:place]]


def _one_sentence(one: Labelled, others: list[Labelled]) -> Exchange | None:
    single = [line for line in one.exchange.recalled if len(line.sentences) == 1][:1]
    return replace(one.exchange, recalled=tuple(single)) if single else None


def _true_premise(one: Labelled, others: list[Labelled]) -> Exchange:
    """Take for granted what the text says, and ask about that."""
    told = one.exchange.recalled[0].told
    asked = f"How is it that {told[0].lower() if told[1].islower() else told[0]}{told[1:-1]}?"
    return replace(one.exchange, premise=told, question=asked)


def _premise_left_out(one: Labelled, others: list[Labelled]) -> Exchange:
    """Ask what another exchange asks, without the premise."""
    return replace(one.exchange, question=_after(one, others)[0].exchange.question)


def _premise_granted(one: Labelled, others: list[Labelled]) -> Exchange | None:
    """Answer as if the premise were true."""
    return replace(one.exchange, answer=f"That is so because it has always been so. "
                   f"{one.exchange.premise}")  # fmt: skip


def _granted_with_a_denial(one: Labelled, others: list[Labelled]) -> Exchange | None:
    """Say the premise, and deny something else in the same sentence."""
    return replace(one.exchange, answer=f"{one.exchange.premise[:-1]}, not that it matters. "
                   f"{one.exchange.recalled[0].told}")  # fmt: skip


def _named(one: Labelled, others: list[Labelled]) -> Exchange:
    return replace(one.exchange, question=one.exchange.meant)


def _named_too(one: Labelled, others: list[Labelled]) -> Exchange:
    """Say the name at the end of the description."""
    name = one.exchange.things[0]
    return replace(one.exchange, question=f"{one.exchange.question[:-1]}, the {name}?")


def _answer_unnamed(one: Labelled, others: list[Labelled]) -> Exchange:
    first, _, rest = one.exchange.answer.partition(". ")
    name = re.escape(one.exchange.things[0])
    return replace(one.exchange, answer=re.sub(name, "it", rest or first, flags=re.IGNORECASE))


def _meant_unnamed(one: Labelled, others: list[Labelled]) -> Exchange:
    name = re.escape(one.exchange.things[0])
    meant = re.sub(rf"(?:the )?{name}", "it", one.exchange.meant, flags=re.IGNORECASE)
    return replace(one.exchange, meant=meant)


def _unknown_name(one: Labelled, others: list[Labelled]) -> Exchange:
    """Say a name that the text does not have, wherever the right one stands."""
    old, new = one.exchange.things[0], UNKNOWN_THINGS[len(one.exchange.answer) % 3]
    said = (re.sub(re.escape(old), new, text, flags=re.IGNORECASE)
            for text in (one.exchange.meant, one.exchange.answer))  # fmt: skip
    meant, answer = said
    return replace(one.exchange, things=(new,), meant=meant, answer=answer)


def _stands_alone(one: Labelled, others: list[Labelled]) -> Exchange:
    return replace(one.exchange, question=one.exchange.meant)


def _not_in_full(one: Labelled, others: list[Labelled]) -> Exchange:
    return replace(one.exchange, meant=one.exchange.question)


def _answered_already(one: Labelled, others: list[Labelled]) -> Exchange:
    (turn,) = one.request.turns
    return replace(one.exchange, answer=turn.answer, recalled=turn.recalled)


def _known_thing(one: Labelled, others: list[Labelled]) -> Exchange:
    """Ask about a thing that the corpus has, in the passage itself or elsewhere."""
    place = others.index(one)
    own = one.exchange.recalled[0].quote.rstrip(".").split()[:3]
    thing = " ".join(own) if place // 2 else one.elsewhere[len(own[0]) % len(one.elsewhere)]
    return _rename_thing(one.exchange, thing)


def _rename_thing(exchange: Exchange, thing: str) -> Exchange:
    old = re.escape(exchange.things[0].removeprefix("the "))
    question, admitted = (
        re.sub(old, thing, text, flags=re.IGNORECASE)
        for text in (exchange.question, exchange.admitted)
    )
    known = exchange.answer.removeprefix(exchange.admitted)
    return replace(exchange, question=question, admitted=admitted, things=(thing,),
                   answer=f"{admitted}{known}")  # fmt: skip


def _nothing_admitted(one: Labelled, others: list[Labelled]) -> Exchange:
    thing = one.exchange.things[0]
    return _admit(one.exchange, f"{thing[0].upper()}{thing[1:]} goes back to early days.")


def _admit(exchange: Exchange, admitted: str) -> Exchange:
    known = exchange.answer.removeprefix(exchange.admitted)
    return replace(exchange, admitted=admitted, answer=f"{admitted}{known}")


def _told_of_thing(one: Labelled, others: list[Labelled]) -> Exchange:
    exchange = one.exchange
    known = exchange.answer.removeprefix(exchange.admitted).rstrip(".")
    more = f"{known}, and so is {exchange.things[0]}."
    return replace(exchange, answer=f"{exchange.admitted}{more}")


def _other_question(one: Labelled, others: list[Labelled]) -> Exchange:
    """Ask the question of another exchange, whose thing is another."""
    return replace(one.exchange, question=_after(one, others)[0].exchange.question)


def _unknown_other(one: Labelled, others: list[Labelled]) -> Exchange:
    """Compare with a thing that is in no source, in the question and in the answer too."""
    old, new = one.exchange.things[1], UNKNOWN_THINGS[len(one.exchange.answer) % 3]
    question, answer = (
        re.sub(re.escape(old), new, text, flags=re.IGNORECASE)
        for text in (one.exchange.question, one.exchange.answer)
    )
    things = (one.exchange.things[0], new)
    return replace(one.exchange, question=question, answer=answer, things=things)


def _same_twice(one: Labelled, others: list[Labelled]) -> Exchange:
    first = one.exchange.things[0]
    return replace(one.exchange, things=(first, f"the {first}"))


def _unknown_quality(one: Labelled, others: list[Labelled]) -> Exchange:
    return replace(one.exchange, quality=("beauty", "loyalty to friends", "resale price")[
        len(one.exchange.answer) % 3])  # fmt: skip


def _other_left_out(one: Labelled, others: list[Labelled]) -> Exchange:
    """Ask about the first thing only."""
    first = one.exchange.things[0]
    return replace(one.exchange, question=f"What can be told about the {first}?")


def _neither_named(one: Labelled, others: list[Labelled]) -> Exchange:
    answer = one.exchange.answer
    for thing, word in zip(one.exchange.things, ("the one", "the other"), strict=True):
        answer = re.sub(rf"(?:the )?{re.escape(thing)}", word, answer, flags=re.IGNORECASE)
    return replace(one.exchange, answer=answer)


def _turned_round(one: Labelled, others: list[Labelled]) -> Exchange:
    """Tell of each thing what is told of the other."""
    first, second = one.exchange.things
    answer = re.sub(re.escape(first), "\0", one.exchange.answer, flags=re.IGNORECASE)
    answer = re.sub(re.escape(second), first, answer, flags=re.IGNORECASE)
    return replace(one.exchange, answer=answer.replace("\0", second))


_ANY: Mapping[str, Spoil] = {
    "figure in the answer": _figure_in_answer,
    "name in the answer": _name_in_answer,
    "figure in what is recalled": _figure_in_line,
    "name in what is recalled": _name_in_line,
    "answer of another question": _other_answer,
}
_BY_WAY: Mapping[str, Mapping[str, Spoil]] = {
    "openended": {"one sentence": _one_sentence},
    "negative": {
        "premise is true": _true_premise,
        "premise is not in the question": _premise_left_out,
        "premise is granted": _premise_granted,
        "premise is granted with a denial": _granted_with_a_denial,
    },
    "vague": {
        "asked by name": _named,
        "described and named": _named_too,
        "answer does not name it": _answer_unnamed,
        "question in full does not name it": _meant_unnamed,
        "name is in no source": _unknown_name,
    },
    "followup": {
        "stands alone": _stands_alone,
        "question in full is not in full": _not_in_full,
        "answered already": _answered_already,
    },
    "hallucination": {
        "thing is known": _known_thing,
        "nothing is admitted": _nothing_admitted,
        "thing is told of": _told_of_thing,
        "another thing is asked about": _other_question,
    },
    "comparison": {
        "second thing is in no source": _unknown_other,
        "compared with itself": _same_twice,
        "quality is in no source": _unknown_quality,
        "second thing is not in the question": _other_left_out,
        "answer names neither": _neither_named,
        "turned round": _turned_round,
    },
}
