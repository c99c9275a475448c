"""Which text in the KV cache a prompt goes on from, and which makes room."""

from typing import Any, cast

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from generation_functions.engine.load_settings import LoadSettings
from generation_functions.engine.sequences import Sequence, Sequences, Tokens, common


class FakeLlama:
    """Keeps what llama.cpp's memory would hold, and notes copies."""

    def __init__(self, slots: int, can_share: bool = True) -> None:
        self.settings = LoadSettings("", slots, 400, 64, 0, 1)
        self.can_share = can_share
        self.held: dict[int, list[int]] = {n: [] for n in range(self.settings.sequences)}
        self.copies: list[tuple[int, int, int]] = []

    def copy(self, source: int, target: int, length: int) -> None:
        self.copies.append((source, target, length))
        self.held[target] = self.held[source][:length]

    def trim(self, sequence: int, length: int) -> None:
        del self.held[sequence][length:]


def make_tokens(step: int, item: int = 0, vote: int = 0) -> Tokens:
    """Return a prompt: 40 tokens of a step, 30 of an item, and one that tells votes apart."""
    return np.array([step] * 40 + [1000 + item] * 30 + [5000 + vote], np.int32)


class Desk:
    """Sequences over a fake llama, with prompts evaluated at once."""

    def __init__(self, slots: int, can_share: bool = True) -> None:
        self.llama = FakeLlama(slots, can_share)
        self.sequences = Sequences(cast(Any, self.llama))
        self.evaluated = 0

    def take(self, tokens: Tokens, shared: int = 40) -> Sequence:
        sequence = self.sequences.take(tokens, shared)
        held = self.llama.held[sequence.number]
        assert held == tokens[: sequence.evaluated].tolist()
        self.evaluated += len(sequence.pending)
        held += sequence.pending.tolist()
        sequence.evaluated = sequence.length
        return sequence

    def answer(self, tokens: Tokens, shared: int = 40) -> None:
        self.sequences.free(self.take(tokens, shared))


def test_a_step_s_beginning_is_evaluated_once() -> None:
    desk = Desk(slots=2)
    for item in range(10):
        desk.answer(make_tokens(1, item))
    assert desk.evaluated == 40 + 10 * 31


def test_a_vote_goes_on_from_the_vote_before_it() -> None:
    desk = Desk(slots=2)
    for vote in range(3):
        desk.answer(make_tokens(1, 7, vote))
    assert desk.evaluated == 71 + 1 + 1


def test_the_last_token_is_always_evaluated() -> None:
    desk = Desk(slots=1)
    desk.answer(make_tokens(1))
    desk.answer(make_tokens(1))
    assert desk.evaluated == 71 + 1


def test_the_beginnings_of_several_steps_stay() -> None:
    desk = Desk(slots=8)
    for item in range(30):
        for step in (1, 2, 3, 4, 5, 6):
            desk.answer(make_tokens(step, item))
    assert desk.evaluated == 6 * 40 + 6 * 30 * 31


def test_a_running_sequence_lends_its_beginning() -> None:
    desk = Desk(slots=2)
    running = desk.take(make_tokens(1, 1))
    other = desk.take(make_tokens(1, 2))
    assert other is not running
    assert desk.llama.copies == [(running.number, other.number, 40)]


def test_a_text_is_trimmed_where_no_copy_is_needed() -> None:
    desk = Desk(slots=1)
    for item in range(5):
        desk.answer(make_tokens(1, item))
    assert len(desk.llama.copies) <= 1


def test_the_oldest_idle_text_is_dropped_when_there_is_no_room() -> None:
    desk = Desk(slots=2)
    for step in (1, 2):
        desk.answer(make_tokens(step))
    busy = desk.take(make_tokens(3))
    assert desk.sequences.drop_idle()
    assert desk.sequences.drop_idle()
    assert not desk.sequences.drop_idle()
    assert busy.length == 71
    assert desk.sequences.match(make_tokens(1)) == (0, None)


def test_a_model_that_cannot_share_evaluates_everything() -> None:
    desk = Desk(slots=2, can_share=False)
    for _ in range(3):
        desk.answer(make_tokens(1))
    assert desk.evaluated == 3 * 71


def test_texts_in_work_lie_side_by_side() -> None:
    desk = Desk(slots=8)
    busy = [desk.take(make_tokens(1, item)) for item in range(8)]
    for item in range(8, 60):
        desk.sequences.free(busy.pop(item % 7))
        busy.append(desk.take(make_tokens(item % 5, item)))
        assert sorted(one.number for one in busy) == list(range(8))


def test_the_last_prefix_of_a_step_is_parked_before_it_is_overwritten() -> None:
    desk = Desk(slots=1)
    desk.answer(make_tokens(1, 1))
    desk.answer(make_tokens(2, 1))
    desk.answer(make_tokens(1, 2))
    assert desk.evaluated == 71 + 71 + 31


def test_soon_tells_what_a_prefill_is_about_to_give() -> None:
    desk = Desk(slots=2)
    running = desk.sequences.take(make_tokens(1, 1), 40)
    assert running.evaluated == 0
    assert desk.sequences.match(make_tokens(1, 2)) == (0, None)
    assert desk.sequences.soon(make_tokens(1, 2)) == 40
    assert desk.sequences.soon(make_tokens(2, 2)) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), max_size=40))
@settings(max_examples=80, deadline=None)
def test_what_a_sequence_holds_is_always_what_it_says(steps: list[tuple[int, int, bool]]) -> None:
    desk = Desk(slots=3)
    busy: list[Sequence] = []
    for step, item, keep in steps:
        if len(busy) == 3:
            desk.sequences.free(busy.pop(0))
        sequence = desk.take(make_tokens(step, item))
        assert sequence not in busy
        busy.append(sequence)
        if not keep:
            desk.sequences.free(busy.pop())


def test_the_common_beginning_of_tokens() -> None:
    one = np.array([1, 2, 3], np.int32)
    assert common(one, one) == 3
    assert common(one, one[:2]) == 2
    assert common(one, np.array([1, 9, 3], np.int32)) == 1
    assert common(one, np.array([9], np.int32)) == 0
    assert common(one, one[:0]) == 0
