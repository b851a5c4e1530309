"""Jensen-Shannon distance between the shares of categories, less what chance alone makes of so many rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


def jensen_shannon(reference: NDArray[Any], current: NDArray[Any]) -> float:
    """The distance between two samples in the same cells: the root of the divergence in bits, 0.0 to 1.0.

    Counts by cell, shape (cells,). 0.0 where one side has no rows. Source: Endres and Schindelin 2003.

    >>> round(jensen_shannon(np.array([50, 50]), np.array([30, 70])), 4)
    0.1741
    >>> jensen_shannon(np.array([1, 0]), np.array([0, 1]))
    1.0
    """
    n, m = float(current.sum()), float(reference.sum())
    if not n or not m:
        return 0.0
    p, q = reference / m, current / n
    middle = (p + q) / 2
    return math.sqrt(max(0.0, (_divergence(p, middle) + _divergence(q, middle)) / 2))


def expected_divergence(cells: int, reference_rows: float, current_rows: float) -> float:
    """What the squared distance is on average when nothing has changed and no cell is small.

    The divergence is about chi-square ÷ (8 ln 2) · (1/n + 1/m), and chi-square is (cells − 1) on average.

    >>> round(expected_divergence(30, 1e9, 500.0) ** 0.5, 3)  # 30 levels look like a distance of 0.1 in 500 rows
    0.102
    """
    if min(reference_rows, current_rows) <= 0:
        return 0.0
    return max(0, cells - 1) * (1.0 / reference_rows + 1.0 / current_rows) / (8.0 * math.log(2.0))


def beyond_chance(distance: float, cells: int, reference_rows: float, current_rows: float) -> float:
    """The distance without the part that is expected when nothing has changed; 0.0 where that is all of it.

    >>> beyond_chance(0.1, 30, 1e9, 500.0)
    0.0
    >>> round(beyond_chance(0.3, 30, 1e9, 500.0), 3)
    0.282
    """
    return math.sqrt(max(0.0, distance**2 - expected_divergence(cells, reference_rows, current_rows)))


def _divergence(p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    filled = p > 0
    return float((p[filled] * np.log2(p[filled] / q[filled])).sum())
