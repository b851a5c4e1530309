"""Pearson's chi-square: do two samples fall into categories in the same shares?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.monitoring.statistics.gamma import upper_gamma

SMALLEST_EXPECTED = 10.0
"""Rows that a cell needs for the chi-square distribution to hold, also where it is read far out: with the usual five
(Cochran 1954) one in 10,000 of hundreds of cells came twice as often."""


def chi_square_tail(statistic: float, freedom: float) -> float:
    """How often chi-square with that many degrees of freedom is as large or larger; 1.0 without freedom.

    >>> round(chi_square_tail(3.841, 1), 3)
    0.05
    """
    return upper_gamma(freedom / 2.0, statistic / 2.0) if freedom > 0 else 1.0


def chi_square_p_value(reference: NDArray[Any], current: NDArray[Any]) -> float:
    """How often two samples of one distribution fall so differently into the same cells.

    Counts by cell, shape (cells,); they need not be whole, since rows that depend on each other count less. Pool small
    cells before (`pool_small`). 1.0 where there is only one cell, or no rows on one side.

    >>> round(chi_square_p_value(np.array([900, 100]), np.array([80, 20])), 4)
    0.0022
    """
    n, m = float(current.sum()), float(reference.sum())
    together = reference + current
    filled = together > 0
    if not n or not m or filled.sum() < 2:
        return 1.0
    expected = together[filled] / (n + m)
    # the sum over both samples of (observed − expected)² ÷ expected
    statistic = n * m / (n + m) * ((current[filled] / n - reference[filled] / m) ** 2 / expected).sum()
    return chi_square_tail(float(statistic), int(filled.sum()) - 1)


def pool_small(reference: NDArray[Any], current: NDArray[Any], smaller: float | None = None) -> NDArray[np.int64]:
    """The group of each cell, shape (cells,), such that the smaller sample expects 10 rows or more in each group.

    `smaller`: how many rows that sample is worth, where its rows depend on each other; None: as many as it has. The
    counts themselves must be of rows as they are: with weights, cells of one size no longer have shares of one size.

    Cells that are large enough are a group of their own; the others are joined in the order of their size in both
    samples together, so that pooling favours neither. Cells of one size come in an arbitrary, fixed order: in that of
    the reference's counts they would come in the opposite order of the other sample's.

    >>> pool_small(np.array([900, 60, 30, 8, 2]), np.array([90, 6, 3, 1, 0])).tolist()
    [1, 0, 0, 0, 0]
    """
    together = np.asarray(reference, dtype=np.float64) + current
    total = together.sum()
    if smaller is None:
        smaller = min(float(np.sum(reference)), float(np.sum(current)))
    if not total or not smaller:
        return np.zeros(len(together), dtype=np.int64)
    expected = together / total * smaller
    groups = np.zeros(len(together), dtype=np.int64)
    group, gathered = 0, 0.0
    arbitrary = np.random.default_rng(0).permutation(len(expected))
    for cell in np.lexsort((arbitrary, together)).tolist():
        if gathered >= SMALLEST_EXPECTED:
            group, gathered = group + 1, 0.0
        groups[cell] = group
        gathered += float(expected[cell])
    if gathered < SMALLEST_EXPECTED and group:
        groups[groups == group] = group - 1
    return groups
