"""Columns that come with a type of their own, from Parquet or JSON lines, as canonical ones."""

from __future__ import annotations

import polars as pl

from engine.data.text_columns import EXACT_INTEGER, ColumnType, parse_times

DTYPES: dict[ColumnType, pl.DataType] = {
    "number": pl.Float64(),
    "integer": pl.Int64(),
    "boolean": pl.Boolean(),
    "category": pl.String(),
    "time": pl.Datetime("us", "UTC"),
}

_UNIX_UNITS = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (float("inf"), 1e-3))
"""Microseconds in a unit of Unix time whose values of this century lie below the limit: s, ms, µs, ns."""


def from_typed(column: pl.Series) -> tuple[ColumnType, pl.Series]:
    """A column of a typed file in canonical type. Unsigned integers beyond Int64 and all beyond 2⁵³ become text."""
    dtype = column.dtype
    if dtype == pl.Boolean():
        return "boolean", column
    if dtype.is_integer():
        filled = column.drop_nulls()
        edges = [int(edge) for edge in (filled.min(), filled.max())] if len(filled) else [0]  # type: ignore[arg-type]
        fits = max(abs(edge) for edge in edges) <= EXACT_INTEGER
        return ("integer", column.cast(pl.Int64)) if fits else ("category", column.cast(pl.String))
    if dtype.is_numeric():
        return "number", column.cast(pl.Float64).fill_nan(None)
    if isinstance(dtype, pl.Datetime):
        aware = column.dt.convert_time_zone("UTC") if dtype.time_zone else column.dt.replace_time_zone("UTC")
        return "time", aware.cast(DTYPES["time"])
    if dtype == pl.Date():
        return "time", column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if isinstance(dtype, pl.Duration):
        return "number", column.dt.total_microseconds().cast(pl.Float64) / 1e6
    return "category", column.cast(pl.String)


def as_text(kind: ColumnType, values: pl.Series) -> pl.Series:
    """Canonical values as category names; whole numbers without a fraction, times in ISO 8601."""
    if kind == "time":
        return values.dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    if kind == "number" and is_whole(values):
        return values.cast(pl.Int64).cast(pl.String)
    return values.cast(pl.String)


def unix_time(values: pl.Series) -> pl.Series:
    """Numbers as times: years where all lie in 1800-2200, else Unix time in s, ms, µs or ns by its size."""
    filled = values.drop_nulls()
    largest = float(filled.abs().max() or 0)  # type: ignore[arg-type]
    if is_whole(values) and filled.is_between(1800, 2200).all():
        years = values.cast(pl.Int64).cast(pl.String)
        return parse_times((years + "-01-01").rename(values.name))
    microseconds = next(factor for limit, factor in _UNIX_UNITS if largest < limit)
    stamps = (values.cast(pl.Float64) * microseconds).round().cast(pl.Int64, strict=False)
    return stamps.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def is_whole(values: pl.Series) -> bool:
    """Whether a numeric column holds integers only, all of them exact as float64."""
    if values.dtype.is_integer():
        return True
    filled = values.drop_nulls()
    return bool(filled.is_finite().all() and (filled == filled.floor()).all() and (filled.abs() <= EXACT_INTEGER).all())
