"""The orders in which a chunk's pairs are talked about."""

from collections.abc import Sequence
from math import factorial

from generation_functions.choosing import draw_number
from generation_functions.records import ConversationInfo, QAPair, make_uuid


def choose_orders(pairs: Sequence[QAPair], take: int, seed: int) -> list[tuple[QAPair, ...]]:
    """Return `take` different orders of the pairs, or all n! where there are no more.

    The same pairs give the same orders, however they come; a larger `take` adds orders and
    changes none. Orders are drawn by their number, without making all n! of them: the draw
    is a Fisher-Yates shuffle that keeps only the places it has touched.
    """
    settled = sorted(pairs, key=lambda pair: pair.uuid)
    uuids = [pair.uuid for pair in settled]
    total = factorial(len(settled))
    moved: dict[int, int] = {}
    orders = []
    for place in range(min(take, total)):
        drawn = place + draw_number(seed, *uuids, place) % (total - place)
        orders.append(_arrange(settled, moved.get(drawn, drawn)))
        moved[drawn] = moved.get(place, place)
    return orders


def make_info(order: Sequence[QAPair]) -> ConversationInfo:
    """Return what is to be talked about, in this order; the pairs are of one chunk."""
    chunk = order[0].chunk
    return ConversationInfo(
        make_uuid(chunk.uuid, *(pair.uuid for pair in order)), tuple(order), chunk
    )


def _arrange(pairs: Sequence[QAPair], number: int) -> tuple[QAPair, ...]:
    """Return the order of this number (0 to n! - 1), read in the factorial number system."""
    left = list(pairs)
    order = []
    for size in range(len(left), 0, -1):
        place, number = divmod(number, factorial(size - 1))
        order.append(left.pop(place))
    return tuple(order)
