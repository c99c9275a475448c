"""The measure of the conversation checks: what they accept of wrong conversations, reject of right.

Wrong is each ordered pair (i, j) of a chunk: what is asked, or told, about j stands where i's
belongs; j is not otherwise in the conversation (harder: nothing is said twice).
"""

from collections import Counter
from functools import cache
from math import sqrt

from benchmarks.alignment import Labelled, read_labelled
from generation_functions.pipelines.conversation_checks import find_flaws
from generation_functions.records import Conversation, Turn

TUNED = ("tuned_1", "tuned_2")
HELD_OUT = ("held_out_1", "held_out_2")


def talk(row: Labelled, group: list[int], here: int = -1, asked: int = -1, told: int = -1) -> bool:
    """Whether the conversation of a group is accepted, with another pair's turns at `here`."""
    turns = []
    for one in group:
        turns.append(Turn("human", row.asked[asked if one == here and asked >= 0 else one]))
        turns.append(Turn("gpt", row.told[told if one == here and told >= 0 else one]))
    pairs = tuple(row.pairs[one] for one in group)
    return not find_flaws(Conversation("k", tuple(turns), pairs, row.chunk))


@cache
def measure(names: tuple[str, ...]) -> Counter[str]:
    """Return how many there were of each kind ("answers"), and accepted ("answers accepted")."""
    count: Counter[str] = Counter()

    def note(kind: str, accepted: bool) -> None:
        count[kind] += 1
        count[f"{kind} accepted"] += accepted

    for row in (row for name in names for row in read_labelled(name)):
        for group in (
            [0, 1],
            [2, 3],
            [4, 5],
            [6, 7],
            [0, 1, 2],
            [3, 4, 5],
            [0, 1, 2, 3],
            [4, 5, 6, 7],
        ):
            note("right", talk(row, group))
        for here in range(8):
            for other in range(8):
                if here == other:
                    continue
                rest = [one for one in range(8) if one not in (here, other)]
                group = sorted([here, rest[(here + other) % 6]])
                note("answers", talk(row, group, here, told=other))
                note("questions", talk(row, group, here, asked=other))
                note("exchanges", talk(row, group, here, asked=other, told=other))
    return count


def interval(hits: int, number: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    share, z = hits / number, 1.96
    middle = share + z * z / (2 * number)
    reach = z * sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    return (middle - reach) / (1 + z * z / number), (middle + reach) / (1 + z * z / number)


def share(count: Counter[str], kind: str) -> float:
    hits, number = count[f"{kind} accepted"], count[kind]
    low, high = interval(hits, number)
    print(f"{kind}: {hits} of {number} accepted, {hits / number:.1%} ({low:.1%} to {high:.1%})")
    return hits / number


def test_wrong_answers_and_exchanges_are_refused() -> None:
    tuned, held_out = measure(TUNED), measure(HELD_OUT)
    both = tuned + held_out
    assert both["answers"] >= 2000
    for kind in ("answers", "exchanges"):
        assert share(both, kind) <= 0.02
        assert share(held_out, kind) <= share(tuned, kind) + 0.01


def test_wrong_questions_are_refused_as_far_as_words_can_tell() -> None:
    """Not the 2 % of answers: "And the other one?" fits nearly everywhere."""
    tuned, held_out = measure(TUNED), measure(HELD_OUT)
    assert share(tuned, "questions") <= 0.20
    assert share(held_out, "questions") <= 0.22


def test_right_conversations_are_accepted() -> None:
    tuned, held_out = measure(TUNED), measure(HELD_OUT)
    assert share(tuned + held_out, "right") >= 0.95
    assert share(held_out, "right") >= 0.92
