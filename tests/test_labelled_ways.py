"""How many right exchanges of each way the checks by code refuse, and how many bad ones pass.

The held-out half was not looked at while the checks were mended. What words cannot tell is left to
the votes: an answer to another question about the same sentence, a true premise in other words.
"""

from collections import Counter

import pytest
from spoiled_ways import Labelled, read_chunks, read_half

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.pipelines.proportions import wilson_interval
from generation_functions.pipelines.recall import find_fault
from generation_functions.pipelines.ways import BUILT_IN

MOST_ACCEPTED = 0.05  # of bad exchanges
MOST_REFUSED = 0.1  # of right ones
HALVES = {half: read_half(half) for half in ("tuned", "held_out", "fresh")}
CORPUS = ChunkIndex(read_chunks())


def refuses(one: Labelled) -> bool:
    return find_fault(CORPUS, BUILT_IN[one.way], one.request, one.exchange) is not None


def say(half: str, what: str, hits: int, number: int) -> str:
    low, high = wilson_interval(hits, number)
    return f"{half} {what} {hits} of {number}: {hits / number:.1%} ({low:.1%} to {high:.1%})"


@pytest.mark.parametrize("way", BUILT_IN)
def test_right_exchanges_are_kept_and_bad_ones_are_not(way: str) -> None:
    refused = accepted = rights = wrongs = 0
    for half, (right, bad) in HALVES.items():
        lost = sum(map(refuses, right[way]))
        passed = [one for one in bad[way] if not refuses(one)]
        print(say(half, "right refused", lost, len(right[way])))
        print(say(half, "bad accepted", len(passed), len(bad[way])))
        for kind, count in Counter(one.kind for one in bad[way]).items():
            print(f"  {kind}: {sum(one.kind == kind for one in passed)} of {count}")
        refused, rights = refused + lost, rights + len(right[way])
        accepted, wrongs = accepted + len(passed), wrongs + len(bad[way])
    assert rights >= 60
    assert wrongs >= 60
    assert refused <= MOST_REFUSED * rights
    assert accepted <= MOST_ACCEPTED * wrongs
