"""Schedules, and when each ran last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Subquery, func, select

from engine.registry.core import DEPLOYMENT, ENDPOINT, PROJECT, REVISION, SCHEDULE, SCHEDULE_RUN
from engine.registry.queries.jobs import newest_jobs
from engine.registry.reader import Source
from engine.wire.jobs import ScheduleList, ScheduleView

_JOB_OF = {"check": "check", "retrain": "train"}
"""The kind of job that a kind of schedule begins."""


def list_schedules(source: Source, next_at: Mapping[int, datetime] | None = None) -> ScheduleList:
    """All of them, by name; `next_at` is what the clock knows, by schedule id."""
    last = _last_runs()
    found = (
        select(*SCHEDULE.c, PROJECT.c.name.label("project"), last.c.last)
        .outerjoin_from(SCHEDULE, PROJECT, PROJECT.c.id == SCHEDULE.c.project_id)
        .outerjoin(last, last.c.schedule_id == SCHEDULE.c.id)
        .order_by(SCHEDULE.c.name)
    )
    with source.connection() as connection:
        jobs = newest_jobs(connection, set(_JOB_OF.values()))
        return ScheduleList(
            schedules=[
                ScheduleView(
                    id=row.id,
                    name=row.name,
                    kind=row.kind,
                    project=row.project,
                    every=row.every,
                    last_nominal_at=row.last,
                    next_at=(next_at or {}).get(row.id),
                    last_job=jobs.get((row.project_id, _JOB_OF.get(row.kind, ""))),
                )
                for row in connection.execute(found)
            ]
        )


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule as the clock needs it."""

    id: int
    name: str
    kind: str
    project_id: int | None
    every: str
    enabled: bool
    created_at: datetime
    last_nominal_at: datetime | None

    def after(self, nominal_at: datetime) -> ScheduleRow:
        """The same, as if this time had been the last."""
        return replace(self, last_nominal_at=nominal_at)


def read_schedules(source: Source, *, until: datetime | None = None) -> list[ScheduleRow]:
    """All of them, those that are switched off too; runs that are later than `until` are passed over."""
    last = _last_runs(until)
    columns: list[Any] = list(SCHEDULE.c["id", "name", "kind", "project_id", "every", "enabled", "created_at"])
    columns.append(last.c.last.label("last_nominal_at"))
    found = select(*columns).outerjoin_from(SCHEDULE, last, last.c.schedule_id == SCHEDULE.c.id)
    with source.connection() as connection:
        return [ScheduleRow(**row._mapping) for row in connection.execute(found.order_by(SCHEDULE.c.id))]


@dataclass(frozen=True)
class ProjectSchedules:
    """A project, and what the clock does for it."""

    id: int
    name: str
    config: str
    """Text of its newest `mlops.toml`."""
    is_live: bool
    schedules: frozenset[tuple[str, str, bool]]
    """Each: name, every, enabled."""


def read_project_schedules(source: Source) -> list[ProjectSchedules]:
    """All projects that have code."""
    live = (
        select(ENDPOINT.c.project_id)
        .join_from(ENDPOINT, DEPLOYMENT, DEPLOYMENT.c.endpoint_id == ENDPOINT.c.id)
        .where(DEPLOYMENT.c.status == "live")
    )
    projects = select(*PROJECT.c["id", "name"], REVISION.c.config).join_from(
        PROJECT, REVISION, REVISION.c.id == PROJECT.c.revision_id
    )
    there = select(*SCHEDULE.c["project_id", "name", "every", "enabled"]).where(SCHEDULE.c.project_id.is_not(None))
    with source.connection() as connection:
        serving = set(connection.execute(live).scalars())
        by_project: dict[int, set[tuple[str, str, bool]]] = {}
        for row in connection.execute(there):
            by_project.setdefault(row.project_id, set()).add((row.name, row.every, row.enabled))
        return [
            ProjectSchedules(row.id, row.name, row.config, row.id in serving, frozenset(by_project.get(row.id, ())))
            for row in connection.execute(projects)
        ]


def _last_runs(until: datetime | None = None) -> Subquery:
    found = select(SCHEDULE_RUN.c.schedule_id, func.max(SCHEDULE_RUN.c.nominal_at).label("last"))
    if until is not None:
        found = found.where(SCHEDULE_RUN.c.nominal_at <= until)
    return found.group_by(SCHEDULE_RUN.c.schedule_id).subquery()
