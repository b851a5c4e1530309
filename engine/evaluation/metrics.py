"""The metrics of `engine.project`, each as a function of row weights.

A metric is prepared once for truth and scores, and then gives one value for each row of a matrix of weights. Weights
of one are the metric itself, drawn weights are a bootstrap: both go through the same code. Values agree with
scikit-learn's (tested), which takes 2,000 sorts for 2,000 resamples where this takes one.

Shapes: truth (rows,), class indices for classification, values for regression; scores (rows, classes), or (rows, 1)
for regression; weights (draws, rows); values (draws,). A value that the weighted rows do not define is NaN: no row of
a class that the metric needs, a constant truth for `r2`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from engine.project import METRICS_OF_TASK, MetricName, Task

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Statistic = Callable[[Floats], Floats]
"""Weights of shape (draws, rows) to values of shape (draws,)."""

_SMALLEST_PROBABILITY = 1e-15


def statistic(metric: MetricName, truth: Floats | Ints, scores: Floats, threshold: float = 0.5) -> Statistic:
    """Prepare a metric for these rows.

    `threshold` turns the positive class's score of a binary task into a label; several classes are labelled by their
    largest score.

    >>> truth = np.array([0, 0, 1, 1])
    >>> scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.65, 0.35], [0.2, 0.8]])
    >>> prepared = statistic("average_precision", truth, scores)
    >>> round(float(prepared(np.ones((1, 4)))[0]), 3)
    0.833
    """
    if metric in METRICS_OF_TASK["regression"]:
        return _of_regression(metric, np.asarray(truth, dtype=np.float64), scores[:, 0])
    classes = np.asarray(truth, dtype=np.int64)
    if metric == "average_precision":
        return _average_precision(classes == 1, scores[:, 1])
    if metric == "roc_auc":
        return _roc_auc(classes == 1, scores[:, 1])
    if metric == "log_loss":
        likelihood = np.take_along_axis(scores, classes[:, None], axis=1)[:, 0]
        return _mean(-np.log(np.clip(likelihood, _SMALLEST_PROBABILITY, 1.0)))
    if metric == "brier":
        return _mean((scores[:, 1] - classes) ** 2)
    return _of_labels(metric, classes, labels(scores, threshold), scores.shape[1])


def labels(scores: Floats, threshold: float = 0.5) -> Ints:
    """Class index of each row, shape (rows,); `threshold` is for two classes only."""
    if scores.shape[1] == 2:
        return (scores[:, 1] >= threshold).astype(np.int64)
    likeliest: Ints = scores.argmax(axis=1).astype(np.int64)
    return likeliest


def measure(metric: MetricName, truth: Floats | Ints, scores: Floats, threshold: float = 0.5) -> float | None:
    """The metric of these rows, every row counted once; None where they do not define it."""
    if not len(truth):
        return None
    value = float(statistic(metric, truth, scores, threshold)(np.ones((1, len(truth))))[0])
    return value if np.isfinite(value) else None


def measure_all(task: Task, truth: Floats | Ints, scores: Floats, threshold: float = 0.5) -> dict[str, float]:
    """Every metric of the task that these rows define, by name."""
    values = {metric: measure(metric, truth, scores, threshold) for metric in METRICS_OF_TASK[task]}
    return {metric: value for metric, value in values.items() if value is not None}


def _mean(terms: Floats) -> Statistic:
    return lambda weights: _ratio(weights @ terms, weights.sum(axis=1))


def _ratio(above: Floats, below: Floats) -> Floats:
    """Their quotient, NaN where nothing is below."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _of_regression(metric: MetricName, truth: Floats, values: Floats) -> Statistic:
    errors = values - truth
    if metric == "mae":
        return _mean(np.abs(errors))
    squares = _mean(errors**2)
    if metric == "rmse":
        return lambda weights: np.sqrt(squares(weights))
    # Centred first: the variance as a difference of two means loses all digits far from zero.
    centred = truth - truth.mean() if len(truth) else truth
    firsts, seconds = _mean(centred), _mean(centred**2)
    return lambda weights: 1.0 - _ratio(squares(weights), seconds(weights) - firsts(weights) ** 2)


def _of_labels(metric: MetricName, truth: Ints, predicted: Ints, classes: int) -> Statistic:
    hits = (truth == predicted).astype(np.float64)
    if metric == "accuracy":
        return _mean(hits)
    if metric == "f1":
        both = np.stack([hits * truth, truth + predicted], axis=1).astype(np.float64)

        def f1(weights: Floats) -> Floats:
            true_positives, either_twice = (weights @ both).T
            return np.where(weights.sum(axis=1) > 0, np.nan_to_num(_ratio(2 * true_positives, either_twice)), np.nan)

        return f1
    count_truth, count_predicted = _sums_by(truth, classes), _sums_by(predicted, classes)
    if metric == "balanced_accuracy":
        return lambda weights: _mean_defined(_ratio(count_truth(weights * hits), count_truth(weights)))

    def macro_f1(weights: Floats) -> Floats:
        either_twice = count_truth(weights) + count_predicted(weights)
        return _mean_defined(_ratio(2 * count_truth(weights * hits), either_twice))

    return macro_f1


def _mean_defined(by_class: Floats) -> Floats:
    """Mean over the classes that occur, shape (draws, classes) to (draws,)."""
    defined = ~np.isnan(by_class)
    return _ratio(np.where(defined, by_class, 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64))


def _sums_by(groups: Ints, count: int) -> Statistic:
    """Weights summed by group, shape (draws, rows) to (draws, count)."""
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)

    def sums(weights: Floats) -> Floats:
        summed = np.zeros((len(weights), count))
        if len(order):
            summed[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
        return summed

    return sums


def _gaining_groups(positive: Flags, scores: Floats) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Groups of equal scores that hold a positive, from the highest score to the lowest.

    Gives all rows in that order, the positive rows among them, where in the latter each group begins, and where in
    the former each group begins and ends.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], positive[order]
    begins = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    group = np.searchsorted(begins, np.flatnonzero(hits), side="right") - 1
    gaining, first_hits = np.unique(group, return_index=True)
    return order, order[hits], first_hits, begins[gaining], np.r_[begins[1:], len(order)][gaining]


def _average_precision(positive: Flags, scores: Floats) -> Statistic:
    """Sum over the thresholds of precision times the recall gained, without interpolation.

    Only groups of equal scores that hold a positive add anything, so rows are summed between these.
    """
    if not positive.any():
        return _undefined
    order, hit_rows, first_hits, _, ends = _gaining_groups(positive, scores)
    upto_last, starts = order[: ends[-1]], np.r_[0, ends[:-1]]

    def average_precision(weights: Floats) -> Floats:
        gained = np.add.reduceat(weights[:, hit_rows], first_hits, axis=1)
        retrieved = np.add.reduceat(weights[:, upto_last], starts, axis=1).cumsum(axis=1)
        found = gained.cumsum(axis=1)
        precision = np.divide(found, retrieved, out=np.zeros_like(found), where=retrieved > 0)
        return _ratio((gained * precision).sum(axis=1), found[:, -1])

    return average_precision


def _roc_auc(positive: Flags, scores: Floats) -> Statistic:
    """Share of pairs of a positive and a negative row that are in order, a tie counted as half."""
    if not positive.any() or positive.all():
        return _undefined
    order, hit_rows, first_hits, starts, ends = _gaining_groups(positive, scores)
    bounds = np.unique(np.r_[0, starts, ends[ends < len(order)]])
    gaining = np.searchsorted(bounds, starts)

    def roc_auc(weights: Floats) -> Floats:
        positives = np.zeros((len(weights), len(bounds)))
        positives[:, gaining] = np.add.reduceat(weights[:, hit_rows], first_hits, axis=1)
        negatives = np.add.reduceat(weights[:, order], bounds, axis=1) - positives
        below = negatives.sum(axis=1, keepdims=True) - negatives.cumsum(axis=1)
        in_order = (positives * (below + 0.5 * negatives)).sum(axis=1)
        return _ratio(in_order, positives.sum(axis=1) * negatives.sum(axis=1))

    return roc_auc


def _undefined(weights: Floats) -> Floats:
    return np.full(len(weights), np.nan)
