"""One column of production against the profile of the training data: its figures, and both sides to be drawn."""

from __future__ import annotations

from typing import Literal

from engine.monitoring.category_drift import CategoryDrift, draw_category, measure_category
from engine.monitoring.column_now import ColumnNow
from engine.monitoring.effective_rows import effective_null_rows, effective_rows
from engine.monitoring.number_drift import USUAL, NumberDrift, draw_number, measure_number
from engine.monitoring.reference import NumberReference, Reference
from engine.monitoring.statistics.proportions import shares_p_value
from engine.wire.monitoring import Distribution
from engine.wire.work import ColumnFigures

Kind = Literal["number", "category", "prediction"]


def measure_column(reference: Reference, now: ColumnNow, *, prediction: bool = False) -> ColumnFigures:
    """All figures of a column. It may hold nothing but nulls; then only those are measured."""
    effective = effective_rows(reference, now)
    if isinstance(reference, NumberReference):
        drift: NumberDrift | CategoryDrift | None = measure_number(reference, now, effective)
    else:
        drift = measure_category(reference, now, effective)
    figures = ColumnFigures(
        column=reference.name,
        kind="prediction" if prediction else kind_of(reference),
        p_value=drift.p_value if drift else None,
        distance=drift.distance if drift else None,
        psi=drift.psi if drift else None,
        wasserstein=drift.wasserstein if isinstance(drift, NumberDrift) else None,
        null_share=now.null_share,
        reference_null_share=reference.null_share,
        null_p_value=None if prediction else _null_p_value(reference, now),
        effective_rows=effective.now if now.filled else 0.0,
        effective_reference_rows=effective.reference,
        within_usual=drift.within_usual if drift else False,
    )
    if isinstance(drift, CategoryDrift):
        return figures.model_copy(
            update={
                "new_share": drift.new_share,
                "new_p_value": drift.new_p_value,
                "new_values": drift.new_values,
                "lost_values": drift.lost_values,
            }
        )
    return figures


def draw_column(reference: Reference, now: ColumnNow, *, prediction: bool = False) -> Distribution:
    """Both sides as shares by bin or label; answers in bins of about as many rows each."""
    if isinstance(reference, NumberReference):
        drawn = draw_number(reference, now, even=prediction)
    else:
        drawn = draw_category(reference, now)
    return drawn.model_copy(update={"kind": "prediction"}) if prediction else drawn


def kind_of(reference: Reference) -> Kind:
    """Numbers and integers are numbers; categories and booleans are categories."""
    return "number" if isinstance(reference, NumberReference) else "category"


def _null_p_value(reference: Reference, now: ColumnNow) -> float:
    """1.0 where stretches of the reference change as much."""
    if not now.rows or not reference.rows or not (now.nulls or reference.nulls):
        return 1.0
    if abs(now.null_share - reference.null_share) <= USUAL * reference.usual.at(now.rows).null_change:
        return 1.0
    effective = effective_null_rows(reference, now)
    return shares_p_value(
        reference.null_share * effective.reference, effective.reference, now.null_share * effective.now, effective.now
    )
