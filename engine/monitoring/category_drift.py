"""What is measured of a category: chi-square, Jensen-Shannon, PSI, and values that came or went."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
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
    both = _together(reference, now)
    before, here = _hashed(reference, now) if reference.other else (both["before"].to_numpy(), both["count"].to_numpy())
    groups = pool_small(before, here, min(effective.reference, effective.now))
    theirs = (np.bincount(groups, before) * (effective.reference / reference.filled)).astype(np.float64)
    ours = (np.bincount(groups, here) * (effective.now / now.filled)).astype(np.float64)
    raw = jensen_shannon(theirs, ours)
    new = both.filter(pl.col("before") == 0) if not reference.other else both.clear()
    lost = both.filter((pl.col("before") >= _LOST_SHARE * reference.filled) & (pl.col("count") == 0))
    return CategoryDrift(
        p_value=chi_square_p_value(theirs, ours),
        distance=beyond_chance(raw, len(theirs), effective.reference, effective.now),
        psi=_psi(theirs, ours) if now.filled >= SMALLEST else None,
        within_usual=0.0 < raw <= USUAL * reference.usual.at(now.rows).distance,
        new_share=float(new["count"].sum()) / now.filled,
        new_p_value=_new_p_value(reference, now, int(new["count"].sum()), effective),
        new_values=[value[:_NAME_LENGTH] for value in new["value"].head(_NAMED)],
        lost_values=[value[:_NAME_LENGTH] for value in lost["value"].head(_NAMED)],
    )


def draw_category(reference: CategoryReference, now: ColumnNow) -> Distribution:
    """Both sides by the 31 values that are most frequent in either, and the rest."""
    both = _together(reference, now).select(
        "value", reference=pl.col("before") / max(1, reference.filled), current=pl.col("count") / max(1, now.filled)
    )
    shown = both.sort(pl.max_horizontal("reference", "current"), descending=True, maintain_order=True)
    shown = shown.head(DISPLAY_BINS - 1)
    labels = [value[:_NAME_LENGTH] for value in shown["value"]]
    sides = {side: shown[side].to_list() for side in ("reference", "current")}
    rests = {side: max(0.0, 1.0 - sum(shares)) for side, shares in sides.items()}
    if max(rests.values()) > 1e-9 and reference.filled and now.filled:
        labels.append(OTHER)
        sides = {side: [*shares, rests[side]] for side, shares in sides.items()}
    return Distribution(column=reference.name, kind="category", labels=labels, **sides)


def _together(reference: CategoryReference, now: ColumnNow) -> pl.DataFrame:
    """Each value of either side: `value`, `before` and `count` rows; those that only came now last."""
    before = pl.DataFrame(
        {"value": reference.values, "before": reference.counts}, schema={"value": pl.String, "before": pl.Int64}
    )
    both = before.join(now.counted, on="value", how="full", coalesce=True, maintain_order="left_right")
    return both.with_columns(pl.col("before", "count").fill_null(0).cast(pl.Int64))


def _hashed(reference: CategoryReference, now: ColumnNow) -> tuple[Counts, Counts]:
    assert reference.hashed is not None
    cells = hash_cells(now.counted["value"])
    return reference.hashed, np.bincount(cells, now.counted["count"], minlength=len(reference.hashed)).astype(np.int64)


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
