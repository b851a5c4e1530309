"""Jobs: what waits, what runs, what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from engine.errors import NotFound
from engine.registry.core import JOB, PROJECT
from engine.registry.queries.paging import bounded, next_before
from engine.registry.queries.projects import project_id
from engine.registry.reader import Source
from engine.wire.base import Failure
from engine.wire.jobs import JobList, JobView


def list_jobs(
    source: Source,
    *,
    status: str | None = None,
    project: str | None = None,
    limit: int = 100,
    before: int | None = None,
) -> JobList:
    """A page, newest first. Raises `NotFound` for a project nobody knows."""
    limit = bounded(limit)
    found = _selected().order_by(JOB.c.id.desc()).limit(limit)
    if status is not None:
        found = found.where(JOB.c.status == status)
    if before is not None:
        found = found.where(JOB.c.id < before)
    with source.connection() as connection:
        if project is not None:
            found = found.where(JOB.c.project_id == project_id(connection, project))
        jobs = _views(connection, list(connection.execute(found)))
    return JobList(jobs=jobs, next_before=next_before(jobs, limit))


def get_job(source: Source, job_id: int) -> JobView:
    """One job. Raises `NotFound`."""
    with source.connection() as connection:
        row = connection.execute(_selected().where(JOB.c.id == job_id)).first()
        if row is None:
            raise NotFound(f"There is no job {job_id}.", "`mlops jobs` lists what there is.", job=job_id)
        return _views(connection, [row])[0]


@dataclass(frozen=True)
class Attempt:
    """One start of a job."""

    job_id: int
    attempt: int


def attempt_of_token(source: Source, token_sha256: str) -> Attempt | None:
    """The newest attempt that this token was made for; None: nobody's, or another attempt has begun.

    A job that is over keeps its last token, so that a worker whose answer got lost may ask again.
    """
    found = select(JOB.c.id, JOB.c.attempt).where(JOB.c.token_sha256 == token_sha256)
    with source.connection() as connection:
        row = connection.execute(found).first()
    return Attempt(row.id, row.attempt) if row else None


def _selected() -> Select[Any]:
    wanted = [column for column in JOB.c if column.name not in ("args", "token_sha256", "key")]
    return select(*wanted, PROJECT.c.name.label("project")).select_from(
        JOB.outerjoin(PROJECT, PROJECT.c.id == JOB.c.project_id)
    )


def _views(connection: Connection, rows: list[Row[Any]]) -> list[JobView]:
    waiting = any(row.status == "queued" for row in rows)
    active = _active(connection) if waiting else []
    return [_view(row, _waits_for(row, active)) for row in rows]


def _active(connection: Connection) -> list[Row[Any]]:
    found = select(JOB.c.id, JOB.c.kind, JOB.c.project_id, JOB.c.status)
    return list(connection.execute(found.where(JOB.c.status.in_(("queued", "running"))).order_by(JOB.c.id)))


def _waits_for(row: Row[Any], active: list[Row[Any]]) -> str:
    """Jobs of one kind of one project run one after another; beyond that a job waits for a worker's slot."""
    if row.status != "queued":
        return ""
    if row.project_id is not None:
        for other in active:
            same = (other.project_id, other.kind) == (row.project_id, row.kind)
            if same and (other.status == "running" or other.id < row.id) and other.id != row.id:
                return f"job {other.id} of the same project"
    running = [other.id for other in active if other.status == "running"]
    return f"a free worker ({len(running)} at work)" if running else "a worker to start"


def _view(row: Row[Any], waits_for: str) -> JobView:
    return JobView(
        id=row.id,
        kind=row.kind,
        project=row.project,
        status=row.status,
        attempt=row.attempt,
        step=row.step,
        fraction=row.fraction,
        note=row.note,
        reason=row.reason,
        by=row.created_by,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        waits_for=waits_for,
        failure=Failure.model_validate(row.failure) if row.failure else None,
        run_id=row.run_id,
        result=row.result,
    )
