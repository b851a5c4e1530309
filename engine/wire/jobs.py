"""Jobs, their logs, and schedules."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime

from engine.wire.base import Body, Failure

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
JobKind = Literal["look", "train", "compact", "check", "label"]
ENDED: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})


class JobView(Body):
    """A job as people see it."""

    id: int
    kind: JobKind
    project: str | None
    status: JobStatus
    attempt: int
    """0 before the first start."""
    step: str | None
    """The step that runs now."""
    fraction: float | None
    """Part done of the whole job, 0 to 1; None: not known."""
    note: str
    """What it is doing, in a few words."""
    reason: str
    by: str
    created_at: AwareDatetime
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    waits_for: str
    """Why a queued job waits; empty otherwise."""
    failure: Failure | None
    run_id: int | None
    result: dict[str, Any]
    """Of `train`: `version`, `verdict`. Of `look`: the `Look`. Of `compact`: counts. Of `check`: `check`, `outcome`.
    Of `label`: a `LabelCounts`."""


class JobList(Body):
    """`GET /v1/jobs`, newest first."""

    jobs: list[JobView]
    next_before: int | None
    """Pass as `before` for the page that follows; None: this was the last."""


class LogPage(Body):
    """`GET /v1/jobs/{id}/log`: what the job printed, from byte `offset` on. Text as printed: hostile, not cleaned."""

    text: str
    offset: int
    next_offset: int
    ended: bool
    """The job is over and `next_offset` is the end."""


class ScheduleView(Body):
    """Something the clock does."""

    id: int
    name: str
    kind: str
    project: str | None
    every: str
    """A cron line or an interval such as `60s`."""
    last_nominal_at: AwareDatetime | None
    next_at: AwareDatetime | None
    last_job: JobView | None = None
    """The newest job of the kind that it begins, whoever asked for it; None: none yet, or it begins no jobs."""


class ScheduleList(Body):
    """`GET /v1/schedules`, by name."""

    schedules: list[ScheduleView]
