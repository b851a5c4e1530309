"""Files of captures and labels, as compaction and labelling leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from engine.monitoring.label_join import CAPTURE_SCHEMA, LABEL_SCHEMA
from engine.wire.work import FreshRows

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_captures(folder: Path, name: str, inputs: Mapping[str, Sequence[Any]], **keys: Sequence[Any]) -> str:
    """A capture file; keys are columns such as `id`, `request_id`, `received_at` (hours since the epoch are enough)."""
    rows = len(next(iter(inputs.values())))
    told: dict[str, Sequence[Any]] = {
        "id": [None] * rows, "request_id": [f"{name}-{row}" for row in range(rows)], "row_index": [0] * rows,
        "version": [1] * rows, "event_time": [None] * rows, "received_at": range(rows), "probability": [0.5] * rows,
        "value": [None] * rows, "scores": [None] * rows,
    } | keys  # fmt: skip
    columns = {key: moments(told[key]) if key.endswith(("_time", "_at")) else told[key] for key in CAPTURE_SCHEMA}
    frame = pl.DataFrame(columns, schema=CAPTURE_SCHEMA)  # type: ignore[arg-type]
    frame = frame.with_columns(pl.Series(f"input.{key}", values) for key, values in inputs.items())
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(folder / name)
    return name


def write_labels(folder: Path, name: str, labels: Sequence[Any], **keys: Sequence[Any]) -> str:
    """A label file; keys are `id`, or `request_id` and `row_index`, and perhaps `labelled_at`."""
    none = [None] * len(labels)
    told = {key: keys.get(key, none) for key in LABEL_SCHEMA} | {"label": labels}
    columns = {key: moments(values) if key.endswith("_at") else values for key, values in told.items()}
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    pl.DataFrame(columns, schema=LABEL_SCHEMA).write_parquet(folder / "labels" / name)  # type: ignore[arg-type]
    return name


def fresh_rows(
    folder: Path, captures: Sequence[str], labels: Sequence[str], mature_until: datetime | None = None
) -> FreshRows:
    return FreshRows(
        captures_folder=str(folder), capture_files=list(captures), label_files=list(labels), mature_until=mature_until
    )


def moments(values: Sequence[Any]) -> list[datetime | None]:
    """Hours since the epoch as moments."""
    return [EPOCH + timedelta(hours=each) if isinstance(each, int | float) else each for each in values]
