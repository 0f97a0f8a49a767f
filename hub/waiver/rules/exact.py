"""Exact sums (rule): rounding written out, and whole yen spread so that the parts add up. Integers only."""

from collections.abc import Sequence

from hub.waiver.rules.profile import Rounding


def rounded(numerator: int, denominator: int, how: Rounding) -> int:
    """A fraction as whole yen: floor (切捨て), ceil (切上げ), or half_up (四捨五入)."""
    if how == "ceil":
        return -(-numerator // denominator)
    if how == "half_up":
        return (2 * numerator + denominator) // (2 * denominator)
    return numerator // denominator


def spread(total: int, exact: Sequence[int], denominator: int) -> list[int]:
    """Shares that add up to `total`: each exact share (over the denominator) floored, what is left one by one.

    It goes to the largest remainders, of two alike to the first. `total` is the exact sum, rounded in whichever way.
    """
    shares = [one // denominator for one in exact]
    left = total - sum(shares)
    by_remainder = sorted(range(len(exact)), key=lambda at: (-(exact[at] % denominator), at))
    for at in by_remainder[:left]:
        shares[at] += 1
    return shares
