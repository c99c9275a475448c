"""The orders of a chunk's pairs: different, stable, and drawn without making them all."""

from dataclasses import replace
from itertools import permutations
from math import factorial
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from generation_functions.pipelines.orders import choose_orders, make_info
from generation_functions.pipelines.samples import CLEAR
from generation_functions.records import QAPair
from generation_functions.stages.conversations import group_pairs


def make_pairs(count: int) -> list[QAPair]:
    return [replace(CLEAR, uuid=f"pair {number:02}") for number in range(count)]


@given(st.integers(1, 7), st.integers(1, 60), st.integers(0, 10**6), st.randoms())
def test_orders_are_different_stable_and_as_many_as_there_can_be(
    count: int, take: int, seed: int, chance: Random
) -> None:
    pairs = make_pairs(count)
    orders = choose_orders(pairs, take, seed)
    assert len(orders) == len(set(orders)) == min(take, factorial(count))
    assert all(sorted(order, key=lambda pair: pair.uuid) == pairs for order in orders)
    shuffled = chance.sample(pairs, count)
    assert choose_orders(shuffled, take, seed) == orders
    assert choose_orders(pairs, take + 1, seed)[: len(orders)] == orders


def test_all_orders_are_taken_where_there_are_no_more() -> None:
    pairs = make_pairs(4)
    assert set(choose_orders(pairs, 1000, 3)) == set(permutations(pairs))


def test_every_order_is_as_likely_to_be_the_first() -> None:
    pairs = make_pairs(3)
    firsts = [choose_orders(pairs, 1, seed)[0] for seed in range(1200)]
    counts = {order: firsts.count(order) for order in permutations(pairs)}
    assert all(150 < count < 250 for count in counts.values())  # 200, by 4 standard deviations


def test_thirty_pairs_have_orders_although_nobody_could_list_them() -> None:
    orders = choose_orders(make_pairs(30), 50, 1)  # W13: 30! is 2.7e32
    assert len(set(orders)) == 50
    assert orders == choose_orders(make_pairs(30), 50, 1)


def test_a_pair_that_a_person_edited_stays_with_its_chunk() -> None:
    """What was edited keeps the place that its chunk had then; other chunks may lie between."""
    first, second, third = make_pairs(3)
    moved = replace(first, chunk=replace(CLEAR.chunk, start=50))
    between = replace(third, chunk=replace(CLEAR.chunk, uuid="another chunk", start=20))
    grouped = [info.pairs for info in group_pairs([moved, second, between], 1, 0)]
    assert sorted(map(len, grouped)) == [1, 2]


def test_an_order_is_an_item_of_its_own() -> None:
    one, other = (make_info(order) for order in choose_orders(make_pairs(2), 2, 0))
    assert one.uuid != other.uuid
    assert one.chunk == CLEAR.chunk
