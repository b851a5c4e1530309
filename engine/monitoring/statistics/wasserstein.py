"""Wasserstein-1: how far values had to move, on average, to make one sample into the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def wasserstein(below: Floats, means: Floats, current: Floats) -> float:
    """The distance between a reference in bins and sorted values, in the values' unit.

    `below`: share of the reference up to the end of each bin, ending in 1.0; `means`: its mean within each bin; both
    of shape (bins,). `current`: ascending, shape (rows,). The area between the quantile functions: exact, but where
    they cross within a bin. 0.0 without rows.

    >>> wasserstein(np.array([0.5, 1.0]), np.array([1.0, 3.0]), np.array([2.0, 2.0, 5.0, 5.0]))
    1.5
    """
    if not current.size or not below.size:
        return 0.0
    shares = np.diff(below, prepend=0.0)
    sums = np.diff(_sums_up_to(below * len(current), current), prepend=0.0) / len(current)
    return float(np.abs(shares * means - sums).sum())


def _sums_up_to(ranks: Floats, ordered: Floats) -> Floats:
    """The sum of the first `ranks` values, where a rank may split a value."""
    whole = np.minimum(ranks.astype(np.int64), len(ordered))
    starts = np.concatenate(([0], whole[:-1]))
    parts = np.add.reduceat(ordered, np.minimum(starts, len(ordered) - 1))
    parts[whole == starts] = 0.0  # of an empty stretch reduceat gives one value
    # the last stretch of reduceat goes on to the end
    parts[-1] = ordered[starts[-1] : whole[-1]].sum()
    split = ordered[np.minimum(whole, len(ordered) - 1)] * (ranks - whole)
    return np.cumsum(parts) + split
