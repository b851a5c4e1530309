"""A job that ended without its result, as the error it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import EngineError, JobFailed, from_problem

if TYPE_CHECKING:
    from engine.wire.jobs import JobView


def failure_of(job: JobView) -> EngineError:
    """What the job failed of, in its own words; or that it was cancelled."""
    where = f"See `mlops logs {job.id}`."
    if job.failure is None:
        return JobFailed(f"Job {job.id} was {job.status}.", where, job=job.id)
    told = job.failure
    problem = {"code": told.code, "detail": told.message, "hint": told.hint or where, "about": {"job": job.id}}
    return from_problem(problem, JobFailed.status)
