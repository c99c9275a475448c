"""Rules on labelled excerpts; the half that is held out was not looked at while they were made."""

import json
from pathlib import Path

import pytest

from generation_functions.documents.rules import reject_by_rule
from generation_functions.pipelines.proportions import wilson_interval
from generation_functions.records import Chunk

FILE = Path(__file__).with_name("labelled_chunks.jsonl")
ROWS = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def judge(good, held_out):
    rows = [r for r in ROWS if (r["label"] == "good") == good and r["held_out"] == held_out]
    chunks = [Chunk("u", "d", "t", "A", r["text"], 0, len(r["text"]), 1) for r in rows]
    return sum(reject_by_rule(chunk) is not None for chunk in chunks), len(chunks)


def test_there_are_enough_labels_and_each_once():
    assert sum(row["label"] == "good" for row in ROWS) >= 300
    assert sum(row["label"] != "good" for row in ROWS) >= 100
    assert len({row["text"] for row in ROWS}) == len(ROWS)
    assert FILE.stat().st_size < 100_000


@pytest.mark.parametrize("held_out", [False, True], ids=["tuned on", "held out"])
def test_good_chunks_stay_and_bad_ones_go(held_out, record_property):
    rejected, good = judge(good=True, held_out=held_out)
    caught, bad = judge(good=False, held_out=held_out)
    record_property("good rejected", f"{rejected}/{good}, 95 % {wilson_interval(rejected, good)}")
    record_property("bad caught", f"{caught}/{bad}, 95 % {wilson_interval(caught, bad)}")
    assert rejected <= 0.01 * good
    assert caught >= 0.8 * bad
    assert wilson_interval(rejected, good)[1] < 0.05
    assert wilson_interval(caught, bad)[0] > 0.65
