"""The trivial model that every model must beat: it answers the same for every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.evaluation.metrics import Floats
from engine.project import MetricName, Task


@dataclass(frozen=True)
class Baseline:
    """One answer for all rows."""

    name: str
    """What it answers, in words for a reason."""
    scores: Floats
    """Shape (classes,), or (1,) for regression."""

    def scores_of(self, rows: int) -> Floats:
        """Shape (rows, classes)."""
        return np.tile(self.scores, (rows, 1))


def trivial_baseline(task: Task, metric: MetricName, learnt: Floats, classes: int) -> Baseline:
    """The best constant answer for the metric, from the target of the rows that the model learnt from.

    `learnt` has the shape (rows,): class indices, or numbers.
    """
    if task == "regression":
        if metric == "mae":
            return Baseline("the median of the training rows", np.array([np.median(learnt)]))
        return Baseline("the mean of the training rows", np.array([learnt.mean()]))
    if metric == "f1":
        # Never answering the positive label has an F1 of 0; always answering it is harder to beat.
        return Baseline("answering the positive label always", np.array([0.0, 1.0]))
    counts = np.bincount(learnt.astype(np.int64), minlength=classes)
    return Baseline("answering the class frequencies of the training rows", counts / counts.sum())
