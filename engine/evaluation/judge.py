"""Scores on test rows → the figures that the gate decides by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.evaluation.baseline import Baseline
from engine.evaluation.comparison import Bootstrap, compare
from engine.evaluation.gate import Comparison, GateFigures
from engine.evaluation.metrics import Floats, measure_all, statistic
from engine.project import LOSSES, MetricName, Task


@dataclass(frozen=True)
class Scored:
    """A model's scores of the test rows, shape (rows, classes), and the threshold of its positive label."""

    scores: Floats
    threshold: float = 0.5


@dataclass(frozen=True)
class Rival:
    """The champion, as far as it can be compared."""

    name: str
    scored: Scored | None
    problem: str = ""
    """Why it has no scores, as a sentence."""


@dataclass(frozen=True)
class Judgement:
    """What is known after the test rows were scored once."""

    figures: GateFigures
    metrics: dict[str, float] = field(default_factory=dict)
    """Every metric of the task that the rows define."""


def judge(
    task: Task,
    metric: MetricName,
    classes: Sequence[Any],
    truth: Floats,
    model: Scored,
    baseline: Baseline,
    champion: Rival | None,
    *,
    seed: int,
    test_after: str | None = None,
    test_uses: int = 0,
) -> Judgement:
    """Measure a model on the test rows, paired with the trivial baseline and the champion.

    `truth` has the shape (rows,): indices into `classes`, or numbers; scores have a column a class of `classes`.
    """
    rows = len(truth)
    rivals = {baseline.name: Scored(baseline.scores_of(rows))} if rows else {}
    if rows and champion is not None and champion.scored is not None:
        rivals[champion.name] = champion.scored
    prepared = {name: statistic(metric, truth, rival.scores, rival.threshold) for name, rival in rivals.items()}
    told = None
    if rows:
        own = statistic(metric, truth, model.scores, model.threshold)
        told = compare(own, prepared, rows=rows, less_is_better=metric in LOSSES, seed=seed)
    figures = GateFigures(
        metric=metric,
        value=_finite(told.metric.value) if told else None,
        lower=_finite(told.metric.lower) if told else None,
        upper=_finite(told.metric.upper) if told else None,
        test_rows=rows,
        rows_per_class=_rows_per_class(truth, classes),
        baseline=_comparison(told, baseline.name),
        champion=_comparison(told, champion.name) if champion else None,
        champion_problem=_problem(told, champion),
        test_after=test_after,
        test_uses=test_uses,
    )
    return Judgement(figures, measure_all(task, truth, model.scores, model.threshold))


def align(scores: Floats, known: Sequence[Any], classes: Sequence[Any]) -> Floats:
    """Scores by the classes a model knows, as scores by `classes`; shape (rows, len(known)) to (rows, len(classes)).

    A class the model does not know has the score 0; one that only the model knows is left out.

    >>> align(np.array([[0.2, 0.8]]), ["a", "c"], ["a", "b", "c"]).tolist()
    [[0.2, 0.0, 0.8]]
    """
    if list(known) == list(classes):
        return scores
    aligned = np.zeros((len(scores), len(classes)))
    for column, label in enumerate(known):
        if label in classes:
            aligned[:, classes.index(label)] = scores[:, column]
    return aligned


def _rows_per_class(truth: Floats, classes: Sequence[Any]) -> dict[str, int]:
    if not classes:
        return {}
    counts = np.bincount(truth.astype(np.int64), minlength=len(classes)).tolist()
    return {str(label): count for label, count in zip(classes, counts, strict=True)}


def _comparison(told: Bootstrap | None, name: str) -> Comparison | None:
    """None where the rows do not define it."""
    if told is None or name not in told.differences:
        return None
    found, value = told.differences[name], told.others[name]
    if not all(map(math.isfinite, (value, found.value, found.se, found.lower, found.upper))):
        return None
    return Comparison(
        against=name, value=value, difference=found.value, se=found.se, lower=found.lower, upper=found.upper
    )


def _problem(told: Bootstrap | None, champion: Rival | None) -> str:
    if champion is None or champion.problem:
        return champion.problem if champion else ""
    if _comparison(told, champion.name) is None:
        return f"{champion.name} and this model cannot be compared: the test rows do not define the metric for both."
    return ""


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
