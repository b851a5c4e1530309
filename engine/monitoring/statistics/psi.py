"""Population stability index: how far counts by bin moved, in the unit that credit scoring made common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10
"""The rules of thumb (0.1 some, 0.25 much) are about ten bins of equal share."""
SMALLEST = 500
"""Rows below which it measures how few they are: without any change it is about (1/n + 1/m) · χ²(bins − 1)."""


def psi(reference: Sequence[float] | NDArray[Any], current: Sequence[float] | NDArray[Any]) -> float:
    """The index between two samples, counted over the same bins, shape (bins,).

    A bin that only one side leaves empty counts as 0.5 rows. 0.0 means the same, also where one side has no rows;
    unbounded above. Source: Yurdakul 2018.

    >>> round(psi([50, 50], [50, 50]), 3)
    0.0
    >>> round(psi([50, 50], [30, 70]), 3)
    0.169
    """
    before, now = (np.asarray(counts, dtype=np.float64) for counts in (reference, current))
    if not before.sum() or not now.sum():
        return 0.0
    filled = before + now > 0
    p = np.maximum(before[filled], 0.5) / before.sum()
    q = np.maximum(now[filled], 0.5) / now.sum()
    return float(((q - p) * np.log(q / p)).sum())


def equal_bins(counts: Sequence[int] | NDArray[np.int64], bins: int = BINS) -> NDArray[np.int64]:
    """Where to begin each of at most `bins` groups of neighbouring fine bins, of shares as equal as they allow.

    >>> equal_bins([10, 10, 10, 10, 60, 10], bins=4).tolist()
    [0, 3, 4, 5]
    """
    below = np.cumsum(counts)
    if not below.size or not below[-1]:
        return np.zeros(min(1, below.size), dtype=np.int64)
    # a fine bin goes to the group in which its middle lies
    middles = (below - np.asarray(counts) / 2) / below[-1]
    groups = np.minimum((middles * bins).astype(np.int64), bins - 1)
    return np.flatnonzero(np.diff(groups, prepend=-1)).astype(np.int64)
