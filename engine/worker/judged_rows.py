"""The test rows, scored by the new model and by the champion alike."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from engine.errors import ProjectCodeFailed
from engine.evaluation.judge import Scored, align
from engine.serving.manifest import Manifest
from engine.serving.model import Bundle
from engine.training.fit import TrainingTask


class Incomparable(Exception):
    """A bundle cannot score these rows; a sentence."""


class JudgedRows:
    """The test rows as any bundle asks for them."""

    def __init__(self, task: TrainingTask) -> None:
        self._task = task
        self.truth = task.target.values[task.split.test]

    @cached_property
    def _frame(self) -> pl.DataFrame:
        return self._task.frame[self._task.split.test]

    def times(self, column: str | None) -> pl.Series | None:
        """When the rows happened; None where the project has no time."""
        return self._frame[column] if column is not None else None

    def scored(self, bundle: Bundle) -> Scored:
        """A bundle's scores by the classes of the snapshot; its positive label may be our negative one.

        Raises:
            Incomparable: it asks for columns or knows classes that these rows do not have.
        """
        manifest, classes = bundle.manifest, self._task.target.classes
        self._check_columns(bundle)
        self._check_answers(manifest)
        try:
            scores = bundle.score_columns({column.name: self._frame[column.name] for column in manifest.inputs})
        except (TypeError, ValueError) as error:
            raise Incomparable(str(error)) from error
        if not classes:
            return Scored(scores)
        turned = manifest.task == "binary" and manifest.classes[1] != classes[1]
        return Scored(
            align(np.asarray(scores), manifest.classes, classes),
            1.0 - manifest.threshold if turned else manifest.threshold,
        )

    def scored_by_own(self, bundle: Bundle) -> Scored:
        """Scores of the bundle that was just made of these columns.

        Raises:
            ProjectCodeFailed: the project's own estimator fails at rows it was not fitted on.
        """
        try:
            return self.scored(bundle)
        except Incomparable as error:
            raise ProjectCodeFailed(
                f"The project's estimator fails at the test rows: {str(error).rstrip('.')}.",
                "Give it an imputer, and encoders that ignore the unknown.",
            ) from error

    def _check_answers(self, manifest: Manifest) -> None:
        """Several classes may come and go between two models; two stay the same two."""
        ours, theirs = (set(map(_typed, labels)) for labels in (self._task.target.classes, manifest.classes))
        agree = ours == theirs if manifest.task != "multiclass" else bool(ours & theirs)
        if manifest.task != self._task.project.task or not agree:
            shown = ", ".join(map(repr, manifest.classes[:5])) or "none"
            raise Incomparable(f"it answers {manifest.task} with the classes {shown}.")

    def _check_columns(self, bundle: Bundle) -> None:
        for column in bundle.manifest.inputs:
            if column.name not in self._frame.columns:
                raise Incomparable(f"it asks for the column {column.name!r}, which the data no longer has.")
            if (column.type == "category") != (self._frame[column.name].dtype == pl.String()):
                raise Incomparable(f"the column {column.name!r} has another type now than when it was trained.")


def _typed(label: Any) -> tuple[str, Any]:
    """1 and True are two labels."""
    return type(label).__name__, label
