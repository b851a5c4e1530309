"""Captured rows as a check reads them: some columns at a time, so that a million rows need little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import polars as pl

from engine.data.profile import time_order
from engine.data.typed_columns import DTYPES
from engine.monitoring.answers import answers_of_captures, captured_answers
from engine.monitoring.column_now import Arrival, ColumnNow
from engine.monitoring.quality import missing_column, wrong_type
from engine.serving.manifest import Input, Manifest
from engine.wire.work import QualityFinding
from engine.worker.capture_table import INPUT_PREFIX

_CELLS_AT_ONCE = 6_000_000
"""48 MB of numbers."""


class Came(NamedTuple):
    """What came of one input."""

    name: str
    now: ColumnNow | None
    """None: nothing."""
    findings: list[QualityFinding]


class CapturedRows:
    """The rows of some capture files, oldest first. A file that is gone by now is passed over."""

    def __init__(self, folder: Path, files: Sequence[str], version: int, manifest: Manifest) -> None:
        self._files = [path for path in (folder / name for name in files) if path.is_file()]
        self._schemas = [pl.read_parquet_schema(path) for path in self._files]
        self._manifest, self._version = manifest, version
        heads = [
            pl.read_parquet(path, columns=["version", "received_at", "event_time"], glob=False) for path in self._files
        ]
        self._head = pl.concat(heads, how="vertical_relaxed") if heads else pl.DataFrame()
        self.rows = self._head.height

    @cached_property
    def _times(self) -> pl.Series:
        """Of the rows themselves where most have one, else when they came."""
        dtype = DTYPES["time"]
        happened = self._head["event_time"].cast(dtype)
        received = self._head["received_at"].cast(dtype)
        return happened if happened.null_count() < self.rows / 2 else received

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """The first and the last row's time."""
        if not self.rows:
            return None, None
        first, last = self._times.min(), self._times.max()
        return (first, last) if isinstance(first, datetime) and isinstance(last, datetime) else (None, None)

    @cached_property
    def arrival(self) -> Arrival:
        """The rows' order in time."""
        return _arrival(self._times)

    def inputs(self) -> Iterator[list[Came]]:
        """All inputs of the model, some at a time."""
        wanted = list(self._manifest.inputs)
        at_once = max(1, _CELLS_AT_ONCE // max(1, self.rows))
        for start in range(0, len(wanted), at_once):
            yield self._read(wanted[start : start + at_once])

    def answers(self) -> dict[str, ColumnNow]:
        """The answers of the reference version, by name."""
        columns = captured_answers(self._manifest)
        frames = [pl.read_parquet(path, columns=columns, glob=False) for path in self._files]
        own = self._head["version"] == self._version
        captured = pl.concat(frames, how="vertical_relaxed").filter(own)
        arrival = _arrival(self._times.filter(own))
        found = answers_of_captures(self._manifest, captured)
        return {name: ColumnNow(values, arrival) for name, values in found.items()}

    def _read(self, wanted: Sequence[Input]) -> list[Came]:
        names = [INPUT_PREFIX + column.name for column in wanted]
        frames = [
            pl.read_parquet(path, columns=[name for name in names if name in schema], glob=False)
            for path, schema in zip(self._files, self._schemas, strict=True)
        ]
        return [self._came(column, name, frames) for column, name in zip(wanted, names, strict=True)]

    def _came(self, column: Input, name: str, frames: Sequence[pl.DataFrame]) -> Came:
        parts = [frame[name] for frame in frames if name in frame.columns]
        if not parts:
            return Came(column.name, None, [missing_column(column.name)])
        found: list[QualityFinding] = []
        values = pl.concat([_typed(part, column, found) for part in parts]).rename(column.name)
        arrival = self.arrival if len(parts) == len(frames) else Arrival(len(values))
        return Came(column.name, ColumnNow(values, arrival), found)


def as_measured(values: pl.Series, kind: str) -> pl.Series:
    """Numbers as Float64, all else as text, as the profile has it; what cannot be so is null."""
    return values.cast(pl.Float64 if kind in ("number", "integer") else pl.String, strict=False)


def _typed(part: pl.Series, column: Input, found: list[QualityFinding]) -> pl.Series:
    """One file's part of a column; a file was written with other types where it was another version's."""
    values = as_measured(part, column.type)
    misfits = values.null_count() - part.null_count()
    if misfits:
        example = part.filter(values.is_null() & part.is_not_null())[0]
        found.append(wrong_type(column.name, column.type, misfits, len(part), example))
    return values


def _arrival(times: pl.Series) -> Arrival:
    return Arrival(len(times), None if times.is_sorted() else time_order(times))
