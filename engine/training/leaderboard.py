"""Candidates in the order of their figures on validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.project import LOSSES, MetricName, Scalar, Task

_TELLS_ALWAYS: dict[Task, MetricName] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}
"""Where the rows do not define the metric that judges, this one orders the candidates."""


@dataclass(frozen=True)
class Entry:
    """One candidate as it came out."""

    name: str
    kind: str
    params: dict[str, Scalar]
    """With those found while fitting."""
    metrics: dict[str, float] = field(default_factory=dict)
    """On validation; empty where there are no validation rows, or the fit failed."""
    failed: bool = False
    note: str = ""


def ranked(entries: Sequence[Entry], task: Task, metric: MetricName) -> list[Entry]:
    """The best first; of those that agree in four digits the one that stood first, which is the simpler.

    Those that failed come last.
    """
    return sorted(
        entries, key=lambda entry: (entry.failed, *_worse(entry, metric), *_worse(entry, _TELLS_ALWAYS[task]))
    )


def _worse(entry: Entry, metric: MetricName) -> tuple[bool, float]:
    """Sorts small for good; a figure that is not there last."""
    value = entry.metrics.get(metric)
    if value is None:
        return True, 0.0
    rounded = float(f"{value:.4g}")
    return False, rounded if metric in LOSSES else -rounded
