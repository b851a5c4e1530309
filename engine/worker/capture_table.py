"""Capture v1 lines to a table: one row for each predicted row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from engine.data.text_columns import parse_times
from engine.data.typed_columns import unix_time
from engine.serving.manifest import Manifest, ServeSpec, load_manifest

INPUT_PREFIX = "input."
"""Before the name of each input, so that none clashes with a column of ours."""

_INPUT_TYPES: dict[str, pl.DataType] = {
    "number": pl.Float64(), "integer": pl.Int64(), "boolean": pl.Boolean(), "category": pl.String(),
}  # fmt: skip

Cell = str | int | float | bool | None


class _Line(msgspec.Struct):
    """A line of a segment: a request, or a count of answers that were not captured."""

    v: int
    dropped: int = 0
    endpoint: str = ""
    version: int = 0
    deployment: int = 0
    replica: int = 0
    request_id: str = ""
    received_at: str = ""
    latency_s: float = 0.0
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    answers: tuple[tuple[float, ...], ...] = ()
    labels: tuple[Cell, ...] = ()
    unseen: tuple[tuple[int, str], ...] = ()


@dataclass
class Captured:
    """What some lines held."""

    requests: list[_Line] = field(default_factory=list)
    damaged: int = 0
    """Lines that are no capture."""
    dropped: int = 0
    """Answers the model server says it could not capture."""


def read_lines(lines: Iterable[bytes]) -> Captured:
    """Decode lines; one that is no capture of version 1, or whose parts do not fit, is counted as damaged."""
    decoder = msgspec.json.Decoder(_Line)
    found = Captured()
    for line in lines:
        try:
            told = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found.damaged += 1
            continue
        if told.v == 1 and not told.request_id:
            found.dropped += max(0, told.dropped)
        elif told.v == 1 and _fits(told):
            found.requests.append(told)
        else:
            found.damaged += 1
    return found


def find_manifest(captures_folder: Path) -> Manifest | None:
    """The manifest of the bundle whose replica wrote these captures; None where it is gone."""
    replica = captures_folder.parent
    try:
        spec = msgspec.json.decode((replica / "serve.json").read_bytes(), type=ServeSpec)
        return load_manifest(replica / spec.bundle)
    except (OSError, msgspec.MsgspecError):
        return None


def to_table(requests: Sequence[_Line], manifest: Manifest | None) -> pl.DataFrame:
    """The rows of requests, in order, one key (request_id, row_index) once.

    Columns: endpoint, version, deployment, replica, request_id, row_index, id, event_time, received_at, latency_s,
    label, probability (binary: of the positive class), value (regression), scores, unseen, and `input.NAME` for each
    column the row came with. Without the manifest, id and event time are not told from inputs and stay among them.
    """
    counts = [len(line.rows) for line in requests]
    frame = pl.DataFrame(
        {
            "endpoint": _spread([line.endpoint for line in requests], counts, pl.String()),
            "version": _spread([line.version for line in requests], counts, pl.Int64()),
            "deployment": _spread([line.deployment for line in requests], counts, pl.Int64()),
            "replica": _spread([line.replica for line in requests], counts, pl.Int64()),
            "request_id": _spread([line.request_id for line in requests], counts, pl.String()),
            "row_index": pl.Series([at for count in counts for at in range(count)], dtype=pl.Int64),
            "received_at": parse_times(_spread([line.received_at for line in requests], counts, pl.String())),
            "latency_s": _spread([line.latency_s for line in requests], counts, pl.Float64()),
            "label": _scalars([label for line in requests for label in line.labels], None),
            **_scores(requests, manifest),
            "unseen": _unseen(requests),
        }
    )
    return _with_inputs(frame, requests, manifest).unique(
        ["request_id", "row_index"], keep="first", maintain_order=True
    )


def _fits(line: _Line) -> bool:
    same = len(line.rows) == len(line.answers) == len(line.labels)
    return same and all(len(row) == len(line.columns) for row in line.rows)


def _spread(values: Sequence[Any], counts: Sequence[int], dtype: pl.DataType) -> pl.Series:
    """Each request's value as often as it has rows."""
    spread = [value for value, count in zip(values, counts, strict=True) for _ in range(count)]
    return pl.Series(spread, dtype=dtype)


def _scores(requests: Sequence[_Line], manifest: Manifest | None) -> dict[str, pl.Series]:
    rows = [list(answer) for line in requests for answer in line.answers]
    task = manifest.task if manifest else {1: "regression", 2: "binary"}.get(len(rows[0]) if rows else 0, "multiclass")
    empty = pl.Series([None] * len(rows), dtype=pl.Float64)
    return {
        "probability": pl.Series([row[-1] for row in rows], dtype=pl.Float64) if task == "binary" else empty,
        "value": pl.Series([row[0] for row in rows], dtype=pl.Float64) if task == "regression" else empty,
        "scores": pl.Series(rows, dtype=pl.List(pl.Float64)),
    }


def _unseen(requests: Sequence[_Line]) -> pl.Series:
    found: list[list[str]] = []
    for line in requests:
        of_row: list[list[str]] = [[] for _ in line.rows]
        for row, column in line.unseen:
            if 0 <= row < len(of_row):
                of_row[row].append(column)
        found += of_row
    return pl.Series(found, dtype=pl.List(pl.String))


def _with_inputs(frame: pl.DataFrame, requests: Sequence[_Line], manifest: Manifest | None) -> pl.DataFrame:
    names = list(dict.fromkeys(name for line in requests for name in line.columns))
    cells: dict[str, list[Cell]] = {name: [] for name in names}
    for line in requests:
        given = dict(zip(line.columns, zip(*line.rows, strict=True), strict=True)) if line.rows else {}
        for name in names:
            cells[name] += given.get(name, (None,) * len(line.rows))
    inputs = {column.name: column.type for column in manifest.inputs} if manifest else {}
    key, time = (manifest.id, manifest.time) if manifest else (None, None)
    frame = frame.with_columns(
        _texts(cells.get(key or "", []), frame.height).alias("id"),
        _moments(cells.get(time or "", []), frame.height).alias("event_time"),
    )
    aside = {key, time} - set(inputs)
    columns = [
        _scalars(values, _INPUT_TYPES.get(inputs.get(name, ""))).alias(INPUT_PREFIX + name)
        for name, values in cells.items()
        if name not in aside
    ]
    return frame.with_columns(columns)


def _scalars(values: list[Cell], dtype: pl.DataType | None) -> pl.Series:
    """Cells in one type: the given one, else the one they share, else text."""
    kinds = {type(value) for value in values if value is not None}
    if dtype is None:
        shared = {bool: pl.Boolean(), int: pl.Int64(), float: pl.Float64(), str: pl.String()}
        dtype = shared[kinds.pop()] if len(kinds) == 1 else pl.Float64() if kinds == {int, float} else pl.String()
    if dtype == pl.String():
        return _texts(values, len(values))
    return pl.Series(values, dtype=dtype, strict=False)


def _texts(values: list[Cell], rows: int) -> pl.Series:
    texts = [value if value is None or isinstance(value, str) else _text(value) for value in values or [None] * rows]
    return pl.Series(texts, dtype=pl.String)


def _text(value: Cell) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _moments(values: list[Cell], rows: int) -> pl.Series:
    """Event times: ISO 8601 texts, or Unix time; null where a value is neither."""
    values = values or [None] * rows
    texts = parse_times(pl.Series([value if isinstance(value, str) else None for value in values], dtype=pl.String))
    numbers = [float(value) if type(value) in (int, float) else None for value in values]  # type: ignore[arg-type]
    if not any(number is not None for number in numbers):
        return texts
    return texts.zip_with(texts.is_not_null(), unix_time(pl.Series(numbers, dtype=pl.Float64)))
