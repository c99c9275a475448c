"""What few observations can say: the interval of a share, and whether two shares differ."""

from math import comb, sqrt

_Z = 1.959964  # a normal distribution has 95 % within so many standard deviations


def wilson_interval(hits: int, number: int) -> tuple[float, float]:
    """Return the 95 % score interval of the share `hits` / `number`; (0, 1) for number 0.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927).
    """
    if number == 0:
        return 0.0, 1.0
    middle = (hits + _Z**2 / 2) / (number + _Z**2)
    half = _Z * sqrt(hits * (number - hits) / number + _Z**2 / 4) / (number + _Z**2)
    return max(0.0, middle - half), min(1.0, middle + half)


def fisher_p(hits: int, number: int, other_hits: int, other_number: int) -> float:
    """Return the one-sided p that the first share is the larger only by chance.

    Fisher's exact test: the chance, with all margins as they are, of at least `hits` hits
    among the first `number` (the upper tail of a hypergeometric distribution).
    """
    together = hits + other_hits
    ways = sum(
        comb(number, first) * comb(other_number, together - first)
        for first in range(hits, min(number, together) + 1)
    )
    return ways / comb(number + other_number, together)
