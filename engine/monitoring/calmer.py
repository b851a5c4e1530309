"""Two references for one column: the whole of the training data, and the newest of it.

A world that has changed, and that a model was then trained on, is a small part of all it learnt from; seasons that the
newest rows do not show are in the whole. So a column has drifted only when it is unlike both, and each test has the
larger of its p-values and the smaller of its effects.
"""

from __future__ import annotations

from engine.wire.work import ColumnFigures


def calmer(whole: ColumnFigures, newest: ColumnFigures) -> ColumnFigures:
    """The figures that hold against both."""
    nearer = min((whole, newest), key=lambda one: one.distance if one.distance is not None else 0.0)
    nulls = min((whole, newest), key=lambda one: abs(one.null_share - one.reference_null_share))
    return nearer.model_copy(
        update={
            "p_value": _larger(whole.p_value, newest.p_value),
            "psi": _smaller(whole.psi, newest.psi),
            "wasserstein": _smaller(whole.wasserstein, newest.wasserstein),
            "within_usual": whole.within_usual or newest.within_usual,
            "reference_null_share": nulls.reference_null_share,
            "null_p_value": _larger(whole.null_p_value, newest.null_p_value),
            "new_share": min(whole.new_share, newest.new_share),
            "new_p_value": _larger(whole.new_p_value, newest.new_p_value),
            "new_values": [value for value in whole.new_values if value in newest.new_values],
            "lost_values": [value for value in whole.lost_values if value in newest.lost_values],
        }
    )


def _larger(one: float | None, other: float | None) -> float | None:
    """None: not measured against one of them, so not tested."""
    return None if one is None or other is None else max(one, other)


def _smaller(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else min(one, other)
