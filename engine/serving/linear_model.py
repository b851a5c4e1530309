"""Linear models from coefficients in JSON: plain Python for the rows of a request, numpy for whole columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import mul
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from engine.serving.features import RowEncoder, encode_columns
from engine.serving.manifest import Manifest
from engine.serving.model import Values
from engine.serving.problems import BadBundle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LINKS = {"binary": "logistic", "multiclass": "softmax", "regression": "identity"}


class LinearFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`model.json`. One row of coefficients for binary (the positive class) and regression, one per class else."""

    coefficients: tuple[tuple[float, ...], ...]
    """Shape (outputs, width)."""
    intercept: tuple[float, ...]
    """Shape (outputs,)."""
    link: Literal["logistic", "softmax", "identity"]


class LinearModel:
    """Encoded row · coefficients + intercept, through the link."""

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        try:
            file = msgspec.json.decode(content, type=LinearFile)
        except msgspec.DecodeError as error:
            raise BadBundle(f"The bundle's linear model cannot be read: {error}.") from error
        self._inputs, self._encoding = manifest.inputs, manifest.encoding
        self._encoder = RowEncoder(manifest.inputs, manifest.encoding)
        self._file = file
        outputs = len(manifest.classes) if manifest.task == "multiclass" else 1
        if file.link != LINKS[manifest.task] or len(file.coefficients) != outputs or len(file.intercept) != outputs:
            raise BadBundle(
                f"A linear model with {len(file.coefficients)} outputs and the link {file.link} does not fit the task "
                f"{manifest.task} with {len(manifest.classes)} classes."
            )
        if any(len(row) != self._encoder.width for row in file.coefficients):
            raise BadBundle(f"The linear model's coefficients are not {self._encoder.width}, as the manifest encodes.")

    def score_values(self, values: Values) -> list[float]:
        """One row; see `Model`."""
        numbers = self._encoder.encode_values(values)
        file = self._file
        linear = [
            sum(map(mul, row, numbers), start) for row, start in zip(file.coefficients, file.intercept, strict=True)
        ]
        if file.link == "identity":
            return linear
        if file.link == "logistic":
            probability = logistic(linear[0])
            return [1.0 - probability, probability]
        return softmax(linear)

    def score_rows(self, rows: Sequence[Values]) -> list[list[float]]:
        """The rows of one request; see `Model`."""
        return list(map(self.score_values, rows))

    def score_columns(self, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        """Whole columns; see `Model`."""
        import numpy as np

        matrix = encode_columns(self._inputs, self._encoding, columns)
        linear = matrix @ np.array(self._file.coefficients).T + np.array(self._file.intercept)
        if self._file.link == "identity":
            return np.asarray(linear)
        if self._file.link == "logistic":
            small = np.exp(-np.abs(linear))  # never overflows
            probability = np.where(linear >= 0, 1.0, small) / (1.0 + small)
            return np.hstack((1.0 - probability, probability))
        weights = np.exp(linear - linear.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def logistic(value: float) -> float:
    """1 / (1 + exp(-value)), without overflow.

    >>> logistic(0.0), logistic(-1000.0)
    (0.5, 0.0)
    """
    small = math.exp(-abs(value))
    return (1.0 if value >= 0 else small) / (1.0 + small)


def softmax(values: Sequence[float]) -> list[float]:
    """exp(values) / sum(exp(values)), without overflow.

    >>> softmax([0.0, 0.0])
    [0.5, 0.5]
    """
    largest = max(values)
    weights = [math.exp(value - largest) for value in values]
    total = sum(weights)
    return [weight / total for weight in weights]
