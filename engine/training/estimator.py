"""A project's own scikit-learn estimator, fitted on a pandas frame of the raw columns and shipped by skops."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from engine.errors import ProjectCodeFailed
from engine.project import Scalar
from engine.serving.problems import BadBundle
from engine.serving.skops_types import dump_estimator, refuse_unknown_types
from engine.training.encoding import Family
from engine.training.model import Floats, Lesson, ModelFile, Report
from engine.training.project_code import build_estimator, seeded, told_as_project_failure


@contextmanager
def told_as_unanswered() -> Iterator[None]:
    """Turn what a fitted estimator raises at rows into `ProjectCodeFailed`.

    It is code of a library that raises, with an advice of several lines; its first sentence says what is wrong.
    """
    try:
        yield
    except Exception as error:
        said = (str(error).strip().splitlines() or [""])[0][:300].partition(". ")[0].rstrip(".")
        raise ProjectCodeFailed(
            f"The project's estimator fails at rows it was not fitted on: {type(error).__name__}: {said}.",
            "Rows have missing values and new categories at times: give it an imputer, and encoders that ignore the "
            "unknown.",
            exception=type(error).__name__,
        ) from error


@dataclass
class FittedEstimator:
    """What the project's estimator became."""

    estimator: Any
    method: str
    content: bytes
    found: dict[str, Scalar] = field(default_factory=dict)
    note: str = ""

    def scores(self, matrix: Any) -> Floats:
        """Shape (rows, classes); (rows, 1) for regression.

        Raises:
            ProjectCodeFailed: the estimator cannot answer these rows.
        """
        with warnings.catch_warnings(), told_as_unanswered():
            warnings.simplefilter("ignore")  # as in serving, where an unknown category would warn each time
            answered = getattr(self.estimator, self.method)(matrix)
        scores: Floats = np.asarray(answered, dtype=np.float64).reshape(len(matrix), -1)
        return scores

    def file(self) -> ModelFile:
        """A skops file."""
        return ModelFile("skops", "model.skops", self.content)


@dataclass(frozen=True)
class ProjectEstimator:
    """`estimator = "module:function"` of mlops.toml."""

    folder: Path
    """The stored code tree."""
    named: str
    given: dict[str, Scalar]
    """`[train.params]`."""
    kind: ClassVar[str] = "estimator"
    family: ClassVar[Family] = "frame"

    @property
    def name(self) -> str:
        """The project's name for it."""
        return self.named

    @property
    def params(self) -> dict[str, Scalar]:
        """What the project's function is given."""
        return dict(self.given)

    def found_before(self, params: dict[str, Scalar]) -> ProjectEstimator:
        """Itself: what it finds while fitting is its own affair."""
        return self

    def fit(self, lesson: Lesson, report: Report) -> FittedEstimator:
        """Build, check and fit it; its target are class indices, in order, or numbers.

        What cannot be stored without pickle is refused before it is fitted, and again after.

        Raises:
            ProjectCodeFailed: its code raised, or gave what cannot be served.
        """
        method = "predict" if lesson.task == "regression" else "predict_proba"
        with seeded(lesson.seed):
            estimator = build_estimator(self.folder, self.named, dict(self.given))
            self._check(estimator, method)
            with told_as_project_failure(self.folder, self.named):
                target = lesson.train.target
                estimator.fit(lesson.train.matrix, target if lesson.task == "regression" else target.astype(np.int64))
        content = self._stored(estimator)
        fitted = FittedEstimator(estimator, method, content)
        with told_as_project_failure(self.folder, self.named):
            answered = fitted.scores(lesson.train.matrix[:1])
        expected = lesson.classes or 1
        if answered.shape != (1, expected) or not np.isfinite(answered).all():
            raise ProjectCodeFailed(
                f"The estimator of {self.named} answers a row with {answered.ravel().tolist()[:5]}, and "
                f"{expected} finite {'number' if expected == 1 else 'probabilities'} were expected.",
                "Let the function give one scikit-learn classifier or regressor, as the task asks.",
                estimator=self.named,
            )
        return fitted

    def _check(self, estimator: Any, method: str) -> None:
        missing = next((name for name in ("fit", method) if not callable(getattr(estimator, name, None))), None)
        if missing is not None:
            raise ProjectCodeFailed(
                f"{self.named} gave a {type(estimator).__name__}, which has no `{missing}`.",
                "Let it give a scikit-learn estimator; a classifier needs predict_proba"
                + (" (SVC: probability=True)." if type(estimator).__name__ == "SVC" else "."),
                estimator=self.named,
            )
        try:
            refuse_unknown_types(estimator)
        except BadBundle as error:
            raise ProjectCodeFailed(error.message, error.hint, estimator=self.named) from error

    def _stored(self, estimator: Any) -> bytes:
        try:
            content = dump_estimator(estimator)
            refuse_unknown_types(content)
        except BadBundle as error:
            raise ProjectCodeFailed(error.message, error.hint, estimator=self.named) from error
        return content
