"""What every kind of candidate gives: something that fits, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from engine.project import MetricName, Scalar, Task
from engine.training.encoding import Family

Floats = npt.NDArray[np.float64]
Report = Callable[[str, int, float], None]
"""Takes a key, a step and a value: one point of a curve."""


@dataclass(frozen=True)
class Side:
    """Rows of one side of the split, as a candidate's family reads them."""

    matrix: Any
    """Shape (rows, width): float64, or a pandas frame for the family `frame`."""
    target: Floats
    """Shape (rows,): indices into the classes that were handed along, or numbers."""


@dataclass(frozen=True)
class Lesson:
    """All that a candidate is fitted with."""

    task: Task
    metric: MetricName
    classes: int
    """How many the training rows have, each at least once; 0 for regression."""
    train: Side
    validation: Side | None
    """None: for good, on all rows that may be learnt from."""
    categorical: tuple[int, ...]
    """Where in the matrix category codes lie."""
    seed: int
    threads: int


@dataclass(frozen=True)
class ModelFile:
    """The one file of a bundle beside its manifest."""

    format: Literal["lightgbm", "linear", "skops"]
    name: str
    content: bytes


class FittedModel(Protocol):
    """A fitted model, in memory."""

    found: dict[str, Scalar]
    """Parameters found while fitting, which the second fit is to use again."""
    note: str
    """What a person should know of the fit, or nothing."""

    def scores(self, matrix: Any) -> Floats:
        """Shape (rows, classes); (rows, 1) for regression."""
        ...

    def file(self) -> ModelFile:
        """What a bundle ships."""
        ...


class Candidate(Protocol):
    """One way to fit a model, with its parameters."""

    @property
    def name(self) -> str:
        """Unique among the candidates of a run."""
        ...

    @property
    def kind(self) -> str:
        """`logistic`, `ridge`, `lightgbm`, `estimator` or `constant`."""
        ...

    @property
    def family(self) -> Family:
        """How it reads its rows."""
        ...

    @property
    def params(self) -> dict[str, Scalar]:
        """Its parameters."""
        ...

    def fit(self, lesson: Lesson, report: Report) -> FittedModel:
        """Fit it.

        Raises:
            CandidateFailed: these rows cannot be fitted this way.
            ProjectCodeFailed: the project's own code raised.
        """
        ...

    def found_before(self, params: dict[str, Scalar]) -> Candidate:
        """Itself, with parameters that an earlier fit found."""
        ...


class CandidateFailed(Exception):
    """A built-in candidate cannot be fitted on these rows; the others go on. Never leaves `engine.training`."""
