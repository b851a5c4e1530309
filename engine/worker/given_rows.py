"""Rows of a file that somebody gave to be looked at, in the types of the model's inputs. Nothing that is odd about it
is an error but a file that cannot be read: it is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from engine.data.profile import time_order
from engine.data.schema import NESTED, blank_missing
from engine.data.sources import Dialect, Table, read_table
from engine.data.text_columns import Misfit, convert
from engine.data.typed_columns import DTYPES, as_text, from_typed, unix_time
from engine.monitoring.column_now import Arrival, ColumnNow
from engine.monitoring.quality import missing_column, new_column, wrong_type
from engine.project import Data, Project
from engine.serving.manifest import Input, Manifest
from engine.wire.work import QualityFinding
from engine.worker.captured_rows import Came, as_measured


class GivenRows:
    """A whole file in memory."""

    def __init__(self, path: Path, project: Project, manifest: Manifest) -> None:
        """Raises `BadData` where the file cannot be read by the project's dialect."""
        data = project.data
        table = read_table([path], Dialect(data.delimiter, data.encoding), folder=path.parent)
        frame = table.frame
        frame = frame.drop([name for name, dtype in frame.schema.items() if isinstance(dtype, NESTED)])
        self._frame = blank_missing(frame, data.missing) if table.text else frame
        self._table, self._data, self._manifest = table, data, manifest
        self.rows = self._frame.height

    @cached_property
    def _times(self) -> pl.Series | None:
        """None where the file has no usable time."""
        name = self._data.time
        if name is None or name not in self._frame.columns:
            return None
        column = self._frame[name]
        try:
            if column.dtype == pl.String():
                return convert(column, "time", self._data.decimal)
            kind, values = from_typed(column)
            return values if kind == "time" else unix_time(values) if kind in ("integer", "number") else None
        except (Misfit, pl.exceptions.PolarsError):
            return None

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """The first and the last row's time; None where it is not known."""
        ends = (self._times.min(), self._times.max()) if self._times is not None else (None, None)
        first, last = ends
        return (first, last) if isinstance(first, datetime) and isinstance(last, datetime) else (None, None)

    @cached_property
    def arrival(self) -> Arrival:
        """In time; where the file has none, as its rows stand, unless it is sorted by a column: then nobody knows."""
        times = self._times
        if times is None:
            return Arrival(self.rows, known=not any(_is_sorted(values) for values in self._looked_at()))
        return Arrival(self.rows, None if times.is_sorted() else time_order(times))

    def _looked_at(self) -> Iterator[pl.Series]:
        """All that a file may be sorted by, but for its id, which may well count rows as they came."""
        yield from (values for values, _ in self._typed.values())
        others = {self._data.target, *self._data.ignore, *self._manifest.ignored} - self._typed.keys() - {self._data.id}
        yield from (self._frame[name] for name in self._frame.columns if name in others)

    @cached_property
    def _typed(self) -> dict[str, tuple[pl.Series, list[QualityFinding]]]:
        return {
            column.name: _to_type(self._frame[column.name], column, self._table, self._data)
            for column in self._manifest.inputs
            if column.name in self._frame.columns
        }

    def inputs(self) -> Iterator[list[Came]]:
        """All inputs of the model."""
        for column in self._manifest.inputs:
            if column.name not in self._typed:
                yield [Came(column.name, None, [missing_column(column.name)])]
                continue
            values, found = self._typed[column.name]
            yield [Came(column.name, ColumnNow(as_measured(values, column.type), self.arrival), found)]

    def new_columns(self) -> list[QualityFinding]:
        """Columns that neither the model nor the project knows."""
        data = self._data
        known = {column.name for column in self._manifest.inputs}
        known |= {name for name in (data.target, data.id, data.time, *data.ignore, *self._manifest.ignored) if name}
        return [new_column(name) for name in self._frame.columns if name not in known]

    def scorable(self) -> dict[str, pl.Series] | None:
        """The inputs as a bundle scores them; None where one is missing."""
        if len(self._typed) < len(self._manifest.inputs):
            return None
        return {name: values for name, (values, _) in self._typed.items()}


def _to_type(values: pl.Series, column: Input, table: Table, data: Data) -> tuple[pl.Series, list[QualityFinding]]:
    kind = column.type
    own = "category" if values.dtype == pl.String() else ""
    if not own:
        own, values = from_typed(values)
    if own == kind:
        return values, []
    if kind == "category":
        return as_text(own, values), []  # type: ignore[arg-type]
    if kind == "number" and own == "integer":
        return values.cast(pl.Float64), []
    text = values if values.dtype == pl.String() else as_text(own, values)  # type: ignore[arg-type]
    decimal = data.decimal if table.text else "."
    try:
        return convert(text, kind, decimal), []
    except Misfit as misfit:
        fitting = _what_fits(text, kind, decimal)
        misfits = fitting.null_count() - text.null_count()
        return fitting, [wrong_type(column.name, kind, misfits, max(1, len(text)), misfit.value)]


def _what_fits(text: pl.Series, kind: Any, decimal: Any) -> pl.Series:
    """Each value on its own; null where it does not fit."""
    distinct = text.drop_nulls().unique()
    dtype = DTYPES[kind]
    fitting: list[pl.Series] = []
    for value in distinct:
        try:
            fitting.append(convert(pl.Series([value], dtype=pl.String), kind, decimal).cast(dtype))
        except Misfit:
            fitting.append(pl.Series([None], dtype=dtype))
    return text.replace_strict(distinct, pl.concat(fitting), default=None, return_dtype=dtype)


def _is_sorted(values: pl.Series) -> bool:
    """Whether rows stand in the order of a column, or those of each of its values together."""
    known = values.drop_nulls()
    distinct = known.n_unique()
    if distinct < 2:
        return False
    if distinct > len(known) // 2:
        return known.is_sorted() or known.is_sorted(descending=True)
    runs = 1 + int(known.ne(known.shift()).sum())
    return runs == distinct
