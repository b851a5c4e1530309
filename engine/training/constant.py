"""The model of last resort: the same answer for every row.

It stands where nothing can be fitted, such as when all rows of a class fell on the test side, so that even then there
is a run with figures and a verdict to read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.project import Scalar
from engine.training.encoding import Family
from engine.training.linear import linear_file, link_of
from engine.training.model import Floats, Lesson, ModelFile, Report


@dataclass
class ConstantModel:
    """Scores that do not depend on the row."""

    answer: Floats
    """Shape (classes,), or (1,) for regression."""
    link: str
    width: int
    note: str = "nothing else could be fitted"
    found: dict[str, Scalar] = field(default_factory=dict)

    def scores(self, matrix: Any) -> Floats:
        """Shape (rows, classes); (rows, 1) for regression."""
        return np.tile(self.answer, (len(matrix), 1))

    def file(self) -> ModelFile:
        """A linear model without slopes."""
        if self.link == "identity":
            intercept = self.answer
        elif self.link == "logistic":
            intercept = np.array([np.log(self.answer[1] / self.answer[0])])
        else:
            intercept = np.log(self.answer)
        return linear_file(np.zeros((len(intercept), self.width)), intercept, self.link)


@dataclass(frozen=True)
class Constant:
    """Class frequencies, each class counted once more than it occurs; the mean or, for `mae`, the median."""

    kind: ClassVar[str] = "constant"
    family: ClassVar[Family] = "linear"
    name: ClassVar[str] = "constant"

    @property
    def params(self) -> dict[str, Scalar]:
        """None."""
        return {}

    def found_before(self, params: dict[str, Scalar]) -> Constant:
        """Itself: nothing is found while fitting."""
        return self

    def fit(self, lesson: Lesson, report: Report) -> ConstantModel:
        """Fit it; here a class may be without rows."""
        target = lesson.train.target
        if lesson.task == "regression":
            answer = np.array([np.median(target) if lesson.metric == "mae" else target.mean()])
        else:
            counts = np.bincount(target.astype(np.int64), minlength=lesson.classes) + 1
            answer = counts / counts.sum()
        return ConstantModel(answer, link_of(lesson.task), lesson.train.matrix.shape[1])
