"""A snapshot's columns and their types, and bringing a table to them.

The canonical frame has number as Float64, integer as Int64, boolean as Boolean, category as String and time as
Datetime("us", "UTC"), columns in the order of the source. A type is the project's own where it declares one, else the
one of the snapshot before, else the narrowest that all cells fit. So text among numbers makes a category in a
project's first snapshot, and is an error in every later one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from engine.data.sources import Table
from engine.data.text_columns import ColumnType, Decimal, Misfit, convert, first_true, infer
from engine.data.typed_columns import DTYPES, as_text, from_typed, is_whole, unix_time
from engine.errors import BadData
from engine.project import Project

NESTED = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Object)
"""Types of Parquet and JSON that are no plain value."""


@dataclass(frozen=True)
class ColumnSchema:
    """One column as a snapshot holds it."""

    name: str
    type: ColumnType
    nullable: bool
    """As declared; nulls in a column that is not nullable are a failed expectation."""
    nulls: int
    distinct: int
    """Values that differ, nulls aside; 0 where the column has none."""


@dataclass(frozen=True)
class Schema:
    """All columns, in order."""

    columns: tuple[ColumnSchema, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(column.name for column in self.columns)

    def get(self, name: str) -> ColumnSchema | None:
        """The column of that name; None: there is none."""
        return next((column for column in self.columns if column.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, which `from_dict` takes."""
        return {"columns": [asdict(column) for column in self.columns]}

    @staticmethod
    def from_dict(tree: Mapping[str, Any]) -> Schema:
        """The schema that `to_dict` gave."""
        return Schema(tuple(ColumnSchema(**column) for column in tree["columns"]))


def conform(table: Table, project: Project, previous: Schema | None = None) -> tuple[pl.DataFrame, Schema]:
    """The table in canonical types, and its schema.

    Columns that the project ignores are kept where they are plain values, and nothing is asked of them. An integer
    column that now holds fractions becomes a number; nulls are no type, so a column that was all null may become
    anything.

    Raises:
        BadData: a cell that does not fit its column's type (names line, column and value), infinity, a column that
            is gone, or one of lists or objects.
    """
    frame = _without_nested(table, project)
    _refuse_lost(frame, project, previous)
    if table.text:
        frame = blank_missing(frame, project.data.missing)
    columns = [_column(frame[name], table, project, previous) for name in frame.columns]
    canonical = pl.DataFrame([values for _, values in columns])
    return canonical, describe(canonical, project)


def blank_missing(frame: pl.DataFrame, markers: Sequence[str]) -> pl.DataFrame:
    """A frame of text cells with null in place of each marker."""
    return frame.select(
        pl.when(~pl.col(name).is_in(list(markers))).then(pl.col(name)).alias(name) for name in frame.columns
    )


def describe(frame: pl.DataFrame, project: Project) -> Schema:
    """The schema of a canonical frame."""
    kinds = {dtype: kind for kind, dtype in DTYPES.items()}
    declared = project.data.columns
    nulls = frame.null_count().row(0)
    distinct = frame.select(pl.all().drop_nulls().n_unique()).row(0) if frame.width else ()
    return Schema(
        tuple(
            ColumnSchema(name, kinds[dtype], name not in declared or declared[name].nullable, nulls[at], distinct[at])
            for at, (name, dtype) in enumerate(frame.schema.items())
        )
    )


@dataclass(frozen=True)
class _Wanted:
    kind: ColumnType | None
    """None: whatever fits."""
    because: str = ""
    firm: bool = False
    """Declared by the project, so that fractions do not turn an integer into a number."""


def _wanted(name: str, project: Project, previous: Schema | None) -> _Wanted:
    if name == project.data.time:
        return _Wanted("time", "it is the `time` of [data]", firm=True)
    declared = project.data.columns.get(name)
    if declared is not None and declared.type is not None:
        return _Wanted(declared.type, f"[data.columns] declares it {_article(declared.type)}", firm=True)
    before = previous.get(name) if previous is not None and name not in project.data.ignore else None
    if before is None or not before.distinct:
        return _Wanted(None)
    return _Wanted(before.type, f"the snapshot before has it as {_article(before.type)}")


def _column(column: pl.Series, table: Table, project: Project, previous: Schema | None) -> tuple[ColumnType, pl.Series]:
    wanted = _wanted(column.name, project, previous)
    try:
        kind, values = _typed(column, wanted, project.data.decimal, table.text)
    except Misfit as misfit:
        raise _type_error(column.name, misfit, wanted, table) from misfit
    if column.name == project.data.target:
        kind, values = _target(kind, values, project)
    if kind == "number" and column.name not in project.data.ignore:
        _refuse_infinity(values, table)
    return kind, values.rename(column.name)


def _typed(column: pl.Series, wanted: _Wanted, decimal: Decimal, is_csv: bool) -> tuple[ColumnType, pl.Series]:
    if column.dtype == pl.String():
        if wanted.kind is None:
            return infer(column, decimal) if is_csv else _infer_time(column)
        if wanted.kind == "time":
            return "time", _to_time(column, decimal)
        try:
            return wanted.kind, convert(column, wanted.kind, decimal)
        except Misfit:
            if wanted.kind != "integer" or wanted.firm:
                raise
            return "number", convert(column, "number", decimal)
    kind, values = from_typed(column)
    if wanted.kind is None or kind == wanted.kind or not len(values.drop_nulls()):
        return (kind, values) if wanted.kind is None else (wanted.kind, values.cast(DTYPES[wanted.kind]))
    return _retyped(kind, values, wanted, decimal)


def _retyped(kind: ColumnType, values: pl.Series, wanted: _Wanted, decimal: Decimal) -> tuple[ColumnType, pl.Series]:
    """A typed column in another type, where that loses nothing."""
    assert wanted.kind is not None
    if wanted.kind == "category":
        return "category", as_text(kind, values)
    if wanted.kind == "number" and kind == "integer":
        return "number", values.cast(pl.Float64)
    if wanted.kind == "integer" and kind == "number" and not wanted.firm and not is_whole(values):
        return kind, values
    if wanted.kind == "time" and kind in ("integer", "number"):
        return "time", unix_time(values)
    return wanted.kind, convert(as_text(kind, values), wanted.kind, ".")


def _infer_time(column: pl.Series) -> tuple[ColumnType, pl.Series]:
    """Text of a typed file is text, but JSON has no way to write a time but as text."""
    kind, values = infer(column, ".")
    return (kind, values) if kind == "time" else ("category", column)


def _to_time(column: pl.Series, decimal: Decimal) -> pl.Series:
    try:
        return convert(column, "time", decimal)
    except Misfit as misfit:
        try:
            return unix_time(convert(column, "number", decimal))
        except Misfit:
            raise misfit from None


def _target(kind: ColumnType, values: pl.Series, project: Project) -> tuple[ColumnType, pl.Series]:
    """Classes written as 0.0 and 1.0 are the integers they stand for."""
    if project.task != "regression" and kind == "number" and is_whole(values):
        return "integer", values.cast(pl.Int64)
    return kind, values


def _without_nested(table: Table, project: Project) -> pl.DataFrame:
    nested = [name for name, dtype in table.frame.schema.items() if isinstance(dtype, NESTED)]
    needed = [name for name in nested if name not in project.data.ignore]
    if needed:
        raise BadData(
            f"The column {needed[0]!r} holds lists, objects or bytes, which no model here takes.",
            "Add it to `ignore` under [data], or write its parts as columns.",
            column=needed[0],
        )
    return table.frame.drop(nested)


def _refuse_lost(frame: pl.DataFrame, project: Project, previous: Schema | None) -> None:
    for column in previous.columns if previous else ():
        if column.name not in frame.columns and column.name not in project.data.ignore:
            raise BadData(
                f"The column {column.name!r} is gone: the snapshot before has it.",
                "Bring it back, or add it to `ignore` under [data].",
                column=column.name,
            )


def _type_error(name: str, misfit: Misfit, wanted: _Wanted, table: Table) -> BadData:
    where = table.where(misfit.row)
    shown = f"{where}: column {name!r} has {str(misfit.value)[:60]!r}"
    if misfit.because:
        return BadData(
            f"{shown}, and {misfit.because}.",
            "Write the column's dates as 2026-01-31.",
            column=name,
            where=where,
            value=str(misfit.value)[:200],
        )
    return BadData(
        f"{shown}, and {wanted.because}.",
        "Mend that cell, add it to `missing` under [data], or declare the column's type under [data.columns].",
        column=name,
        where=where,
        value=str(misfit.value)[:200],
    )


def _refuse_infinity(values: pl.Series, table: Table) -> None:
    infinite = values.is_infinite()
    if infinite.any():
        row = first_true(infinite.fill_null(value=False))
        where = table.where(row)
        hint = "Write a number or nothing there; a ratio over zero is no number."
        if table.text:
            cell = str(table.frame[values.name][row])[:40]
            hint += f" Or list {cell!r} under `missing` in mlops.toml: training takes what is listed for no value."
        raise BadData(
            f"{where}: column {values.name!r} holds infinity.",
            hint,
            column=values.name,
            where=where,
        )


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
