"""Predictions as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_tui.view.cell import Cell, cell, number

_MOST_CLASSES = 6


def prediction_heads(predictions: Sequence[Mapping[str, Any]]) -> list[str]:
    """`row`, `version`, then what the answers hold; a column for each class where there are few."""
    if not predictions:
        return ["row", "version"]
    first = predictions[0]
    heads = ["row", "version", *(key for key in first if key != "probability")]
    probability = first.get("probability")
    if isinstance(probability, Mapping):
        return heads + [f"p({name})" for name in list(probability)[:_MOST_CLASSES]]
    return [*heads, "probability"] if probability is not None else heads


def prediction_row(at: int, version: Any, prediction: Mapping[str, Any], heads: Sequence[str]) -> list[Cell]:
    """One answer under these heads."""
    probability = prediction.get("probability")
    each = {f"p({name})": value for name, value in probability.items()} if isinstance(probability, Mapping) else {}
    values = dict(prediction) | each | {"row": at, "version": f"@{version}"}
    return [_shown(values.get(head)) for head in heads]


def _shown(value: Any) -> Cell:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return cell(value)
    return number(f"{value:.6g}" if isinstance(value, float) else str(value))
