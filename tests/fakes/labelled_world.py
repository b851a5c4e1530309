"""A model in production, day by day: captures and labels as files, and what a registry would keep of each look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from engine.evaluation.comparison import compare
from engine.evaluation.metrics import statistic
from engine.monitoring.label_join import CAPTURE_SCHEMA, LABEL_SCHEMA
from engine.monitoring.performance import labelled_figures
from engine.monitoring.performance_rule import Loss, Window, judge_windows, read_promise
from engine.project import LOSSES, Project, parse_project
from engine.wire.work import CheckedLabels, FreshRows, LabelledFigures, WindowFigures

START = datetime(2026, 5, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Rows:
    """Predicted rows with what will be known of them: `at`, `id`, the answer, `label`, `labelled_at` (null: never)."""

    frame: pl.DataFrame

    def between(self, column: str, since: datetime, until: datetime) -> pl.DataFrame:
        return self.frame.filter((pl.col(column) >= since) & (pl.col(column) < until))


def rows(at_days: Any, label: Any, delay_days: Any, version: int = 1, ids: Any = None, **answers: Any) -> Rows:
    """Shape (rows,) each; `delay_days` NaN: the label never comes. `answers`: probability, value or scores."""
    day = timedelta(days=1)
    times = [START + float(one) * day for one in at_days]
    known = [None if late != late else at + float(late) * day for at, late in zip(times, delay_days, strict=True)]
    columns = {
        "id": [f"v{version}-{at}" for at in range(len(times))] if ids is None else list(ids),
        "version": [version] * len(times), "event_time": times, "received_at": times, "label": list(label),
        "labelled_at": known, **{name: list(values) for name, values in answers.items()},
    }  # fmt: skip
    schema = CAPTURE_SCHEMA | {"label": pl.String(), "labelled_at": pl.Datetime("us", "UTC")}
    return Rows(pl.DataFrame(columns, schema_overrides={name: schema[name] for name in columns}).sort("event_time"))


def promise_of(metric: Any, truth: Any, scores: Any) -> dict[str, float | None]:
    """What a gate would have promised by these test rows."""
    told = compare(
        statistic(metric, truth, scores), {}, rows=len(truth), less_is_better=metric in LOSSES, seed=1
    ).metric
    return {"value": told.value, "lower": told.lower, "upper": told.upper}


def project_file(task: str = "binary") -> Project:
    return parse_project(
        f'[project]\nname = "p"\ntask = "{task}"\n[data]\nsource = "d.csv"\ntarget = "y"\nid = "id"\ntime = "at"\n'
    )


@dataclass
class World:
    """What lies on the disk, and what is kept of each look."""

    folder: Path
    task: str = "binary"
    signatures: Mapping[str, Any] = field(default_factory=lambda: {"1": {"classes": [False, True], "threshold": 0.5}})
    promised: dict[str, dict[str, float | None]] = field(default_factory=dict)
    label_delay_s: float | None = None
    alarms_per_year: float = 1.0
    captures: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    settled: dict[tuple[int, datetime], WindowFigures] = field(default_factory=dict)
    tested: set[tuple[int, datetime]] = field(default_factory=set)

    @property
    def project(self) -> Project:
        return project_file(self.task)

    def capture(self, frame: pl.DataFrame) -> None:
        """Rows come in."""
        if frame.height:
            name = f"c{len(self.captures)}.parquet"
            missing = [pl.lit(None, dtype=kind).alias(key) for key, kind in CAPTURE_SCHEMA.items() if key not in frame]
            frame.with_columns(missing).select(list(CAPTURE_SCHEMA)).write_parquet(self.folder / name)
            self.captures.append(name)

    def label(self, frame: pl.DataFrame, seen_at: datetime = START) -> None:
        """Their outcomes come in."""
        (self.folder / "labels").mkdir(exist_ok=True)
        name = f"J{len(self.labels)}.parquet"
        frame = frame.with_columns(pl.lit(seen_at, dtype=pl.Datetime("us", "UTC")).alias("seen_at"))
        missing = [pl.lit(None, dtype=kind).alias(key) for key, kind in LABEL_SCHEMA.items() if key not in frame]
        frame.with_columns(missing).select(list(LABEL_SCHEMA)).write_parquet(self.folder / "labels" / name)
        self.labels.append(name)

    def look(self) -> LabelledFigures:
        """What a job would tell; mature windows are kept."""
        fresh = FreshRows(captures_folder=str(self.folder), capture_files=self.captures, label_files=self.labels)
        order = CheckedLabels(
            fresh=fresh, until_capture_file=len(self.captures), until_label_file=len(self.labels),
            label_delay_s=self.label_delay_s, metric=self.project.metric, min_rows_per_class=20,
            promised=self.promised, signatures=self.signatures,
            settled=sorted(self.settled.values(), key=lambda window: window.starts_at),
        )  # fmt: skip
        figures = labelled_figures(order, self.project)
        self.settled |= {(one.version, one.starts_at): one for one in figures.windows if one.mature}
        return figures

    def judge(self, version: int = 1) -> Loss | None:
        """What the engine would decide by the mature windows that it has not judged yet."""
        mine = sorted((one for one in self.settled.values() if one.version == version), key=lambda one: one.starts_at)
        promise = read_promise(self.promised[str(version)])
        assert promise is not None
        judgement = judge_windows(
            [
                Window(
                    one.starts_at, one.ends_at, one.labelled, one.value, one.se, (version, one.starts_at) in self.tested
                )
                for one in mine
            ],
            promise,
            alarms_per_year=self.alarms_per_year,
            less_is_better=self.project.metric in LOSSES,
        )
        self.tested |= {(version, one.starts_at) for one in mine}
        return judgement.loss

    def live_through(
        self, lived: Rows, days: int, every: int = 1
    ) -> Iterator[tuple[int, LabelledFigures, Loss | None]]:
        """Each day (or `every` so many) captures and labels of the day come in, are looked at, and judged."""
        for day in range(0, days, every):
            since, until = START + timedelta(days=day), START + timedelta(days=day + every)
            self.capture(lived.between("event_time", since, until))
            self.label(lived.between("labelled_at", since, until), seen_at=until)
            yield day + every, self.look(), self.judge()
