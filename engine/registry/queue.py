"""The queue of jobs, as changes to the registry: enqueue, claim, hear of a process, try again, end.

At least once to run, exactly once in effect: each start is an `attempt` with a token of its own, and whatever is
written in a job's name goes through `running_attempt`, which refuses an attempt that is over.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, exists, or_, select

from engine.errors import Fenced, NotFound
from engine.registry.core import CANDIDATE, JOB
from engine.registry.events import ENGINE, Actor
from engine.registry.tables import Job, Run, now
from engine.registry.tx import Tx, col
from engine.wire.base import Failure
from engine.wire.jobs import ENDED, JobKind, JobStatus


def enqueue(
    tx: Tx,
    actor: Actor,
    kind: JobKind,
    *,
    project_id: int | None = None,
    run_id: int | None = None,
    revision_id: int | None = None,
    key: str | None = None,
    args: dict[str, Any] | None = None,
    reason: str = "",
) -> Job:
    """A new job that waits for a worker; with a `key` that is known already, the job that has it."""
    if key is not None and (known := tx.first(Job, Job.key == key)) is not None:
        return known
    job = tx.add(
        Job(
            kind=kind,
            project_id=project_id,
            run_id=run_id,
            revision_id=revision_id,
            key=key,
            args=args or {},
            status="queued",
            created_by=actor.name,
            reason=reason,
            created_at=now(),
        )
    )
    tx.event(actor, "job.queued", f"job {job.id}", project_id, job=job.id, kind=kind, run=run_id, reason=reason)
    return job


def claim_next(tx: Tx, token_sha256: str) -> Job | None:
    """Start the oldest job that may run. None: none may.

    Jobs of one kind of one project run one after another, and so do checks and labels, which both tell what the
    labels say. Whatever reads captures waits for those that are being compacted before it.
    """
    found = tx.execute(_NEXT).scalar()
    job = tx.get(Job, found) if found is not None else None
    return _start(tx, job, token_sha256) if job is not None else None


def _start(tx: Tx, job: Job, token_sha256: str) -> Job:
    job.status = "running"
    job.attempt += 1
    job.token_sha256 = token_sha256
    job.pid = job.pid_created_at = None
    job.step = None
    job.note = ""
    job.started_at = job.started_at or now()
    run = tx.get(Run, job.run_id) if job.run_id is not None else None
    if run is not None:
        run.status = "running"
        run.started_at = run.started_at or now()
    tx.event(ENGINE, "job.started", f"job {job.id}", job.project_id, job=job.id, kind=job.kind, attempt=job.attempt)
    return job


def record_process(tx: Tx, job_id: int, attempt: int, pid: int, pid_created_at: float) -> None:
    """The worker of this attempt, so that an engine that starts later finds it."""
    tx.execute(
        JOB.update().where(JOB.c.id == job_id, JOB.c.attempt == attempt).values(pid=pid, pid_created_at=pid_created_at)
    )


def running_attempt(tx: Tx, job_id: int, attempt: int) -> Job:
    """The job, if this attempt of it runs.

    Raises:
        NotFound: there is no such job.
        Fenced: the attempt is over, or the job is being cancelled.
    """
    job = tx.get(Job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.", job=job_id)
    if job.attempt != attempt:
        told = f"Attempt {attempt} of job {job_id} is over: attempt {job.attempt} has begun."
        raise Fenced(told, "Stop: nothing of this attempt counts.", job=job_id, attempt=attempt)
    if job.status != "running":
        raise Fenced(
            f"Job {job_id} is over ({job.status}).", "Stop: nothing of it counts.", job=job_id, attempt=attempt
        )
    if job.cancel_asked:
        raise Fenced(f"Job {job_id} is being cancelled.", "Stop: nothing of it counts.", job=job_id, attempt=attempt)
    return job


def retry_or_fail(tx: Tx, job: Job, failure: Failure) -> None:
    """A worker ended without its result: back into the queue, or failed after the last attempt it had."""
    if job.attempt >= job.max_attempts:
        told = f"{failure.message} It was started {job.attempt} times."
        end_job(tx, ENGINE, job, "failed", failure=failure.model_copy(update={"message": told}))
        return
    job.status = "queued"
    job.token_sha256 = None
    job.pid = job.pid_created_at = None
    job.note = f"starts again: {failure.message}"[:200]
    tx.event(
        ENGINE, "job.retried", f"job {job.id}", job.project_id,
        job=job.id, kind=job.kind, attempt=job.attempt, why=failure.message,
    )  # fmt: skip


def end_job(
    tx: Tx,
    actor: Actor,
    job: Job,
    status: JobStatus,
    *,
    failure: Failure | None = None,
    result: dict[str, Any] | None = None,
) -> None:
    """The job is over, and the run with it. A job that is over already stays as it is.

    What its order listed is let go of: a check each quarter of an hour that names 8,000 files of captures would make
    the registry grow by 40 MB a day.
    """
    if job.status in ENDED:
        return
    ended_at = now()
    failed = failure.model_dump() if failure else None
    job.status, job.ended_at, job.failure = status, ended_at, failed
    job.fraction = 1.0 if status == "succeeded" else job.fraction
    job.note = ""
    job.args = {name: told for name, told in job.args.items() if name not in _NEEDED_WHILE_IT_RUNS}
    if result is not None:
        job.result = result
    run = tx.get(Run, job.run_id) if job.run_id is not None else None
    if run is not None:
        run.status, run.ended_at, run.failure = status, ended_at, failed
        tx.execute(_GIVE_UP.where(CANDIDATE.c.run_id == run.id))
    evidence: dict[str, Any] = {"job": job.id, "kind": job.kind, "attempt": job.attempt, "run": job.run_id}
    if failure is not None:
        evidence |= {"code": failure.code, "why": failure.message}
    tx.event(actor, f"job.{status}", f"job {job.id}", job.project_id, **evidence)


def active_jobs(tx: Tx, kind: JobKind) -> list[Job]:
    """Jobs of a kind that wait or run."""
    return tx.all(Job, Job.kind == kind, col(Job.status).not_in(ENDED))


_GIVE_UP = (
    CANDIDATE.update()
    .where(CANDIDATE.c.status == "running")
    .values(status="failed", note="It was given up before it was fitted.")
)
_NEEDED_WHILE_IT_RUNS = frozenset({"bundle", "capture_files", "fresh", "labels", "predictions"})
"""Among args: what an order took from the registry, where all of it still stands."""
_OTHER = JOB.alias("other")
_SAYS_WHAT_LABELS_SAY = ("check", "label")
READS_CAPTURES = ("check", "label", "train")
"""Kinds of jobs that wait for those before them that compact."""
_NEXT = (
    select(JOB.c.id)
    .where(
        JOB.c.status == "queued",
        ~exists().where(
            _OTHER.c.status == "running",
            _OTHER.c.project_id == JOB.c.project_id,
            or_(
                _OTHER.c.kind == JOB.c.kind,
                and_(_OTHER.c.kind.in_(_SAYS_WHAT_LABELS_SAY), JOB.c.kind.in_(_SAYS_WHAT_LABELS_SAY)),
            ),
        ),
        ~exists().where(
            JOB.c.kind.in_(READS_CAPTURES),
            _OTHER.c.kind == "compact",
            _OTHER.c.project_id == JOB.c.project_id,
            _OTHER.c.status.in_(("queued", "running")),
            _OTHER.c.id < JOB.c.id,
        ),
    )
    .order_by(JOB.c.id)
    .limit(1)
)
