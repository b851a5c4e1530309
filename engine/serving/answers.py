"""From scores to what a client is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.serving.manifest import Manifest

Label = str | int | bool | float


class Answers:
    """How one model's scores become labels and predictions."""

    def __init__(self, manifest: Manifest) -> None:
        self._task = manifest.task
        self._classes = manifest.classes
        self._names = [class_name(label) for label in manifest.classes]
        self._threshold = manifest.threshold

    def labels(self, scores: Sequence[Sequence[float]]) -> list[Label]:
        """One per row: the positive class from the threshold on, the most probable class, or the value itself."""
        if self._task == "binary":
            negative, positive = self._classes
            threshold = self._threshold
            return [positive if row[1] >= threshold else negative for row in scores]
        if self._task == "multiclass":
            return [self._classes[row.index(max(row))] for row in scores]
        return [row[0] for row in scores]

    def predictions(self, scores: Sequence[Sequence[float]], labels: Sequence[Label]) -> list[dict[str, Any]]:
        """One object per row, as `/predict` answers it."""
        if self._task == "binary":
            return [{"label": label, "probability": row[1]} for label, row in zip(labels, scores, strict=True)]
        if self._task == "multiclass":
            return [
                {"label": label, "probability": dict(zip(self._names, row, strict=True))}
                for label, row in zip(labels, scores, strict=True)
            ]
        return [{"value": row[0]} for row in scores]


def class_name(label: str | int | bool) -> str:
    """A class as the key of a JSON object.

    >>> class_name(True), class_name(3)
    ('true', '3')
    """
    return str(label).lower() if isinstance(label, bool) else str(label)
