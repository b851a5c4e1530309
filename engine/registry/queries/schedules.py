"""Schedules, and when each ran last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Subquery, func, select

from engine.registry.core import PROJECT, SCHEDULE, SCHEDULE_RUN
from engine.registry.reader import Source
from engine.wire.jobs import ScheduleList, ScheduleView


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


def read_schedules(source: Source) -> list[ScheduleRow]:
    """All of them, those that are switched off too."""
    last = _last_runs()
    columns: list[Any] = list(SCHEDULE.c["id", "name", "kind", "project_id", "every", "enabled", "created_at"])
    columns.append(last.c.last.label("last_nominal_at"))
    found = select(*columns).outerjoin_from(SCHEDULE, last, last.c.schedule_id == SCHEDULE.c.id)
    with source.connection() as connection:
        return [ScheduleRow(**row._mapping) for row in connection.execute(found.order_by(SCHEDULE.c.id))]


def _last_runs() -> Subquery:
    return (
        select(SCHEDULE_RUN.c.schedule_id, func.max(SCHEDULE_RUN.c.nominal_at).label("last"))
        .group_by(SCHEDULE_RUN.c.schedule_id)
        .subquery()
    )
