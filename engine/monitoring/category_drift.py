"""What is measured of a category: chi-square, Jensen-Shannon, PSI, and values that came or went."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from engine.data.profile import hash_cells
from engine.monitoring.column_now import ColumnNow
from engine.monitoring.effective_rows import EffectiveRows
from engine.monitoring.number_drift import DISPLAY_BINS, USUAL
from engine.monitoring.reference import CategoryReference
from engine.monitoring.statistics.chi_square import chi_square_p_value, pool_small
from engine.monitoring.statistics.jensen_shannon import beyond_chance, jensen_shannon
from engine.monitoring.statistics.proportions import rarer_p_value
from engine.monitoring.statistics.psi import SMALLEST, psi
from engine.wire.monitoring import Distribution

OTHER = "(other)"
_NAMED = 10
_NAME_LENGTH = 100
_ROUNDING = 1e-9
_LOST_SHARE = 0.01
"""Of the reference: a rarer value may well be missing among few rows."""

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class CategoryDrift:
    """How far a category moved. Distance and PSI are less what chance makes of so many cells and rows."""

    p_value: float
    distance: float
    psi: float | None
    within_usual: bool
    new_share: float
    new_p_value: float | None
    new_values: list[str]
    lost_values: list[str]


def measure_category(reference: CategoryReference, now: ColumnNow, effective: EffectiveRows) -> CategoryDrift | None:
    """None where one side has no values, or more than are listed in a profile of format 1."""
    if not now.filled or not reference.filled or (reference.other and reference.hashed is None):
        return None
    before, here, new = _cells(reference, now)
    arrived = sum(new.values())
    theirs, ours = _pooled(before, here, min(reference.filled, now.filled))
    raw = jensen_shannon(theirs, ours)
    worth = effective.reference / reference.filled, effective.now / now.filled
    fewer = _pooled(before, here, min(effective.reference, effective.now))
    return CategoryDrift(
        p_value=chi_square_p_value(fewer[0] * worth[0], fewer[1] * worth[1]),
        distance=beyond_chance(raw, len(theirs), reference.filled, now.filled),
        psi=_psi(theirs, ours) if now.filled >= SMALLEST else None,
        within_usual=0.0 < raw <= USUAL * reference.usual.at(now.rows).distance,
        new_share=arrived / now.filled,
        new_p_value=_new_p_value(reference, now, arrived, effective),
        new_values=[value[:_NAME_LENGTH] for value in islice(new, _NAMED)],
        lost_values=_lost(reference, now),
    )


def draw_category(reference: CategoryReference, now: ColumnNow) -> Distribution:
    """Both sides by the 31 values that are most frequent in either, and the rest."""
    totals = max(1, reference.filled), max(1, now.filled)
    frequent = dict.fromkeys([*reference.values[: DISPLAY_BINS - 1], *islice(now.counted, DISPLAY_BINS - 1)])
    shares = {
        value: (_rows_of(reference, value) / totals[0], now.counted.get(value, 0) / totals[1]) for value in frequent
    }
    shown = sorted(shares, key=lambda value: -max(shares[value]))[: DISPLAY_BINS - 1]
    labels = [value[:_NAME_LENGTH] for value in shown]
    before, here = ([shares[value][side] for value in shown] for side in (0, 1))
    rests = max(0.0, 1.0 - sum(before)), max(0.0, 1.0 - sum(here))
    if max(rests) > _ROUNDING and reference.filled and now.filled:
        labels, before, here = [*labels, OTHER], [*before, rests[0]], [*here, rests[1]]
    return Distribution(column=reference.name, kind="category", labels=labels, reference=before, current=here)


def _cells(reference: CategoryReference, now: ColumnNow) -> tuple[Counts, Counts, dict[str, int]]:
    """Counts of both sides by cell, and rows by value that the reference does not have.

    Each such value is a cell of its own. Of a reference with too many values to list nothing is known to be new.
    """
    if reference.hashed is not None:
        cells = hash_cells(now.counted)
        rows = list(now.counted.values())
        return reference.hashed, np.bincount(cells, rows, minlength=len(reference.hashed)).astype(np.int64), {}
    new = {value: rows for value, rows in now.counted.items() if value not in reference.places}
    here = [now.counted.get(value, 0) for value in reference.values]
    before = np.append(reference.counts, np.zeros(len(new), dtype=np.int64))
    return before, np.array([*here, *new.values()], dtype=np.int64), new


def _pooled(before: Counts, here: Counts, smaller: float) -> tuple[Floats, Floats]:
    """Both sides with small cells joined, where the smaller one is worth so many rows."""
    groups = pool_small(before, here, smaller)
    return tuple(np.bincount(groups, side).astype(np.float64) for side in (before, here))  # type: ignore[return-value]


def _rows_of(reference: CategoryReference, value: str) -> int:
    place = reference.places.get(value)
    return int(reference.counts[place]) if place is not None else 0


def _lost(reference: CategoryReference, now: ColumnNow) -> list[str]:
    frequent = reference.values[: int((reference.counts >= _LOST_SHARE * reference.filled).sum())]
    return [value[:_NAME_LENGTH] for value in frequent if value not in now.counted][:_NAMED]


def _new_p_value(reference: CategoryReference, now: ColumnNow, new: int, effective: EffectiveRows) -> float | None:
    """Against how often stretches of the reference hold a value that is nowhere else in it, else against its values
    that occur once (Good 1953). None where no value can be new.
    """
    if reference.other or reference.type != "category":
        return None
    usual = reference.usual.at(now.rows)
    if new / now.filled <= USUAL * usual.most_new:
        return 1.0
    singles = float((reference.counts == 1).sum()) / reference.filled
    known = usual.new_share if reference.usual.stretches else singles
    return rarer_p_value(
        known * effective.reference, effective.reference, new * effective.now / now.filled, effective.now
    )


def _psi(theirs: Floats, ours: Floats) -> float:
    """Its mean is (cells − 1) · (1/n + 1/m) when nothing has changed."""
    by_chance = (len(theirs) - 1) * (1.0 / float(theirs.sum()) + 1.0 / float(ours.sum()))
    return max(0.0, psi(theirs, ours) - by_chance)
