"""The stored profile of a snapshot: what later checks compare fresh rows with, computed once.

Per column: null share; of numbers minimum, maximum, mean, standard deviation and counts between fixed edges at
the quantiles, fine enough that the Kolmogorov-Smirnov distance read from them is off by at most one bin's share;
of categories the counts by value. Beside it a sample of at most 10,000 rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from engine.data.schema import ColumnSchema, Schema

BINS = 256
CATEGORIES = 1000
RESERVOIR_ROWS = 10_000


def build_profile(frame: pl.DataFrame, schema: Schema, *, leave_out: Sequence[str] = ()) -> dict[str, Any]:
    """The profile of a canonical frame as plain JSON values; `leave_out` names columns not to profile, such as the id.

    A number's `counts[i]` are the rows in `(edges[i-1], edges[i]]`, the first bin from the minimum on, including it.
    """
    columns = [_column(frame[found.name], found) for found in schema.columns if found.name not in leave_out]
    return {"format": 1, "rows": frame.height, "columns": columns}


def take_reservoir(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """At most 10,000 rows, each as likely, in the order of the frame; the same for the same seed."""
    if frame.height <= RESERVOIR_ROWS:
        return frame
    drawn = np.random.default_rng(seed).choice(frame.height, RESERVOIR_ROWS, replace=False)
    return frame[np.sort(drawn)]


def _column(values: pl.Series, found: ColumnSchema) -> dict[str, Any]:
    rows = len(values)
    told: dict[str, Any] = {
        "name": found.name, "type": found.type, "nulls": found.nulls, "null_share": found.nulls / rows if rows else 0.0,
        "distinct": found.distinct,
    }  # fmt: skip
    filled = values.drop_nulls()
    if found.type in ("number", "integer"):
        return told | _quantity(filled.cast(pl.Float64))
    if found.type == "time":
        stamps = filled.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        return told | {"min": stamps.min(), "max": stamps.max()}
    return told | _names(filled.cast(pl.String))


def _quantity(filled: pl.Series) -> dict[str, Any]:
    if not len(filled):
        return {"min": None, "max": None, "mean": None, "std": None, "edges": [], "counts": []}
    ordered = np.sort(filled.to_numpy())
    ranks = np.ceil(np.arange(1, BINS + 1) / BINS * len(ordered)).astype(np.int64) - 1
    edges = np.unique(ordered[ranks])
    below = np.searchsorted(ordered, edges, side="right")
    return {
        "min": float(ordered[0]),
        "max": float(ordered[-1]),
        "mean": float(ordered.mean()),
        "std": float(ordered.std(ddof=1)) if len(ordered) > 1 else 0.0,
        "edges": edges.tolist(),
        "counts": np.diff(below, prepend=0).tolist(),
    }


def _names(filled: pl.Series) -> dict[str, Any]:
    counted = filled.rename("value").value_counts().sort(["count", "value"], descending=[True, False])
    kept = counted.head(CATEGORIES)
    categories = [list(pair) for pair in kept.rows()]
    return {"categories": categories, "other": len(filled) - int(kept["count"].sum())}
