"""The packaged model must answer as the fitted one did: only then were the bytes judged that ship."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from engine.errors import JobFailed
from engine.serving.model import Bundle
from engine.training.fit import Fitted

MOST_ROWS = 500
ALONE = 50
"""Rows that are also answered one by one, by the single row's reader."""
TOLERANCE = {"lightgbm": 0.0, "linear": 1e-9, "skops": 1e-9}
"""Largest difference of a score, relative for scores beyond 1. One machine has one `exp`, so trees are exact."""


def check_parity(bundle: Bundle, fitted: Fitted, columns: Mapping[str, pl.Series]) -> tuple[int, float]:
    """Score the first 500 of these rows with both; how many rows they were, and the largest difference.

    Raises:
        JobFailed: they differ by more than the format allows.
    """
    taken = {name: values.head(MOST_ROWS) for name, values in columns.items()}
    expected = fitted.scores(taken)
    largest = _difference(expected, bundle.score_columns(taken))
    rows = pl.DataFrame(list(taken.values())).head(ALONE).iter_rows(named=True)
    alone = np.array([list(bundle.score_row(row)) for row in rows]).reshape(-1, expected.shape[1])
    largest = max(largest, _difference(expected[: len(alone)], alone))
    if not largest <= TOLERANCE[bundle.manifest.model_format]:
        raise JobFailed(
            f"The packaged model answers otherwise than the fitted one, by up to {largest:.3g}; it was not judged.",
            "This is a fault of the packaging, not of the project; please report it with the job's log.",
            difference=largest,
        )
    return len(expected), largest


def _difference(expected: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> float:
    if expected.shape != found.shape:
        return float("inf")
    return float((np.abs(expected - found) / np.maximum(1.0, np.abs(expected))).max(initial=0.0))
