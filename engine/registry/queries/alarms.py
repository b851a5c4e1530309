"""Alarms: what is open, and what was."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, and_, case, func, select

from engine.errors import NotFound
from engine.project import MOST_TRAININGS
from engine.registry.core import ALARM, PROJECT, RETRAIN
from engine.registry.queries.paging import bounded
from engine.registry.queries.projects import project_id
from engine.registry.reader import Source
from engine.wire.monitoring import AlarmList, AlarmView


def list_alarms(
    source: Source,
    *,
    model: str | None = None,
    status: str | None = None,
    limit: int = 100,
    before: int | None = None,
) -> AlarmList:
    """All that are not closed, newest first, then a page of the closed ones. With `before` older closed ones only.

    Raises `NotFound` for a model nobody knows.
    """
    limit = bounded(limit)
    found = _selected().order_by(ALARM.c.id.desc())
    if status is not None:
        found = found.where(ALARM.c.status == status)
    with source.connection() as connection:
        if model is not None:
            found = found.where(ALARM.c.project_id == project_id(connection, model))
        unended = [] if before is not None else list(connection.execute(found.where(ALARM.c.status != "closed")))
        over = found.where(ALARM.c.status == "closed").limit(limit)
        if before is not None:
            over = over.where(ALARM.c.id < before)
        closed = list(connection.execute(over))
    return AlarmList(
        alarms=[_view(row) for row in (*unended, *closed)],
        next_before=closed[-1].id if len(closed) == limit else None,
    )


def get_alarm(source: Source, alarm_id: int) -> AlarmView:
    """One of them. Raises `NotFound`."""
    with source.connection() as connection:
        row = connection.execute(_selected().where(ALARM.c.id == alarm_id)).first()
    if row is None:
        raise NotFound(f"There is no alarm {alarm_id}.", "`mlops alarms` lists them.", alarm=alarm_id)
    return _view(row)


def _selected() -> Select[Any]:
    asked = select(func.max(RETRAIN.c.id)).where(RETRAIN.c.alarm_id == ALARM.c.id).correlate(ALARM).scalar_subquery()
    later = RETRAIN.alias("later")
    answered = select(later.c.id).where(
        later.c.project_id == ALARM.c.project_id, later.c.id > RETRAIN.c.id, later.c.status == "done"
    )  # fmt: skip
    failed_too_often = and_(
        ALARM.c.status != "closed",
        RETRAIN.c.status == "given_up",
        RETRAIN.c.job_id.is_not(None),
        RETRAIN.c.cause_key.endswith(f"#{MOST_TRAININGS}"),
        ~answered.exists(),
    )
    return (
        select(
            *ALARM.c,
            PROJECT.c.name.label("model"),
            RETRAIN.c.id.label("retrain_id"),
            case((failed_too_often, RETRAIN.c.job_id)).label("failed_job"),
        )
        .join_from(ALARM, PROJECT, PROJECT.c.id == ALARM.c.project_id)
        .outerjoin(RETRAIN, RETRAIN.c.id == asked)
    )


def _view(row: Row[Any]) -> AlarmView:
    alarm = AlarmView.model_validate(row, from_attributes=True)
    if row.failed_job is None:
        return alarm
    hint = (
        f"Its retrain failed {MOST_TRAININGS} times: `mlops logs {row.failed_job}` shows why; mend that, then "
        f"`mlops retrain {alarm.model}`; `mlops close {alarm.id}` if it is expected."
    )
    return alarm.model_copy(update={"hint": hint})
