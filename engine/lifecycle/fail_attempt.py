"""A worker gives up: the data, the project's code or the project file is to blame, and trying again would not help."""

from __future__ import annotations

from engine.lifecycle.parts import Parts
from engine.registry.events import ENGINE
from engine.registry.queries.jobs import get_job
from engine.registry.queue import end_job, running_attempt
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.wire.jobs import JobView
from engine.wire.work import ReportFailure


def fail_attempt(parts: Parts, job_id: int, attempt: int, ask: ReportFailure) -> JobView:
    """The job fails with the reason that the worker gives; told again after a lost answer, it answers the same.

    Raises:
        NotFound: there is no such job.
        Fenced: the attempt is over, or the job is being cancelled.
    """

    def fail(tx: Tx) -> JobView:
        known = tx.get(Job, job_id)
        if known is not None and (known.attempt, known.status) == (attempt, "failed"):
            return get_job(tx, job_id)
        end_job(tx, ENGINE, running_attempt(tx, job_id, attempt), "failed", failure=ask.failure)
        return get_job(tx, job_id)

    answer = parts.writer.write_and_wait(fail)
    parts.poke_jobs()
    return answer
