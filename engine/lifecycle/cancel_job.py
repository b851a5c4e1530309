"""Take a job back."""

from __future__ import annotations

from engine.errors import Conflict, NotFound
from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import get_job
from engine.registry.queue import end_job
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.wire.jobs import JobView


def cancel_job(parts: Parts, caller: Caller, job_id: int) -> JobView:
    """A waiting job is cancelled at once; of a running one nothing counts any more, and its processes are ended.

    Asked again, it answers the same.

    Raises:
        NotFound: there is no such job.
        Conflict: it has succeeded or failed already.
    """

    def cancel(tx: Tx) -> JobView:
        job = tx.get(Job, job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.", "`mlops jobs` lists what there is.", job=job_id)
        if job.status in ("succeeded", "failed"):
            raise Conflict(f"Job {job_id} is over already ({job.status}).", "There is nothing to cancel.", job=job_id)
        if job.status == "queued":
            end_job(tx, caller, job, "cancelled")
        elif job.status == "running" and not job.cancel_asked:
            job.cancel_asked = True
            job.note = "being cancelled"
            tx.event(caller, "job.cancel_asked", f"job {job_id}", job.project_id, job=job_id, attempt=job.attempt)
        return get_job(tx, job_id)

    answer = parts.writer.write_and_wait(cancel)
    parts.poke_jobs()
    return answer
