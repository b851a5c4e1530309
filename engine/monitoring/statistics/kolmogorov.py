"""Kolmogorov's distribution: how odd a Kolmogorov-Smirnov distance is, and which distance would be odd enough.

Plain arithmetic, for the rule that decides on alarms inside the engine needs it too.
"""

from __future__ import annotations

import math


def ks_p_value(distance: float, reference_rows: float, current_rows: float) -> float:
    """How often two samples of one distribution differ so much or more; rows need not be whole.

    Kolmogorov's series for n·m ÷ (n + m) rows, with the correction of Maag and Dicaire (1971) to finite samples.
    Conservative where values repeat. 1.0 without rows.

    >>> round(ks_p_value(0.06, 10_000, 1_000), 4)
    0.0028
    >>> ks_p_value(0.0, 10_000, 1_000)
    1.0
    """
    if min(reference_rows, current_rows) <= 0 or distance <= 0:
        return 1.0
    rows = both_rows(reference_rows, current_rows)
    # sup|B| at this place has the tail 2·exp(−2λ²), with λ² = (6nD + 1)² ÷ (36 n)
    return _kolmogorov((6.0 * rows * distance + 1.0) / (6.0 * math.sqrt(rows)))


def ks_critical_distance(p_value: float, reference_rows: float, current_rows: float) -> float:
    """The distance that has this (small) p-value; 1.0 where none has.

    >>> round(ks_critical_distance(0.0028, 10_000, 1_000), 3)
    0.06
    """
    if min(reference_rows, current_rows) <= 0:
        return 1.0
    rows = both_rows(reference_rows, current_rows)
    scaled = math.sqrt(math.log(2.0 / p_value) / 2.0)
    return min(1.0, max(0.0, (6.0 * math.sqrt(rows) * scaled - 1.0) / (6.0 * rows)))


def both_rows(reference_rows: float, current_rows: float) -> float:
    """As many rows against a known distribution would tell as much as these two samples.

    >>> both_rows(3_000, 1_000)
    750.0
    """
    return reference_rows * current_rows / (reference_rows + current_rows)


def _kolmogorov(scaled: float) -> float:
    if scaled < 0.3:  # the series converges ever more slowly, to 1 within 1e-5
        return 1.0
    total = sum((1.0 if k % 2 else -1.0) * math.exp(-2.0 * (k * scaled) ** 2) for k in range(1, 101))
    return min(1.0, max(0.0, 2.0 * total))
