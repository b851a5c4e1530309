"""What is measured of a number: Kolmogorov-Smirnov, PSI, Wasserstein."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.data.profile import coarse_edges
from engine.monitoring.column_now import ColumnNow
from engine.monitoring.effective_rows import EffectiveRows
from engine.monitoring.reference import NumberReference
from engine.monitoring.statistics.kolmogorov import ks_p_value
from engine.monitoring.statistics.ks import ks_distance
from engine.monitoring.statistics.psi import SMALLEST, equal_bins, psi
from engine.monitoring.statistics.wasserstein import wasserstein
from engine.wire.monitoring import Distribution

DISPLAY_BINS = 32
USUAL = 1.1
"""Times the largest distance of a stretch of the reference is still usual."""


@dataclass(frozen=True)
class NumberDrift:
    """How far a number moved."""

    p_value: float
    distance: float
    psi: float | None
    wasserstein: float | None
    within_usual: bool


def measure_number(reference: NumberReference, now: ColumnNow, effective: EffectiveRows) -> NumberDrift | None:
    """None where one side has no values."""
    if not now.filled or not reference.filled:
        return None
    counts = _counts(reference, now)
    below = np.cumsum(counts)[:-1] / now.filled
    under = float(np.searchsorted(now.ordered, reference.minimum, side="left")) / now.filled
    distance = max(under, ks_distance(reference.below, below))
    coarse = coarse_edges(len(reference.edges))
    usual = reference.usual.at(now.rows).distance
    return NumberDrift(
        p_value=ks_p_value(distance, effective.reference, effective.now),
        distance=distance,
        psi=_psi(reference, counts) if now.filled >= SMALLEST else None,
        wasserstein=_wasserstein(reference, now),
        within_usual=0.0 < max(under, ks_distance(reference.below[coarse], below[coarse])) <= USUAL * usual,
    )


def draw_number(reference: NumberReference, now: ColumnNow, *, even: bool = False) -> Distribution:
    """Both sides in at most 32 bins that end at edges of the reference, about equally wide where most values lie.

    `even`: of about as many rows of the reference each. Scores crowd near 0 or 1, where one wide bin hides all that
    moves.
    """
    if not now.filled or not reference.filled:
        return Distribution(column=reference.name, kind="number", reference=[], current=[])
    ends = _even_ends(reference) if even else _wide_ends(reference)
    counts = _counts(reference, now)
    counts[-2] += counts[-1]
    edges = [min(reference.minimum, float(now.ordered[0])), *reference.edges[ends].tolist()]
    edges[-1] = max(reference.maximum, float(now.ordered[-1]))
    return Distribution(
        column=reference.name,
        kind="number",
        edges=edges,
        reference=np.diff(reference.below[ends], prepend=0.0).tolist(),
        current=np.diff(np.cumsum(counts)[ends] / now.filled, prepend=0.0).tolist(),
    )


def _wide_ends(reference: NumberReference) -> NDArray[np.int64]:
    low, high = np.interp([0.01, 0.99], reference.below, reference.edges)
    wanted = np.linspace(low, high, DISPLAY_BINS - 1)
    ends = np.unique(np.append(np.searchsorted(reference.edges, wanted), len(reference.edges) - 1))
    return ends[ends < len(reference.edges)]


def _even_ends(reference: NumberReference) -> NDArray[np.int64]:
    wanted = np.linspace(0.0, 1.0, DISPLAY_BINS + 1)[1:-1]
    return np.unique(np.append(np.searchsorted(reference.below, wanted), len(reference.edges) - 1))


def _counts(reference: NumberReference, now: ColumnNow) -> NDArray[np.int64]:
    """By bin of the reference, and beyond the last; shape (bins + 1,)."""
    ranks = np.searchsorted(now.ordered, reference.edges, side="right")
    return np.diff(np.append(ranks, now.filled), prepend=0)


def _psi(reference: NumberReference, counts: NDArray[np.int64]) -> float:
    inside = counts[:-1].copy()
    inside[-1] += counts[-1]
    starts = equal_bins(reference.counts)
    return psi(np.add.reduceat(reference.counts, starts), np.add.reduceat(inside, starts))


def _wasserstein(reference: NumberReference, now: ColumnNow) -> float | None:
    """In standard deviations of the reference; None where that has none."""
    if not reference.std > 0:
        return None
    return wasserstein(reference.below, reference.means, now.ordered) / reference.std
