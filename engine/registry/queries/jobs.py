"""Jobs: what waits, what runs, what came of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from engine.errors import NotFound
from engine.registry.core import JOB, PROJECT
from engine.registry.queries.paging import bounded, next_before
from engine.registry.queries.projects import project_id
from engine.registry.queue import READS_CAPTURES
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


def newest_jobs(connection: Connection, kinds: Collection[str]) -> dict[tuple[int, str], JobView]:
    """The newest job of each project and kind."""
    newest = (
        select(func.max(JOB.c.id))
        .where(JOB.c.kind.in_(kinds), JOB.c.project_id.is_not(None))
        .group_by(JOB.c.project_id, JOB.c.kind)
    )
    rows = list(connection.execute(_selected().where(JOB.c.id.in_(newest))))
    return {(row.project_id, row.kind): view for row, view in zip(rows, _views(connection, rows), strict=True)}


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
    ahead = _read_ahead(connection) if waiting else _Ahead({}, {}, 0)
    return [_view(row, ahead.of(row)) for row in rows]


_Line = tuple[int | None, str]
"""(project, kind): jobs of one line run one after another."""


@dataclass(frozen=True)
class _Ahead:
    """What stands at the head of each line."""

    running: dict[_Line, int]
    oldest: dict[_Line, int]
    workers: int

    def of(self, row: Row[Any]) -> str:
        """Why a job waits; empty where it does not."""
        if row.status != "queued":
            return ""
        line = (row.project_id, row.kind)
        first = self.running.get(line) or self.oldest.get(line, row.id)
        if row.project_id is not None and first != row.id:
            return f"job {first} of the same project"
        compacts = self.running.get((row.project_id, "compact")) or self.oldest.get((row.project_id, "compact"))
        if row.kind in READS_CAPTURES and compacts is not None and compacts < row.id:
            return f"job {compacts}, which compacts captures"
        return f"a free worker ({self.workers} at work)" if self.workers else "a worker to start"


def _read_ahead(connection: Connection) -> _Ahead:
    heads: dict[str, dict[_Line, int]] = {"running": {}, "queued": {}}
    workers = 0
    found = select(JOB.c.project_id, JOB.c.kind, JOB.c.status, func.min(JOB.c.id), func.count())
    found = found.where(JOB.c.status.in_(("queued", "running")))
    for project, kind, status, first, count in connection.execute(
        found.group_by(JOB.c.project_id, JOB.c.kind, JOB.c.status)
    ):
        heads[status][project, kind] = first
        workers += count if status == "running" else 0
    return _Ahead(heads["running"], heads["queued"], workers)


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
