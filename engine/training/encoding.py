"""Fits the encoder's tables from the rows a model learns from; the encoder itself is `engine.serving.features`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from engine.data.schema import Schema
from engine.errors import BadData
from engine.project import Project
from engine.serving.features import encode_columns
from engine.serving.frame import pandas_frame
from engine.serving.manifest import Encoding, Input

Family = Literal["trees", "linear", "frame"]
Columns = Mapping[str, pl.Series]

MOST_CATEGORIES = 255
"""Of one column; the rest are answered as unseen. LightGBM bins by one byte."""
_LINEAR_CELLS = 20_000_000
"""Of a linear model's matrix, which is dense: 160 MB. With more, columns keep fewer categories."""
_FEWEST_CATEGORIES = 8


@dataclass(frozen=True)
class Feature:
    """A raw column that a model may use."""

    name: str
    type: Literal["number", "integer", "boolean", "category"]
    nullable: bool


@dataclass(frozen=True)
class Tables:
    """What turns raw columns into what a family of models takes."""

    family: Family
    inputs: tuple[Input, ...]
    encoding: tuple[Encoding, ...]

    def read(self, columns: Columns) -> Any:
        """Shape (rows, width): a float64 matrix, or for `frame` a pandas frame of the raw inputs."""
        if self.family == "frame":
            return pandas_frame(self.inputs, columns)
        return encode_columns(self.inputs, self.encoding, columns)

    @property
    def categorical(self) -> list[int]:
        """Where in the matrix category codes lie."""
        return [slot for slot, step in enumerate(self.encoding) if step.method == "code"]


def features(schema: Schema, project: Project) -> tuple[Feature, ...]:
    """The columns that are no target, id, time or ignored, in order; other columns of times are left out too.

    Raises:
        BadData: none is left.
    """
    data = project.data
    no_features = {data.target, data.id, data.time, *data.ignore}
    found = tuple(
        Feature(column.name, column.type, column.nullable)
        for column in schema.columns
        if column.name not in no_features and column.type != "time"
    )
    if not found:
        raise BadData(
            "No column is left to learn from: all are the target, the id, times or ignored.",
            "Take some out of `ignore` under [data], or add columns.",
        )
    return found


def left_out(schema: Schema, project: Project) -> tuple[str, ...]:
    """Columns that are neither feature, target, id nor time, in order."""
    data = project.data
    roles = {data.target, data.id, data.time, *(feature.name for feature in features(schema, project))}
    return tuple(name for name in schema.names if name not in roles)


def fit_tables(family: Family, found: Sequence[Feature], columns: Columns) -> Tables:
    """Fit the tables from these rows alone.

    Categories are the most frequent values, at most 255, equally frequent ones in order of text. Where there are more,
    a value that occurs once is no category, for it teaches nothing.
    """
    most = _most_categories(found, columns) if family == "linear" else MOST_CATEGORIES
    inputs = tuple(_input(feature, columns[feature.name], most) for feature in found)
    if family == "frame":
        return Tables(family, inputs, ())
    step = _standard_step if family == "linear" else _tree_step
    return Tables(family, inputs, tuple(step(column, columns[column.name]) for column in inputs))


def _most_categories(found: Sequence[Feature], columns: Columns) -> int:
    rows = max((len(columns[feature.name]) for feature in found), default=0)
    distinct = [columns[feature.name].n_unique() for feature in found if feature.type == "category"]
    most = MOST_CATEGORIES
    while most > _FEWEST_CATEGORIES and rows * sum(min(count, most) for count in distinct) > _LINEAR_CELLS:
        most //= 2
    return most


def _input(feature: Feature, values: pl.Series, most: int) -> Input:
    if feature.type != "category":
        return Input(feature.name, feature.type, feature.nullable)
    counts = (
        values.drop_nulls().alias("value").value_counts(name="count").sort(["count", "value"], descending=[True, False])
    )
    if counts.height > most:
        counts = counts.filter(pl.col("count") > 1).head(most)
    return Input(feature.name, feature.type, feature.nullable, tuple(counts["value"].to_list()))


def _tree_step(column: Input, _: pl.Series) -> Encoding:
    return Encoding(column.name, "code" if column.type == "category" else "number")


def _standard_step(column: Input, values: pl.Series) -> Encoding:
    if column.type == "category":
        return Encoding(column.name, "onehot")
    numbers = values.cast(pl.Float64)
    fill = _finite(numbers.median(), 0.0)
    filled = numbers.fill_null(fill)
    scale = _finite(filled.std(ddof=0), 1.0)
    # A column whose spread is rounding noise is constant; dividing by it would blow that noise up.
    mean = _finite(filled.mean(), fill)
    if scale <= 1e-12 * max(abs(mean), 1e-300):
        scale = 1.0
    return Encoding(column.name, "standard", fill=fill, mean=mean, scale=scale)


def _finite(value: Any, otherwise: float) -> float:
    return float(value) if value is not None and math.isfinite(value) else otherwise
