"""Kolmogorov-Smirnov: the largest distance between two distributions of a number.

The reference is known at its stored edges, so the distance is the largest at those, which is at most one bin's share
less than the largest anywhere; ties make no difference to it. `kolmogorov` says how odd a distance is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ks_distance(reference_below: Sequence[float] | Floats, current_below: Sequence[float] | Floats) -> float:
    """Largest distance between two distributions, given the share of rows up to each of the same edges.

    0.0 where there are no edges.

    >>> ks_distance([0.25, 0.5, 0.75, 1.0], [0.10, 0.30, 0.70, 1.0])
    0.2
    """
    differences = np.abs(np.asarray(reference_below, dtype=np.float64) - np.asarray(current_below, dtype=np.float64))
    return float(differences.max()) if differences.size else 0.0
