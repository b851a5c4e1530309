"""A model in production without an engine: its training data's profile, its captures, and checks of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from polars import selectors

from engine.data.profile import build_profile
from engine.data.schema import ColumnSchema, Schema
from engine.monitoring.alarm_budget import Decision, decide
from engine.monitoring.column_now import Arrival, ColumnNow
from engine.monitoring.drift import measure_column
from engine.monitoring.reference import Reference, read_profile
from engine.project import parse_project
from engine.serving.manifest import MANIFEST_NAME, File, Golden, Input, Manifest, dump_manifest
from engine.wire.base import FileEntry
from engine.wire.work import CheckOrder, CheckResult, ColumnFigures, WorkOrder
from engine.worker.check import check
from engine.worker.session import Session

KINDS = {pl.Float64: "number", pl.Int64: "integer", pl.Boolean: "boolean", pl.String: "category"}
DAILY = 365.0
START_US = 1_767_225_600_000_000
"""2026-01-01."""


class Deaf:
    """Takes progress and tells nobody."""

    def progress(self, job_id: int, report: Any) -> None:
        """Nothing."""

    def finish_step(self, job_id: int, step: str, result: Any) -> Any:
        """Never asked here."""
        raise NotImplementedError

    def fail(self, job_id: int, failure: Any) -> Any:
        """Never asked here."""
        raise NotImplementedError


def schema_of(frame: pl.DataFrame) -> Schema:
    """Of a canonical frame; a column of times is one."""
    return Schema(
        tuple(
            ColumnSchema(
                name,
                KINDS.get(type(dtype), "time"),
                True,
                frame[name].null_count(),
                frame[name].drop_nulls().n_unique(),
            )  # type: ignore[arg-type]
            for name, dtype in frame.schema.items()
        )
    )


def times(rows: int, *, every_s: float = 60.0, first: int = 0) -> pl.Series:
    """So many rows, one a minute, in order."""
    stamps = START_US + ((first + np.arange(rows)) * every_s * 1e6).astype(np.int64)
    return pl.Series("at", stamps).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def learn(columns: Mapping[str, Any], *, timed: bool = False) -> dict[str, Reference]:
    """What a check knows of training data; with `timed`, in the order of time."""
    frame = pl.DataFrame(dict(columns)).with_columns(selectors.float().fill_nan(None))
    if timed:
        frame = frame.with_columns(times(frame.height))
    return read_profile(build_profile(frame, schema_of(frame), time="at" if timed else None))


def look(
    reference: Mapping[str, Reference],
    columns: Mapping[str, Any],
    *,
    alarms_per_year: float = 1.0,
    checks_per_year: float = DAILY,
) -> Decision:
    """One check of some columns, without files."""
    series = {
        name: values if isinstance(values, pl.Series) else pl.Series(name, values) for name, values in columns.items()
    }
    rows = len(next(iter(series.values())))
    arrival = Arrival(rows)
    figures = [measure_column(reference[name], ColumnNow(values, arrival)) for name, values in series.items()]
    return judge(figures, rows, next(iter(reference.values())).rows, alarms_per_year, checks_per_year)


def judge(
    figures: Sequence[ColumnFigures],
    rows: int,
    reference_rows: int,
    alarms_per_year: float = 1.0,
    checks_per_year: float = DAILY,
) -> Decision:
    """What the budget makes of figures without findings."""
    return decide(
        figures, [], rows=rows, reference_rows=reference_rows, alarms_per_year=alarms_per_year,
        checks_per_year=checks_per_year,
    )  # fmt: skip


class Watched:
    """Files as the engine lays them out: blobs, captures and the folder of an attempt."""

    def __init__(self, root: Path, project: str = "") -> None:
        self.root = root
        self.captures = root / "captures"
        self.captures.mkdir(parents=True)
        self.project = project or '[project]\nname = "made"\ntask = "binary"\n[data]\nsource = "x.csv"\ntarget = "y"\n'
        self._attempt = 0

    def learn(self, frame: pl.DataFrame, *, task: str = "binary", predictions: Any = None) -> None:
        """The training data: its inputs, and the profile; `at` is the time where there is one."""
        time = "at" if "at" in frame.columns else None
        inputs = tuple(
            Input(name, KINDS[type(dtype)])
            for name, dtype in frame.schema.items()
            if name != "at"  # type: ignore[arg-type]
        )
        manifest = Manifest(
            name="made", task=task, target="y", inputs=inputs, encoding=(), model_format="linear",  # type: ignore[arg-type]
            model_file=File("model.json", "0" * 64, 0), golden=Golden((), ()), lineage="1", serving_sha256="0" * 64,
            classes=() if task == "regression" else ("no", "yes") if task == "binary" else ("a", "b", "c"), time=time,
        )  # fmt: skip
        self.use(frame, [(MANIFEST_NAME, dump_manifest(manifest))], predictions=predictions)

    def use(self, frame: pl.DataFrame, bundle: Sequence[tuple[str, bytes]], *, predictions: Any = None) -> None:
        """Training data and the files of a bundle."""
        told = parse_project(self.project)
        profile = build_profile(frame, schema_of(frame), time="at" if "at" in frame.columns else told.data.time)
        self.profile = self.blob(json.dumps(profile).encode())
        self.bundle = [
            FileEntry(path=name, sha256=self.blob(content), size_bytes=len(content)) for name, content in bundle
        ]
        self.predictions = predictions

    def blob(self, content: bytes) -> str:
        """Store bytes; their hash."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.root / "blobs" / sha256[:2] / sha256[2:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return sha256

    def capture(self, frame: pl.DataFrame, name: str = "one", *, version: int = 1, **more: Any) -> str:
        """A capture file of these inputs; `at` is when they came, `more` further columns such as `probability`."""
        came = frame["at"] if "at" in frame.columns else times(frame.height)
        inputs = [frame[column].alias(f"input.{column}") for column in frame.columns if column != "at"]
        table = pl.DataFrame(
            {
                "version": pl.Series([version] * frame.height, dtype=pl.Int64),
                "received_at": came,
                "event_time": came if "at" in frame.columns else pl.Series([None] * frame.height, dtype=came.dtype),
                "probability": pl.Series([None] * frame.height, dtype=pl.Float64),
                "value": pl.Series([None] * frame.height, dtype=pl.Float64),
                "scores": pl.Series([None] * frame.height, dtype=pl.List(pl.Float64)),
            }
        ).with_columns(*inputs, **{column: pl.Series(values) for column, values in more.items()})
        table.write_parquet(self.captures / f"{name}.parquet")
        return f"{name}.parquet"

    def order(self, files: Sequence[str] = (), **more: Any) -> CheckOrder:
        """What the engine would order."""
        return CheckOrder.model_validate(
            {
                "version": 1, "bundle": [file.model_dump() for file in self.bundle], "profile_sha256": self.profile,
                "predictions": self.predictions, "source": "captures", "captures_folder": str(self.captures),
                "capture_files": list(files), "alarms_per_year": 1.0, "checks_per_year": DAILY,
            }
            | more
        )  # fmt: skip

    def check(self, *files: str, **more: Any) -> CheckResult:
        """One check of capture files."""
        self._attempt += 1
        work = self.root / "work" / str(self._attempt)
        work.mkdir(parents=True)
        order = self.order(files, **more)
        session = Session(
            WorkOrder(
                job_id=1, attempt=1, kind="check", args=order.model_dump(mode="json"), work_folder=str(work),
                blobs_folder=str(self.root / "blobs"), finished={}, project_file=self.project,
            ),
            Deaf(),
        )  # fmt: skip
        return check(order, session)

    def drawn(self) -> dict[str, Any]:
        """The distributions that the last check left, by column."""
        tree = json.loads((self.root / "work" / str(self._attempt) / "figures.json").read_bytes())
        return {one["column"]: one for one in tree["columns"]}

    def decide(self, told: CheckResult) -> Decision:
        """What the budget makes of it."""
        return decide(
            told.columns, told.findings, rows=told.rows, reference_rows=told.reference_rows, alarms_per_year=1.0,
            checks_per_year=DAILY,
        )  # fmt: skip
