"""Jobs, their logs, and the clock's schedules."""

from __future__ import annotations

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.fields import PageSize, Position, RowId
from engine.api.roles import Operator, Viewer
from engine.lifecycle.cancel_job import cancel_job
from engine.lifecycle.read_log import read_log
from engine.registry.queries import jobs, schedules
from engine.wire.jobs import JobList, JobStatus, JobView, LogPage, ScheduleList

router = APIRouter(prefix="/v1", tags=["jobs"])


@router.get("/jobs")
def list_jobs(
    engine: InEngine,
    caller: Viewer,
    status: JobStatus | None = None,
    project: str | None = None,
    limit: PageSize = 100,
    before: RowId | None = None,
) -> JobList:
    """Jobs, newest first."""
    return jobs.list_jobs(engine.parts.reader, status=status, project=project, limit=limit, before=before)


@router.get("/jobs/{job_id}")
def get_job(engine: InEngine, caller: Viewer, job_id: RowId) -> JobView:
    """One job."""
    return jobs.get_job(engine.parts.reader, job_id)


@router.get("/jobs/{job_id}/log")
def get_log(engine: InEngine, caller: Viewer, job_id: RowId, offset: Position = 0, limit: Position = 65_536) -> LogPage:
    """What the job printed, from a byte on."""
    return read_log(engine.parts, job_id, offset=offset, limit=limit)


@router.post("/jobs/{job_id}/cancel")
def cancel(engine: InEngine, caller: Operator, job_id: RowId) -> JobView:
    """End a job, with all its processes."""
    return cancel_job(engine.parts, caller, job_id)


@router.get("/schedules")
def list_schedules(engine: InEngine, caller: Viewer) -> ScheduleList:
    """What the clock does."""
    return schedules.list_schedules(engine.parts.reader, engine.next_times())
