"""Rows that a model server answers before it says that it is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from engine.serving.manifest import Input, Row
from engine.training.encoding import Columns

MOST_ROWS = 20
UNSEEN = "(never seen)"


def golden_rows(inputs: Sequence[Input], columns: Columns) -> tuple[Row, ...]:
    """At most 20 rows: some as they are, spread over `columns`, one all null where null may be, one all unseen.

    `columns` has at least one row.
    """
    count = len(columns[inputs[0].name])
    taken = np.unique(np.linspace(0, count - 1, min(count, MOST_ROWS - 2)).round().astype(np.int64))
    frame = pl.DataFrame({column.name: columns[column.name].gather(taken) for column in inputs})
    rows: list[Row] = [dict(row) for row in frame.iter_rows(named=True)]
    nulls = {column.name: None if column.takes_null else rows[0][column.name] for column in inputs}
    unseen = {
        column.name: unseen_value(column) if column.type == "category" and not column.strict else rows[-1][column.name]
        for column in inputs
    }
    return tuple(_without_repeats([*rows, nulls, unseen]))


def as_columns(inputs: Sequence[Input], rows: Sequence[Row]) -> dict[str, list[Any]]:
    """Rows by name as columns by name."""
    return {column.name: [row[column.name] for row in rows] for column in inputs}


def typed_columns(inputs: Sequence[Input], columns: Mapping[str, list[Any]]) -> Columns:
    """Columns by name as canonical series."""
    kinds = {"number": pl.Float64, "integer": pl.Int64, "boolean": pl.Boolean, "category": pl.String}
    return {column.name: pl.Series(column.name, columns[column.name], dtype=kinds[column.type]) for column in inputs}


def unseen_value(column: Input) -> str:
    """A text that is none of its categories."""
    text = UNSEEN
    while text in column.categories:
        text += "!"
    return text


def _without_repeats(rows: Sequence[Row]) -> list[Row]:
    kept: list[Row] = []
    for row in rows:
        if row not in kept:
            kept.append(row)
    return kept
