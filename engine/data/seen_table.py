"""A file of data read as what it holds, before anybody has said how it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from engine.data.dialect import DecimalGuess, guess_decimal, guess_delimiter
from engine.data.encoding import guess_encoding, refuse_known_binary, to_utf8
from engine.data.missing_cells import DEFAULT_MISSING, Marker, find_missing
from engine.data.read_numbers import find_doubts
from engine.data.schema import NESTED, Schema, conform
from engine.data.snapshot import missing_column
from engine.data.sources import Dialect, Table, file_format, find_files, read_bytes, read_table
from engine.data.text_columns import ColumnType, Decimal
from engine.data.wording import counted
from engine.errors import BadData
from engine.project import Project


@dataclass(frozen=True)
class SeenTable:
    """The rows, and how they were read."""

    table: Table
    """As it stands in the files."""
    frame: pl.DataFrame
    """Canonical."""
    schema: Schema
    dialect: Dialect
    decimal: Decimal
    markers: tuple[Marker, ...]
    """Cells that mean null, as they occur; empty for Parquet and JSON lines."""
    doubts: Mapping[str, str]
    """By column, why its cells may be other numbers than they were read as, or numbers where they were read as text."""
    left_aside: tuple[str, ...]
    """Columns that hold no plain value."""


def see_table(path: str, target: str | None, relative_to: Path | None, told: Callable[[str], None]) -> SeenTable:
    """Read all that an absolute path or glob names; `target` None: not chosen yet.

    Raises:
        BadData: the data cannot be used; NotFound: no such file; InvalidInput: no such column.
    """
    told("reading the data")
    files = find_files(path, relative_to or Path.cwd())
    dialect = _guess_dialect(files[0], target)
    table = read_table(files, dialect, folder=relative_to)
    if target is not None and target not in table.frame.columns:
        raise missing_column("target", target, table)
    told(f"looking at {counted(table.frame.width, 'column')} in {counted(table.frame.height, 'row')}")
    guess = guess_decimal(table.frame, dialect.delimiter) if table.text else DecimalGuess(".", is_settled=True)
    decimal = guess.mark
    spare = [] if target is None else [target]
    markers = find_missing(table.frame, decimal, spare=spare) if table.text else []
    draft = _draft(target, dialect, decimal, markers, table)
    frame, schema = conform(table, draft)
    doubts = find_doubts(table.frame, schema, guess, draft.data.missing) if table.text else {}
    return SeenTable(table, frame, schema, dialect, decimal, tuple(markers), doubts, draft.data.ignore)


def values_in_words(filled: pl.Series, kind: ColumnType, distinct: int) -> str:
    """A column's values, nulls aside: a range, or the most frequent ones."""
    if not len(filled):
        return "no values"
    if kind in ("number", "integer"):
        return f"{_figure(filled.min())} to {_figure(filled.max())}"
    if kind == "time":
        return f"{filled.dt.min():%Y-%m-%d} to {filled.dt.max():%Y-%m-%d}"
    common = filled.cast(pl.String).value_counts(sort=True)[filled.name].head(4).to_list()
    listed = ", ".join(value[:20] for value in common) + (", …" if distinct > 4 else "")
    return f"{counted(distinct, 'value')}: {listed}"


def _guess_dialect(path: Path, target: str | None) -> Dialect:
    raw = read_bytes(path, str(path))
    if file_format(path, raw) != "csv":
        return Dialect()
    refuse_known_binary(raw, str(path))
    encoding = guess_encoding(raw)
    if encoding is None:
        raise BadData(f"{path} is not text.", "Give a CSV, Parquet or JSON lines file.", file=str(path))
    return Dialect(guess_delimiter(to_utf8(raw, encoding, str(path)), target), encoding)


def _draft(target: str | None, dialect: Dialect, decimal: Decimal, markers: list[Marker], table: Table) -> Project:
    """A project that reads every column as what it holds."""
    nested = [column for column, dtype in table.frame.schema.items() if isinstance(dtype, NESTED)]
    return Project.model_validate(
        {
            "project": {"name": "look", "task": "regression"},
            "data": {
                "source": "", "target": target or "", "delimiter": dialect.delimiter, "encoding": dialect.encoding,
                "decimal": decimal, "missing": [*DEFAULT_MISSING, *(marker.text for marker in markers)],
                "ignore": [column for column in nested if column != target],
            },
        }
    )  # fmt: skip


def _figure(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
