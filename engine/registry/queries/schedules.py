"""Schedules, and when each ran last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from engine.registry.core import PROJECT, SCHEDULE, SCHEDULE_RUN
from engine.registry.reader import Source
from engine.wire.jobs import ScheduleList, ScheduleView


def list_schedules(source: Source, next_at: Mapping[int, datetime] | None = None) -> ScheduleList:
    """All of them, by name; `next_at` is what the clock knows, by schedule id."""
    last = (
        select(SCHEDULE_RUN.c.schedule_id, func.max(SCHEDULE_RUN.c.nominal_at).label("last"))
        .group_by(SCHEDULE_RUN.c.schedule_id)
        .subquery()
    )
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
