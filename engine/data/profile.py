"""The stored profile of a snapshot: what later checks compare fresh rows with, computed once.

Per column: null share; of numbers minimum, maximum, mean, standard deviation, and counts and means between fixed edges
at the quantiles, fine enough that the Kolmogorov-Smirnov distance read from them is off by at most one bin's share;
of categories the counts by value (of more than 1,000 also by hash). With `data.time` also how much stretches of the
rows differ from the whole of them (`stretches`). Beside the profile a sample of at most 10,000 rows.

Format 1 had neither means nor stretches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.data.schema import ColumnSchema, Schema
from engine.data.stretches import category_stretches, number_stretches

FORMAT = 2
BINS = 256
COARSE_BINS = 64
"""Of them stretches are told apart."""
CATEGORIES = 1000
HASHED = 256
"""Cells into which the values of a column are hashed that has more than those."""
RESERVOIR_ROWS = 10_000

Floats = NDArray[np.float64]
Order = NDArray[np.int64]


def build_profile(
    frame: pl.DataFrame, schema: Schema, *, leave_out: Sequence[str] = (), time: str | None = None
) -> dict[str, Any]:
    """The profile of a canonical frame as plain JSON values; `leave_out` names columns not to profile, such as the id.

    A number's `counts[i]` are the rows in `(edges[i-1], edges[i]]`, the first bin from the minimum on, including it;
    `means[i]` is their mean. `time` names the column that orders the rows; None: their order means nothing.
    """
    order = time_order(frame[time]) if time is not None else None
    columns = [_column(frame[found.name], found, order) for found in schema.columns if found.name not in leave_out]
    return {"format": FORMAT, "rows": frame.height, "columns": columns}


def build_score_profile(scores: Mapping[str, Floats], times: pl.Series | None) -> dict[str, Any]:
    """The same of a model's answers, by name, all of one length; `times` of the rows they answer, where known."""
    order = time_order(times) if times is not None else None
    columns = []
    for name, values in scores.items():
        series = pl.Series(name, values)
        found = ColumnSchema(name, "number", nullable=False, nulls=0, distinct=series.n_unique())
        columns.append(_column(series, found, order))
    rows = len(next(iter(scores.values()))) if scores else 0
    return {"format": FORMAT, "rows": rows, "columns": columns}


def take_reservoir(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """At most 10,000 rows, each as likely, in the order of the frame; the same for the same seed."""
    if frame.height <= RESERVOIR_ROWS:
        return frame
    drawn = np.random.default_rng(seed).choice(frame.height, RESERVOIR_ROWS, replace=False)
    return frame[np.sort(drawn)]


def time_order(times: pl.Series) -> Order:
    """Rows from the oldest to the newest; rows of one time stay in their order."""
    return np.argsort(times.to_physical().fill_null(np.iinfo(np.int64).max).to_numpy(), kind="stable")


def coarse_edges(edges: int) -> slice:
    """Which of so many edges at most 64 coarse bins end at; the last is among them."""
    step = -(-edges // COARSE_BINS)
    return slice((edges - 1) % step if step else 0, None, max(1, step))


def _column(values: pl.Series, found: ColumnSchema, order: Order | None) -> dict[str, Any]:
    rows = len(values)
    told: dict[str, Any] = {
        "name": found.name, "type": found.type, "nulls": found.nulls, "null_share": found.nulls / rows if rows else 0.0,
        "distinct": found.distinct,
    }  # fmt: skip
    if found.type in ("number", "integer"):
        return told | _quantity(values.cast(pl.Float64), order)
    if found.type == "time":
        stamps = values.drop_nulls().dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        return told | {"min": stamps.min(), "max": stamps.max()}
    return told | _names(values.cast(pl.String), order)


def _quantity(values: pl.Series, order: Order | None) -> dict[str, Any]:
    ordered = np.sort(values.drop_nulls().to_numpy())
    if not len(ordered):
        return {"min": None, "max": None, "mean": None, "std": None, "edges": [], "counts": [], "means": []}
    ranks = np.ceil(np.arange(1, BINS + 1) / BINS * len(ordered)).astype(np.int64) - 1
    edges = np.unique(ordered[ranks])
    below = np.searchsorted(ordered, edges, side="right")
    counts = np.diff(below, prepend=0)
    told = {
        "min": float(ordered[0]),
        "max": float(ordered[-1]),
        "mean": float(ordered.mean()),
        "std": float(ordered.std(ddof=1)) if len(ordered) > 1 else 0.0,
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "means": (np.add.reduceat(ordered, below - counts) / counts).tolist(),
    }
    return told if order is None else told | {"stretches": _number_stretches(values, edges, order)}


def _number_stretches(values: pl.Series, edges: Floats, order: Order) -> list[dict[str, Any]]:
    coarse = edges[coarse_edges(len(edges))]
    codes = np.searchsorted(coarse, values.fill_null(coarse[0]).to_numpy())
    if values.null_count():
        codes[values.is_null().to_numpy()] = -1
    return number_stretches(codes[order], len(coarse))


def _names(values: pl.Series, order: Order | None) -> dict[str, Any]:
    filled = values.drop_nulls()
    counted = filled.rename("value").value_counts().sort(["count", "value"], descending=[True, False])
    kept = counted.head(CATEGORIES)
    told: dict[str, Any] = {
        "categories": [list(pair) for pair in kept.rows()],
        "other": len(filled) - int(kept["count"].sum()),
    }
    if not len(filled):
        return told
    if told["other"]:
        cells = hash_cells(counted["value"])
        told["hashed"] = np.bincount(cells, counted["count"], minlength=HASHED).astype(np.int64).tolist()
    if order is None:
        return told
    codes = category_codes(values, counted["value"])
    if told["other"]:
        # the last place of `cells` stands for no value, which has the code -1
        codes = np.append(cells, -1)[codes]
    width = HASHED if told["other"] else kept.height
    return told | {"stretches": category_stretches(codes[order], width + 1)}


def hash_cells(values: Iterable[str]) -> NDArray[np.int64]:
    """A cell for each text, 0 to 255, the same wherever it is asked for.

    Of a column with more values than are listed, the listed ones were chosen for being frequent, so that they are
    less so in any other sample; cells that know nothing of frequencies are fair.
    """
    return np.array([crc32(value.encode()) % HASHED for value in values], dtype=np.int64)


def category_codes(values: pl.Series, known: pl.Series) -> NDArray[np.int64]:
    """The place of each value among `known`, which are distinct; their number for any other, -1 for null."""
    places = values.cast(pl.Enum(known), strict=False).to_physical().cast(pl.Int64).fill_null(len(known)).to_numpy()
    if not values.null_count():
        return places
    return np.where(values.is_null().to_numpy(), -1, places)
