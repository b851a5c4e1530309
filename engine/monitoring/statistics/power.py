"""What a check could have seen: the smallest change that its rows show four times in five."""

from __future__ import annotations

import math
from statistics import NormalDist

POWER_Z = NormalDist().inv_cdf(0.8)


def smallest_distance(needed: float, rows: float) -> float:
    """The true Kolmogorov-Smirnov distance of which four samples in five show `needed` or more.

    `rows` as `both_rows` counts them. The distance seen scatters around the true one like a share does.

    >>> round(smallest_distance(0.10, 900.0), 3)
    0.114
    """
    if rows <= 0:
        return 1.0
    distance = needed
    for _ in range(20):
        spread = math.sqrt(max(0.0, 0.25 - distance**2 / 4.0) / rows)
        distance = needed + POWER_Z * spread
    return min(1.0, distance)


def shift_of_distance(distance: float) -> float | None:
    """By how many standard deviations a normal number has moved that is this far from where it was.

    None where no shift would do.

    >>> round(shift_of_distance(0.1192), 3)
    0.3
    """
    if distance >= 1.0:
        return None
    return 2.0 * NormalDist().inv_cdf((1.0 + distance) / 2.0)
