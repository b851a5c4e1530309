"""The target column as a model learns it: class indices, or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from engine.data.target import choose_positive, value_counts
from engine.project import Project

Label = str | int | bool


@dataclass(frozen=True)
class Target:
    """The target of all rows."""

    classes: tuple[Label, ...]
    """Binary: (negative, positive). Several classes: in their order. Regression: empty."""
    values: npt.NDArray[np.float64]
    """Shape (rows,): the index of the row's class, or the number itself."""


def read_target(column: pl.Series, project: Project) -> Target:
    """Read a snapshot's target, which holds no null and fits the task (`engine.data.target.check_target`).

    Raises:
        InvalidConfig: `data.positive` is none of its values.
    """
    if project.task == "regression":
        return Target((), column.cast(pl.Float64).to_numpy())
    counts = value_counts(column)
    labels: list[Any] = list(counts)
    if project.task == "binary":
        positive = choose_positive(counts, project.data.positive)
        labels = [*(label for label in labels if label != positive), positive]
    codes = column.replace_strict(labels, list(range(len(labels))), return_dtype=pl.Int64)
    return Target(tuple(labels), codes.cast(pl.Float64).to_numpy())
