"""How many right exchanges of each way the checks by code refuse, and how many bad ones pass.

The held-out half was not looked at while the checks were mended.
"""

import pytest
from spoiled_ways import Labelled, read_chunks, read_half

from generation_functions.documents.retrieval import ChunkIndex
from generation_functions.pipelines.recall import find_fault
from generation_functions.pipelines.ways import BUILT_IN

CORPUS = ChunkIndex(read_chunks())
HALVES = {half: read_half(half) for half in ("tuned", "held_out")}
each_way = pytest.mark.parametrize("way", BUILT_IN)


def refuses(one: Labelled) -> str:
    """Return why the checks refuse an exchange, "" where they let it pass."""
    problem = find_fault(CORPUS, BUILT_IN[one.way], one.request, one.exchange)
    return problem.reason if problem else ""
