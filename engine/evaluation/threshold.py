"""From which probability on the positive label is answered: chosen on validation rows, never on test rows."""

from __future__ import annotations

import numpy as np

from engine.evaluation.metrics import Floats, Ints
from engine.project import MetricName

EVEN = 0.5
LEAST_ROWS_PER_CLASS = 20


def choose_threshold(truth: Ints, positive_scores: Floats, metric: MetricName) -> float:
    """The threshold a model keeps, from scores of shape (rows,) and class indices.

    For `accuracy` 0.5, the best there is for a probability that holds. For `balanced_accuracy` what makes that largest.
    Else what makes F1 largest, for at 1 % positives hardly any probability reaches 0.5 and no row would be labelled.
    It lies midway between two scores. With fewer than 20 rows of a class, which would fit the threshold to noise, 0.5.
    """
    positives = int(truth.sum())
    if metric == "accuracy" or min(positives, len(truth) - positives) < LEAST_ROWS_PER_CLASS:
        return EVEN
    order = np.argsort(-positive_scores, kind="stable")
    scores, hits = positive_scores[order], truth[order]
    found = np.cumsum(hits)
    answered = np.arange(1, len(hits) + 1)
    if metric == "balanced_accuracy":
        worth = found / positives - (answered - found) / (len(hits) - positives)
    else:
        worth = 2 * found / (answered + positives)
    # Equal scores are answered alike, so a threshold can only lie after the last of them.
    last_of_equal = np.flatnonzero(np.r_[scores[1:] != scores[:-1], True])
    best = int(last_of_equal[np.argmax(worth[last_of_equal])])
    below = float(scores[best + 1]) if best + 1 < len(scores) else 0.0
    return (float(scores[best]) + below) / 2
