"""The measure of the conversation checks: what they accept of wrong conversations, reject of right.

Wrong is made of each ordered pair (i, j) of a chunk. "answers", "questions", "exchanges": what is
told, asked, or both about j stands where i's belongs, and j is not otherwise in the conversation
(harder: nothing is said twice). The other kinds are what a conversation of all the pairs of a
chunk can have, as the pipeline writes them: j's question, answer or exchange in i's place and i's
in j's, i's answer doubled in j's place, who asks and who answers turned about, a number invented
or altered to another one of the chunk.
Of each chunk's up to 56 ordered pairs TAKEN are drawn, always the same: all of them take minutes.

The turns of the fresh half are talk: one asks what the great heralds owe to others by "Do they do
it all alone?". The prompts want a question's names and numbers kept; of such talk half is refused.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import permutations
from math import sqrt
from random import Random

import pytest

from benchmarks.alignment import Labelled, read_labelled
from generation_functions.pipelines.conversation_checks import find_flaws
from generation_functions.records import Conversation, Turn

TUNED = ("tuned_1", "tuned_2")
HELD_OUT = ("held_out_1", "held_out_2")
FRESH = ("fresh_1", "fresh_2", "fresh_3")
GROUPS = ([0, 1], [2, 3], [4, 5], [6, 7], [0, 1, 2], [3, 4, 5], [0, 1, 2, 3], [4, 5, 6, 7])

TAKEN = 8

Exchange = tuple[str, str]


def find_kinds(row: Labelled, group: list[int], exchanges: dict[int, Exchange]) -> set[str]:
    """Return the kinds of flaws of a group's conversation, with these exchanges at their places."""
    turns = []
    for one in group:
        asked, told = exchanges.get(one, (row.asked[one], row.told[one]))
        turns += [Turn("human", asked), Turn("gpt", told)]
    pairs = tuple(row.pairs[one] for one in group)
    return {flaw.kind for flaw in find_flaws(Conversation("k", tuple(turns), pairs, row.chunk))}


def put_wrong(row: Labelled, here: int, other: int) -> Iterator[tuple[str, set[str]]]:
    """Yield the kinds of flaws with each fault that two pairs can have."""
    rest = [one for one in range(len(row.pairs)) if one not in (here, other)]
    group = sorted([here, rest[(here + other) % len(rest)]])
    both = sorted([here, other, rest[(here + other) % len(rest)]])
    asked, told = row.asked, row.told
    yield "answers", find_kinds(row, group, {here: (asked[here], told[other])})
    yield "questions", find_kinds(row, group, {here: (asked[other], told[here])})
    yield "exchanges", find_kinds(row, group, {here: (asked[other], told[other])})
    doubled = {other: (asked[other], told[here])}
    yield "doubled answers", find_kinds(row, both, doubled)
    for kind, left, right in (
        ("swapped answers", (asked[here], told[other]), (asked[other], told[here])),
        ("swapped questions", (asked[other], told[here]), (asked[here], told[other])),
        ("swapped exchanges", (asked[other], told[other]), (asked[here], told[here])),
    ):
        yield kind, find_kinds(row, both, {here: left, other: right})


def put_alone(row: Labelled, here: int) -> Iterator[tuple[str, set[str]]]:
    """Yield the kinds of flaws with each fault that one pair can have."""
    group = sorted([here, (here + 3) % len(row.pairs)])
    yield "wrong speakers", find_kinds(row, group, {here: (row.told[here], row.asked[here])})
    number = re.search(r"\d+", row.told[here])
    if number:
        before, after = row.told[here][: number.start()], row.told[here][number.end() :]
        invented = f"{before}7{number.group()}{after}"
        yield "invented numbers", find_kinds(row, group, {here: (row.asked[here], invented)})
        near = f"{row.asked[here]} {row.told[here]} {row.pairs[here].question}"
        others = [one for one in re.findall(r"\d+", row.chunk.text) if one not in near]
        if others and number.group() in re.findall(r"\d+", row.pairs[here].answer):
            altered = f"{before}{others[0]}{after}"
            yield "altered numbers", find_kinds(row, group, {here: (row.asked[here], altered)})


@cache
def measure(names: tuple[str, ...], taken: int = TAKEN) -> Counter[str]:
    """Return how many there were of each fault ("answers"), accepted ("answers accepted"), and
    found with each kind of flaw ("answers: the wrong speaker")."""
    count: Counter[str] = Counter()

    def note(fault: str, kinds: set[str]) -> None:
        count[fault] += 1
        count[f"{fault} accepted"] += not kinds
        count.update(f"{fault}: {kind}" for kind in kinds)

    for row in (row for name in names for row in read_labelled(name)):
        everyone = range(len(row.pairs))
        for group in (one for one in GROUPS if max(one) in everyone):
            note("right", find_kinds(row, group, {}))
        for last in everyone:
            note("right from the start", find_kinds(row, list(everyone[: last + 1]), {}))
        for here in everyone:
            for fault, kinds in put_alone(row, here):
                note(fault, kinds)
        for here, other in Random(row.chunk.uuid).sample(list(permutations(everyone, 2)), taken):
            for fault, kinds in put_wrong(row, here, other):
                note(fault, kinds)
    return count


def interval(hits: int, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    share, z = hits / number, 1.96
    middle = share + z * z / (2 * number)
    reach = z * sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return max(0.0, middle - reach) / (1 + z * z / number), (middle + reach) / (1 + z * z / number)


def share(count: Counter[str], kind: str) -> float:
    hits, number = count[f"{kind} accepted"], count[kind]
    low, high = interval(hits, number)
    print(f"{kind}: {hits} of {number} accepted, {hits / number:.1%} ({low:.1%} to {high:.1%})")
    return hits / number


# Most that may be accepted of both halves together. A question that j's pair is not there to be
# held against can say too little ("And the other one?").
MOST = {
    "answers": 0.02,
    "exchanges": 0.02,
    "questions": 0.10,
    "swapped answers": 0.02,
    "swapped questions": 0.02,
    "swapped exchanges": 0.02,
    "doubled answers": 0.02,
    "wrong speakers": 0.02,
    "invented numbers": 0.02,
    "altered numbers": 0.02,
}


@pytest.mark.parametrize("fault", MOST)
def test_wrong_conversations_are_refused(fault: str) -> None:
    tuned, held_out = measure(TUNED), measure(HELD_OUT)
    share(tuned, fault)
    share(held_out, fault)
    assert share(tuned + held_out, fault) <= MOST[fault]


def test_wrong_conversations_in_free_words_are_refused() -> None:
    fresh = measure(FRESH, taken=2)
    share(fresh, "right")
    for fault in ("answers", "exchanges", "swapped answers", "swapped exchanges"):
        assert share(fresh, fault) <= 0.04
    assert share(fresh, "questions") <= MOST["questions"]


def test_the_measure_is_of_enough_conversations() -> None:
    both = measure(TUNED) + measure(HELD_OUT)
    wrong, accepted = (sum(both[f"{fault}{end}"] for fault in MOST) for end in ("", " accepted"))
    print(f"all faults: {accepted} of {wrong} accepted, {interval(accepted, wrong)}")
    assert wrong >= 2000
    assert accepted <= 0.02 * wrong
    assert both["right"] >= 300


def test_right_conversations_are_accepted() -> None:
    """From the start, a turn that is refused refuses up to eight: the same one, in each length."""
    tuned, held_out = measure(TUNED), measure(HELD_OUT)
    for kind, least, of_both in (("right", 0.94, 0.97), ("right from the start", 0.87, 0.93)):
        share(tuned, kind)
        assert share(held_out, kind) >= least
        assert share(tuned + held_out, kind) >= of_both


def test_turned_speakers_and_invented_numbers_are_named_as_what_they_are() -> None:
    both = measure(TUNED) + measure(HELD_OUT)
    speakers = both["wrong speakers: the wrong speaker"]
    print("named as the wrong speaker", speakers, "of", both["wrong speakers"])
    assert speakers >= 0.4 * both["wrong speakers"]
    assert both["right: the wrong speaker"] <= 0.02 * both["right"]
    invented = both["invented numbers: a number that the text does not have"]
    assert invented == both["invented numbers"]
