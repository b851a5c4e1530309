"""The registry's tables, whole. Ids are integers; names are unique where people use them; times are aware UTC.

Foreign keys are enforced. Nothing is deleted that an event speaks of. JSON columns hold what is only ever read
whole; what is filtered or sorted by has a column of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Column, DateTime, Index, MetaData, Text, UniqueConstraint, text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time. SQLite keeps no zone, so it is put on again when read; a naive time is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To the database: UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time is no moment: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """From the database: aware."""
        return None if value is None else value.replace(tzinfo=UTC)


def now() -> datetime:
    """This moment, aware."""
    return datetime.now(UTC)


class Table(SQLModel):
    """Base of all tables."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


def _time(*, index: bool = False, nullable: bool = False) -> Any:
    return Column(UtcDateTime, nullable=nullable, index=index)


def _json(nullable: bool = False) -> Any:
    return Column(JSON(none_as_null=True), nullable=nullable)


_BY_KEY = {"sqlite_with_rowid": False}
"""Rows lie in the order of their primary key, and those of one run side by side: half the pages to write and read."""


class Blob(Table, table=True):
    """One stored file. Its row comes after its bytes are durable."""

    sha256: str = Field(primary_key=True)
    size_bytes: int
    created_at: datetime = Field(sa_column=_time())


class Project(Table, table=True):
    """A registered project; its name is its model's and its endpoint's."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    folder: str
    task: str
    metric: str
    salt: str
    """Of the split; never changes."""
    revision_id: int | None = None
    """Newest stored code."""
    added_at: datetime = Field(sa_column=_time())
    added_by: str


class Revision(Table, table=True):
    """One stored state of a project's code tree."""

    __table_args__ = (UniqueConstraint("project_id", "tree_sha256"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    tree_sha256: str
    """Of the sorted (path, mode, sha256) of its files."""
    files: list[dict[str, Any]] = Field(sa_column=_json())
    """Each: path, sha256, size_bytes, executable."""
    config: str = Field(sa_column=Column(Text, nullable=False))
    """Text of `mlops.toml`."""
    git_commit: str | None = None
    git_dirty: bool = False
    created_at: datetime = Field(sa_column=_time())
    created_by: str


class Snapshot(Table, table=True):
    """An immutable, hashed version of a project's data."""

    __table_args__ = (UniqueConstraint("project_id", "sha256"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    sha256: str
    """Of the content."""
    rows: int
    columns: int
    size_bytes: int
    left_out: int = 0
    data_sha256: str
    """Blob of the canonical Parquet."""
    profile_sha256: str
    reservoir_sha256: str | None = None
    data_schema: dict[str, Any] = Field(sa_column=_json())
    sources: list[dict[str, Any]] = Field(sa_column=_json())
    failures: list[dict[str, Any]] = Field(sa_column=_json())
    job_id: int | None = None
    created_at: datetime = Field(sa_column=_time())


class Run(Table, table=True):
    """One training run."""

    __table_args__ = (Index("ix_run_project_id_id", "project_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    job_id: int | None = None
    revision_id: int | None = Field(default=None, foreign_key="revision.id")
    snapshot_id: int | None = Field(default=None, foreign_key="snapshot.id")
    status: str
    """wire.runs.RunStatus."""
    reason: str = ""
    created_by: str
    seed: int = 0
    verdict: str | None = None
    version: int | None = None
    failure: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    environment: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    split: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    created_at: datetime = Field(sa_column=_time())
    started_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class Candidate(Table, table=True):
    """One candidate of a run."""

    run_id: int = Field(primary_key=True, foreign_key="run.id")
    name: str = Field(primary_key=True)
    kind: str
    params: dict[str, Any] = Field(sa_column=_json())
    status: str
    note: str = ""
    best: bool = False


class Param(Table, table=True):
    """A parameter of a run itself (not of a candidate)."""

    __table_args__ = _BY_KEY

    run_id: int = Field(primary_key=True, foreign_key="run.id")
    key: str = Field(primary_key=True)
    value: str


class Metric(Table, table=True):
    """The newest value of a metric: of a candidate, or of the run itself where `candidate` is empty.

    The index covers filtering and ordering runs by a metric.
    """

    __table_args__ = (Index("ix_metric_key_value_run", "key", "candidate", "value", "run_id"), _BY_KEY)

    run_id: int = Field(primary_key=True, foreign_key="run.id")
    candidate: str = Field(primary_key=True, default="")
    key: str = Field(primary_key=True)
    value: float


class MetricPoint(Table, table=True):
    """One point of a curve; writing the same step again replaces it."""

    __tablename__ = "metric_point"
    __table_args__ = _BY_KEY

    run_id: int = Field(primary_key=True, foreign_key="run.id")
    candidate: str = Field(primary_key=True, default="")
    key: str = Field(primary_key=True)
    step: int = Field(primary_key=True)
    value: float


class Version(Table, table=True):
    """One version of a model: complete, or not there."""

    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    number: int
    run_id: int = Field(foreign_key="run.id", unique=True)
    snapshot_id: int = Field(foreign_key="snapshot.id")
    revision_id: int = Field(foreign_key="revision.id")
    manifest_sha256: str
    bundle: list[dict[str, Any]] = Field(sa_column=_json())
    """Each: path, sha256, size_bytes."""
    signature: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    """Of the manifest, for people who ask: target, classes, threshold, inputs, id, time."""
    candidate: str
    params: dict[str, Any] = Field(sa_column=_json())
    metrics: dict[str, Any] = Field(sa_column=_json())
    """On test."""
    outcome: str
    reasons: list[str] = Field(sa_column=_json())
    evidence: dict[str, Any] = Field(sa_column=_json())
    trained_until: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    predictions: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    """Profile of its answers on the test rows, which later checks compare with; None: a version from before checks."""
    newest_sha256: str | None = None
    """Blob: profile of the newest rows it was made from; None: it has none of its own."""
    created_at: datetime = Field(sa_column=_time())
    created_by: str
    reason: str = ""


class Alias(Table, table=True):
    """A name that points at a version: `champion`, `challenger`."""

    project_id: int = Field(primary_key=True, foreign_key="project.id")
    name: str = Field(primary_key=True)
    version_id: int = Field(foreign_key="version.id")
    moved_at: datetime = Field(sa_column=_time())


class Approval(Table, table=True):
    """A recorded approval of one version."""

    id: int | None = Field(default=None, primary_key=True)
    version_id: int = Field(foreign_key="version.id", unique=True)
    approved_by: str
    approved_at: datetime = Field(sa_column=_time())
    override: str | None = None
    automatic: bool = False


class Endpoint(Table, table=True):
    """A stable name that answers predictions."""

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", unique=True)
    created_at: datetime = Field(sa_column=_time())


class Deployment(Table, table=True):
    """One version behind an endpoint. `desired` is what people asked for, `status` how far the engine has come."""

    id: int | None = Field(default=None, primary_key=True)
    endpoint_id: int = Field(foreign_key="endpoint.id", index=True)
    version_id: int = Field(foreign_key="version.id")
    desired: str
    """`running` or `stopped`."""
    status: str
    """wire.endpoints.DeploymentStatus."""
    weight: int = 0
    """Parts of 10,000 routed to it now."""
    target_weight: int
    """Parts of 10,000 it gets once it is ready; 10,000 is a promotion."""
    promotes: bool
    """At full weight it becomes the champion."""
    rollback: bool = False
    runtime: str
    runtime_reason: str = ""
    """Why `auto` became this runtime."""
    replicas: int = 1
    note: str = ""
    failed_starts: int = 0
    reason: str = ""
    created_by: str
    created_at: datetime = Field(sa_column=_time())
    live_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class Replica(Table, table=True):
    """One model server that was started for a deployment: how to find it again."""

    deployment_id: int = Field(primary_key=True, foreign_key="deployment.id")
    index: int = Field(primary_key=True)
    runtime: str
    pid: int | None = None
    pid_created_at: float | None = None
    """Of the operating system's process table, seconds since the epoch: a pid alone is no identity."""
    container: str | None = None
    image: str | None = None
    """Of a container: the image's id."""
    healthy: bool = False
    restarts: int = 0
    note: str = ""


class CaptureOffset(Table, table=True):
    """How far the captures of one replica are compacted."""

    __tablename__ = "capture_offset"

    deployment_id: int = Field(primary_key=True, foreign_key="deployment.id")
    replica: int = Field(primary_key=True)
    segment: int = 0
    byte: int = 0
    rows: int = 0
    dropped: int = 0


class CaptureFile(Table, table=True):
    """One Parquet file of compacted captures, in `captures/ENDPOINT/`. Its id is the offset that checks advance by."""

    __tablename__ = "capture_file"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index("ix_capture_file_project_id_id", "project_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    name: str
    version: int
    """Number of the version that answered; a file is of one replica."""
    rows: int
    size_bytes: int
    first_received_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    last_received_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    first_event_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    """With `data.time`: of the rows themselves."""
    last_event_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    created_at: datetime = Field(sa_column=_time())
    deleted_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    """Retention removed the file; the row stays."""


class LabelFile(Table, table=True):
    """Labels that came in together, as a Parquet file in `captures/ENDPOINT/labels/`."""

    __tablename__ = "label_file"
    __table_args__ = (UniqueConstraint("project_id", "name"), Index("ix_label_file_project_id_id", "project_id", "id"))

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    job_id: int = Field(unique=True)
    name: str
    rows: int
    counts: dict[str, Any] = Field(sa_column=_json())
    """wire.monitoring.LabelCounts."""
    source: str = ""
    """The name of the file that was given."""
    created_at: datetime = Field(sa_column=_time())
    created_by: str


class LabelSummary(Table, table=True):
    """How far a model's captures are labelled, by stretches of time; written anew with each look at them."""

    __tablename__ = "label_summary"

    project_id: int = Field(primary_key=True, foreign_key="project.id")
    until_label_file: int
    until_capture_file: int
    captured: int
    labelled: int
    buckets: list[dict[str, Any]] = Field(sa_column=_json())
    """wire.work.LabelBucket, oldest first."""
    mature_until: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    """Captures up to this time are labelled as far as they ever will be."""
    updated_at: datetime = Field(sa_column=_time())


class PerformanceWindow(Table, table=True):
    """What a version's answers were worth in a stretch of time, by the labels that came."""

    __tablename__ = "performance_window"

    project_id: int = Field(primary_key=True, foreign_key="project.id")
    version: int = Field(primary_key=True)
    starts_at: datetime = Field(sa_column=Column(UtcDateTime, primary_key=True))
    ends_at: datetime = Field(sa_column=_time())
    rows: int
    labelled: int
    metric: str
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    """Ends of the 90 % interval."""
    se: float | None = None
    mature: bool
    """Labelled as far as it ever will be; only such a window may raise an alarm."""
    tested: bool = False
    """An alarm decision was taken on it."""


class ModelCheck(Table, table=True):
    """One look at a model in production."""

    __tablename__ = "model_check"
    __table_args__ = (Index("ix_model_check_project_id_id", "project_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    version_id: int = Field(foreign_key="version.id")
    """Whose training data is the reference."""
    job_id: int = Field(unique=True)
    source: str
    """`captures`, or `data`: a file that somebody gave."""
    outcome: str
    """wire.monitoring.CheckOutcome."""
    rows: int
    after_file: int = 0
    until_file: int = 0
    """Capture files in between were looked at."""
    first_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    last_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    """Of the rows: event time where there is one, else when they came."""
    drifted: list[str] = Field(sa_column=_json())
    """Columns, the strongest first."""
    findings: list[dict[str, Any]] = Field(sa_column=_json())
    """wire.work.QualityFinding."""
    threshold: dict[str, Any] = Field(sa_column=_json())
    """wire.monitoring.Threshold."""
    figures_sha256: str | None = None
    """Blob: JSON, per column the reference and current distributions and all statistics."""
    created_at: datetime = Field(sa_column=_time())
    created_by: str


class CheckFigure(Table, table=True):
    """What a check measured of one column."""

    __tablename__ = "check_figure"
    __table_args__ = _BY_KEY

    check_id: int = Field(primary_key=True, foreign_key="model_check.id")
    column: str = Field(primary_key=True)
    kind: str
    """`number`, `category`, or `prediction`."""
    drifted: bool
    distance: float | None = None
    """Kolmogorov-Smirnov of numbers, Jensen-Shannon of categories."""
    p_value: float | None = None
    psi: float | None = None
    wasserstein: float | None = None
    """In standard deviations of the reference."""
    null_share: float | None = None


class Alarm(Table, table=True):
    """Something that somebody should look at: one for a cause, until it is closed."""

    __table_args__ = (
        Index(
            "uq_alarm_project_id_kind_unended", "project_id", "kind", unique=True,
            sqlite_where=text("status != 'closed'"), postgresql_where=text("status != 'closed'"),
        ),
        Index("ix_alarm_status_id", "status", "id"),
    )  # fmt: skip

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    kind: str
    """wire.monitoring.AlarmKind."""
    status: str
    """`open`, `acknowledged` or `closed`."""
    version: int
    """Number of the version it is about."""
    subject: str
    """Columns, or the metric."""
    message: str
    hint: str
    """What to do next."""
    evidence: dict[str, Any] = Field(sa_column=_json())
    check_id: int | None = Field(default=None, foreign_key="model_check.id")
    """The check that raised it."""
    changed_from: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    """Beginning of the stretch of rows in which it was first seen."""
    times_seen: int = 1
    calm_checks: int = 0
    """Checks in a row that no longer saw it."""
    opened_at: datetime = Field(sa_column=_time())
    last_seen_at: datetime = Field(sa_column=_time())
    acknowledged_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    acknowledged_by: str | None = None
    closed_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    closed_by: str | None = None
    note: str = ""
    """By whoever acknowledged or closed it."""


class Retrain(Table, table=True):
    """A wish to train again, from its cause to its end."""

    __table_args__ = (Index("ix_retrain_project_id_id", "project_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id")
    cause_key: str = Field(unique=True)
    """The same cause is the same retrain: `alarm:7`, `schedule:3:2026-01-05T03:00Z`, `labels:fraud:40000`. After a
    training that failed `alarm:7#2`; after a verdict that did not end the alarm `alarm:7:2`."""
    trigger: str
    """wire.monitoring.RetrainTrigger."""
    alarm_id: int | None = Field(default=None, foreign_key="alarm.id")
    status: str
    """wire.monitoring.RetrainStatus."""
    reason: str
    note: str = ""
    """Why it waits or is blocked, in one sentence; how many rows are missing."""
    judge_after: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    """Test rows come from after this time: the champion's cut-off, or where the change began if that is later."""
    rows_needed: int = 0
    rows_there: int = 0
    job_id: int | None = None
    run_id: int | None = None
    version: int | None = None
    verdict: str | None = None
    created_at: datetime = Field(sa_column=_time())
    created_by: str
    ended_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class GatewayState(Table, table=True):
    """The one gateway: its address, chosen once, and the generations of its routes. One row, id 1."""

    __tablename__ = "gateway_state"

    id: int = Field(default=1, primary_key=True)
    host: str
    port: int
    generation: int = 0
    """Of the routes as the registry wants them."""
    acknowledged: int = 0
    """Of the routes in force."""
    pid: int | None = None
    pid_created_at: float | None = None
    note: str = ""


class Job(Table, table=True):
    """A job: at least once to run, exactly once in effect."""

    __table_args__ = (Index("ix_job_status_id", "status", "id"), Index("ix_job_project_id_id", "project_id", "id"))

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    project_id: int | None = Field(default=None, foreign_key="project.id")
    run_id: int | None = Field(default=None, foreign_key="run.id")
    revision_id: int | None = Field(default=None, foreign_key="revision.id")
    key: str | None = Field(default=None, unique=True)
    """The same key is the same job."""
    args: dict[str, Any] = Field(sa_column=_json())
    status: str
    attempt: int = 0
    max_attempts: int = 3
    """Starts after which a worker that keeps dying is given up."""
    token_sha256: str | None = Field(default=None, index=True)
    """Of the running attempt's token."""
    pid: int | None = None
    pid_created_at: float | None = None
    step: str | None = None
    fraction: float | None = None
    note: str = ""
    reason: str = ""
    created_by: str
    cancel_asked: bool = False
    failure: dict[str, Any] | None = Field(default=None, sa_column=_json(nullable=True))
    result: dict[str, Any] = Field(default_factory=dict, sa_column=_json())
    created_at: datetime = Field(sa_column=_time())
    started_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=_time(nullable=True))


class JobStep(Table, table=True):
    """A finished step; finished once per (job, step)."""

    __tablename__ = "job_step"

    job_id: int = Field(primary_key=True, foreign_key="job.id")
    step: str = Field(primary_key=True)
    attempt: int
    result: dict[str, Any] = Field(sa_column=_json())
    finished_at: datetime = Field(sa_column=_time())


class Schedule(Table, table=True):
    """Something the clock does again and again."""

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    kind: str
    project_id: int | None = Field(default=None, foreign_key="project.id")
    every: str
    """A cron line (UTC) or an interval such as `60s`."""
    key: str | None = None
    """Of what it does within its project, where it has several."""
    enabled: bool = True
    created_at: datetime = Field(sa_column=_time())


class ScheduleRun(Table, table=True):
    """One run per (schedule, nominal time)."""

    __tablename__ = "schedule_run"

    schedule_id: int = Field(primary_key=True, foreign_key="schedule.id")
    nominal_at: datetime = Field(sa_column=Column(UtcDateTime, primary_key=True))
    ran_at: datetime = Field(sa_column=_time())


class Event(Table, table=True):
    """One fact of the audit chain, written in the transaction of what it tells."""

    seq: int = Field(primary_key=True)
    at: datetime = Field(sa_column=_time())
    actor: str
    role: str
    verb: str = Field(index=True)
    subject: str
    project_id: int | None = Field(default=None, index=True)
    evidence: dict[str, Any] = Field(sa_column=_json())
    prev_hash: str
    hash: str


class EventHead(Table, table=True):
    """The end of the chain, in the same transaction: a chain whose tail was cut off ends before it. One row, id 1."""

    __tablename__ = "event_head"

    id: int = Field(default=1, primary_key=True)
    seq: int
    hash: str
