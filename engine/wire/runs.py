"""Training runs, their candidates, parameters, metrics and curves."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field, FiniteFloat

from engine.wire.base import Body, Failure, Line, Name, StrictBody

RunStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class CandidateView(Body):
    """One fitted candidate of a run."""

    name: str
    kind: str
    params: dict[str, Any]
    status: Literal["running", "fitted", "failed"]
    metrics: dict[str, float]
    """Newest value of each, on validation."""
    note: str = ""
    best: bool = False


class RunView(Body):
    """A run. `candidates` is empty in lists."""

    id: int
    project: str
    job_id: int | None
    status: RunStatus
    reason: str
    by: str
    seed: int
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    metric: str
    """The metric that judges."""
    metrics: dict[str, float]
    """Newest value of each of the run's own metrics: the best candidate's on validation, `test.*` once judged."""
    params: dict[str, str] = Field(default_factory=dict)
    snapshot_id: int | None
    snapshot_sha256: str | None
    code_sha256: str | None
    git_commit: str | None
    verdict: str | None
    version: int | None
    failure: Failure | None
    environment: dict[str, str] = Field(default_factory=dict)
    split: dict[str, Any] = Field(default_factory=dict)
    candidates: list[CandidateView] = Field(default_factory=list)


class RunList(Body):
    """`GET /v1/runs`."""

    runs: list[RunView]
    next_before: int | None


class CurvePoint(Body):
    """One recorded value of a metric."""

    candidate: str
    key: str
    step: int
    value: float


class Curve(Body):
    """`GET /v1/runs/{id}/curves`."""

    points: list[CurvePoint]


class LogRun(StrictBody):
    """`POST /v1/runs`: record a finished run of a training script of one's own, in one durable write."""

    project: Name
    params: dict[str, str] = Field(default_factory=dict, max_length=1000)
    metrics: dict[str, FiniteFloat] = Field(default_factory=dict, max_length=1000)
    reason: Line = ""


class LoggedRun(Body):
    """Answer of `POST /v1/runs`, given after the commit."""

    id: int


class SnapshotView(Body):
    """An immutable version of a project's data."""

    id: int
    project: str
    sha256: str
    """Of the content: the same rows have the same hash."""
    rows: int
    columns: int
    size_bytes: int
    created_at: AwareDatetime
    job_id: int | None
    sources: list[dict[str, Any]]
    data_schema: dict[str, Any]
    failures: list[dict[str, Any]]
    """Failed expectations, each with its count and example rows."""


class SnapshotList(Body):
    """`GET /v1/snapshots`, newest first."""

    snapshots: list[SnapshotView]
    next_before: int | None = None


class ColumnProfile(Body):
    """How the values of one column lie."""

    column: str
    type: str
    nulls: int
    distinct: int
    minimum: float | str | None = None
    """Of numbers, and of times as text; None: there are no values, or they have no order."""
    median: float | None = None
    maximum: float | str | None = None
    mean: float | None = None
    std: float | None = None
    bins: list[float] = Field(default_factory=list)
    """Of numbers: shares of the rows in bins of one width from the minimum to the maximum."""
    top: list[tuple[str, int]] = Field(default_factory=list)
    """Of categories: the most frequent with their rows."""


class SnapshotProfile(Body):
    """`GET /v1/snapshots/{id}/profile`. Columns that are only kept, such as the id, are not profiled."""

    snapshot: int
    rows: int
    columns: list[ColumnProfile]
