"""Logistic and ridge regression on standardised columns, shipped as coefficients.

Classes are not weighted: weights would spoil the probabilities, and a rare class is met by the threshold instead.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from engine.project import Scalar
from engine.training.encoding import Family
from engine.training.model import CandidateFailed, Floats, Lesson, ModelFile, Report

_MOST_ITERATIONS = 1000
_LINKS = {"binary": "logistic", "multiclass": "softmax", "regression": "identity"}


@dataclass
class LinearModel:
    """A fitted linear model of scikit-learn's."""

    estimator: Any
    link: str
    note: str = ""
    found: dict[str, Scalar] = field(default_factory=dict)

    def scores(self, matrix: Any) -> Floats:
        """By scikit-learn itself, so that the parity check compares with something else than our own formula."""
        if self.link == "identity":
            values: Floats = np.asarray(self.estimator.predict(matrix), dtype=np.float64).reshape(-1, 1)
            return values
        probabilities: Floats = np.asarray(self.estimator.predict_proba(matrix), dtype=np.float64)
        return probabilities

    def file(self) -> ModelFile:
        """Coefficients by output; one row for two classes of a binary task."""
        coefficients = np.atleast_2d(self.estimator.coef_)
        intercept = np.atleast_1d(self.estimator.intercept_)
        if self.link == "softmax" and len(coefficients) == 1:
            # scikit-learn fits two classes by the logistic link: softmax(0, z) is logistic(z).
            coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
            intercept = np.concatenate([[0.0], intercept])
        return linear_file(coefficients, intercept, self.link)


def linear_file(coefficients: Floats, intercept: Floats, link: str) -> ModelFile:
    """`model.json` of a bundle; coefficients have the shape (outputs, width)."""
    tree = {"coefficients": coefficients.tolist(), "intercept": intercept.tolist(), "link": link}
    return ModelFile("linear", "model.json", json.dumps(tree, indent=1).encode() + b"\n")


def link_of(task: str) -> str:
    """From a linear sum to a score."""
    return _LINKS[task]


@dataclass(frozen=True)
class Logistic:
    """L2-regularised logistic regression; `inverse_penalty` is scikit-learn's C."""

    inverse_penalty: float
    kind: ClassVar[str] = "logistic"
    family: ClassVar[Family] = "linear"

    @property
    def name(self) -> str:
        """Unique among the candidates of a run."""
        return f"logistic-c{self.inverse_penalty:g}"

    @property
    def params(self) -> dict[str, Scalar]:
        """Its parameters."""
        return {"inverse_penalty": self.inverse_penalty}

    def fit(self, lesson: Lesson, report: Report) -> LinearModel:
        """Fit it; a fit that ran out of iterations is kept and says so."""
        from sklearn.linear_model import LogisticRegression

        estimator: Any = LogisticRegression
        return _fitted(estimator(C=self.inverse_penalty, max_iter=_MOST_ITERATIONS), lesson)

    def found_before(self, params: dict[str, Scalar]) -> Logistic:
        """Itself: nothing is found while fitting."""
        return self


@dataclass(frozen=True)
class Ridge:
    """L2-regularised least squares; `penalty` is scikit-learn's alpha, per training row."""

    penalty: float
    kind: ClassVar[str] = "ridge"
    family: ClassVar[Family] = "linear"

    @property
    def name(self) -> str:
        """Unique among the candidates of a run."""
        return f"ridge-{self.penalty:g}"

    @property
    def params(self) -> dict[str, Scalar]:
        """Its parameters."""
        return {"penalty": self.penalty}

    def fit(self, lesson: Lesson, report: Report) -> LinearModel:
        """Fit it."""
        from sklearn import linear_model

        estimator: Any = linear_model.Ridge
        return _fitted(estimator(alpha=self.penalty * len(lesson.train.target)), lesson)

    def found_before(self, params: dict[str, Scalar]) -> Ridge:
        """Itself: nothing is found while fitting."""
        return self


def _fitted(estimator: Any, lesson: Lesson) -> LinearModel:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        try:
            estimator.fit(lesson.train.matrix, lesson.train.target)
        except (ValueError, np.linalg.LinAlgError) as error:
            raise CandidateFailed(str(error).splitlines()[0]) from error
    if not (np.isfinite(estimator.coef_).all() and np.isfinite(estimator.intercept_).all()):
        raise CandidateFailed("Its coefficients are not finite: the columns' values are too large.")
    stopped = any(issubclass(warning.category, ConvergenceWarning) for warning in raised)
    return LinearModel(
        estimator, link_of(lesson.task), note=f"stopped after {_MOST_ITERATIONS} iterations" if stopped else ""
    )
