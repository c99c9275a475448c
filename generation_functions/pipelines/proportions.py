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


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the two-sided p that of two models, asked the same, neither knows more.

    McNemar's test, exact: of the questions that just one answers rightly, each is as likely the
    first's as the second's (a binomial distribution with 1/2). 1.0 where there is none.
    """
    number = only_first + only_second
    tail = sum(comb(number, hits) for hits in range(min(only_first, only_second) + 1))
    return min(1.0, float(2 * tail / 2**number))


def paired_interval(
    both: int, only_first: int, only_second: int, neither: int
) -> tuple[float, float]:
    """Return the 95 % interval of the first share less the second, of the same questions.

    (-1, 1) for none. R. G. Newcombe, "Improved confidence intervals for the difference between
    binomial proportions based on paired data", Statistics in Medicine 17 (1998), method 10.
    """
    number = both + only_first + only_second + neither
    if number == 0:
        return -1.0, 1.0
    first, second = both + only_first, both + only_second
    least, most = wilson_interval(first, number)
    other_least, other_most = wilson_interval(second, number)
    share, other = first / number, second / number
    margins = first * (number - first) * second * (number - second)
    product: float = both * neither - only_first * only_second
    if product > 0:
        product = max(0.0, product - number / 2)  # continuity
    phi = product / sqrt(margins) if margins else 0.0

    def spread(one: float, two: float) -> float:
        return sqrt(max(0.0, one**2 - 2 * phi * one * two + two**2))

    difference = share - other
    lower = difference - spread(share - least, other_most - other)
    upper = difference + spread(most - share, other - other_least)
    return max(-1.0, lower), min(1.0, upper)
