"""Models and their versions."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from engine.wire.base import Body, FileEntry, Line, StrictBody

Outcome = Literal["pass", "fail", "insufficient"]


class VerdictView(Body):
    """What the gate decided, and on what evidence."""

    outcome: Outcome
    reasons: list[str]
    """Whole sentences, the deciding one first."""
    evidence: dict[str, Any]
    """The figures the gate was given: metrics with intervals, rows per class, champion, margin, rows needed."""


class ApprovalView(Body):
    """A recorded approval."""

    by: str
    at: AwareDatetime
    override: str | None
    """Why a version without `pass` was approved; None for one that passed."""
    automatic: bool = False


class Lineage(Body):
    """What a version was made from."""

    run_id: int
    snapshot_id: int
    snapshot_sha256: str
    code_sha256: str
    git_commit: str | None
    git_dirty: bool
    params: dict[str, Any]
    candidate: str
    environment: dict[str, str]
    seed: int
    by: str
    reason: str


class VersionView(Body):
    """One version of a model."""

    model: str
    number: int
    task: str
    verdict: VerdictView
    aliases: list[str]
    approval: ApprovalView | None
    lineage: Lineage
    metrics: dict[str, float]
    """On the test rows."""
    metric: str
    created_at: AwareDatetime
    bundle: list[FileEntry]
    target: str
    classes: list[Any]
    threshold: float | None
    inputs: list[dict[str, Any]]
    """Of the manifest: name, type, nullable, categories."""
    id_column: str | None = None
    time_column: str | None = None
    share: float = 0.0
    """Part of the endpoint's traffic it gets now."""


class ModelView(Body):
    """A model: `champion` is the version that serves at full weight, None before the first release."""

    name: str
    task: str
    metric: str
    champion: int | None
    latest: int | None
    versions: int
    last_verdict: Outcome | None
    last_metric: float | None
    created_at: AwareDatetime


class ModelList(Body):
    """`GET /v1/models`."""

    models: list[ModelView]


class VersionList(Body):
    """`GET /v1/models/{name}/versions`, newest first."""

    versions: list[VersionView]


class ApproveVersion(StrictBody):
    """`POST /v1/models/{name}/versions/{number}/approve`."""

    override: Line | None = Field(default=None, min_length=3)
    """Why a version that did not pass is approved all the same; recorded for ever."""
