"""Which way a metric is better. The engine judges; this is only for arrows and orders."""

from __future__ import annotations

_LOSSES = frozenset({"log_loss", "brier", "rmse", "mae"})


def less_is_better(metric: str) -> bool:
    """True of losses and errors, also with a part before the name.

    >>> less_is_better("test.rmse"), less_is_better("roc_auc")
    (True, False)
    """
    return metric.rpartition(".")[2] in _LOSSES


def arrow(metric: str) -> str:
    """`↓` where less is better, `↑` else."""
    return "↓" if less_is_better(metric) else "↑"
