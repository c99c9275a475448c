"""Seeded choices that depend on what is chosen from, never on its order or on its length."""

import hashlib
from collections.abc import Iterable


def draw_number(*key: object) -> int:
    """Return a number from 0 to 2**256 - 1 that the key decides."""
    text = "\x1f".join(map(str, key))
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def draw_share(*key: object) -> float:
    """Return a number from 0 to 1, less than 1, that the key decides."""
    return draw_number(*key) / 2**256


def rank(options: Iterable[str], *key: object) -> list[str]:
    """Return the options in an order that the key decides.

    Taking one option out, or adding one, leaves the others in their order.
    """
    begun = hashlib.sha256("".join(f"{part}\x1f" for part in key).encode())

    def place(option: str) -> bytes:
        digest = begun.copy()
        digest.update(option.encode())
        return digest.digest()

    return sorted(options, key=place)


def spread(options: Iterable[str], *key: object) -> dict[str, float]:
    """Give each option a number between 0 and 1, all the same way apart, in an order as of `rank`.

    So as many as a share says, to one option, are below that share.
    """
    ordered = rank(options, *key)
    return {option: (place + 0.5) / len(ordered) for place, option in enumerate(ordered)}
