"""scikit-learn estimators from skops files: no pickle, and only types of the fixed allow-list."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.serving.frame import pandas_frame
from engine.serving.manifest import Manifest
from engine.serving.model import Values
from engine.serving.problems import BadBundle
from engine.serving.skops_types import load_estimator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SkopsModel:
    """An estimator that takes the pandas frame of `pandas_frame`."""

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        self._inputs = manifest.inputs
        self._estimator = load_estimator(content)
        self._method = "predict" if manifest.task == "regression" else "predict_proba"
        if not hasattr(self._estimator, self._method):
            raise BadBundle(f"A {type(self._estimator).__name__} has no {self._method}, which {manifest.task} needs.")
        self._order = self._class_order(manifest)

    def _class_order(self, manifest: Manifest) -> list[int] | None:
        """Columns of the estimator's scores in the order of the manifest's classes; None where it is the same."""
        found = [
            getattr(label, "item", lambda label=label: label)() for label in getattr(self._estimator, "classes_", [])
        ]
        if (
            manifest.task == "regression"
            or found == list(manifest.classes)
            or found == list(range(len(manifest.classes)))
        ):
            return None
        if sorted(map(str, found)) != sorted(map(str, manifest.classes)):
            raise BadBundle(f"The estimator knows the classes {found}, and the manifest {list(manifest.classes)}.")
        by_name = [str(label) for label in found]
        return [by_name.index(str(label)) for label in manifest.classes]

    def score_values(self, values: Values) -> list[float]:
        """One row; see `Model`. A pipeline takes around a millisecond."""
        return self.score_rows([values])[0]

    def score_rows(self, rows: Sequence[Values]) -> list[list[float]]:
        """The rows of one request; see `Model`."""
        columns = {column.name: [row[index] for row in rows] for index, column in enumerate(self._inputs)}
        scores: list[list[float]] = self.score_columns(columns).tolist()
        return scores

    def score_columns(self, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        """Whole columns; see `Model`."""
        import numpy as np

        frame = pandas_frame(self._inputs, columns)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown category warns on every request
            scores = np.asarray(getattr(self._estimator, self._method)(frame), dtype=np.float64)
        scores = scores.reshape(len(frame), -1)
        return scores if self._order is None else scores[:, self._order]
