"""How every model is looked after in production, in a handful of statements however many models there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from engine.registry.core import (
    ALARM,
    ALIAS,
    CAPTURE_FILE,
    MODEL_CHECK,
    PERFORMANCE_WINDOW,
    PROJECT,
    RETRAIN,
    SCHEDULE,
    VERSION,
)
from engine.wire.fleet import Watched

WINDOWS = 20
"""Stretches of time whose realised metric is shown."""


def watched_by_project(connection: Connection, next_times: Mapping[int, datetime]) -> dict[int, Watched]:
    """By project's id; `next_times` is what the clock knows, by schedule's id. Rows not compacted do not count."""
    checks, waiting, due = _checks(connection), _waiting(connection), _due(connection, next_times)
    alarms, retrains, realised = _unended_alarms(connection), _retrains(connection), _realised(connection)
    return {
        project: Watched(
            outcome=check.outcome,
            checked_at=check.created_at,
            drifted=check.drifted or [],
            waiting_rows=waiting.get(project, 0),
            next_at=due.get(project),
            alarms=alarms.get(project, 0),
            realised=realised[project],
            retrain=None if (found := retrains.get(project)) is None else found.id,
            retrain_status=None if found is None else found.status,
            retrain_note="" if found is None else found.note,
        )
        for project, check in checks.items()
    }


def _checks(connection: Connection) -> dict[int, Row[Any]]:
    """By project, the newest look at captures that had rows enough; all of it None where there is none."""
    # A step down the index for each project: there may be a check every quarter of an hour for years.
    looked = MODEL_CHECK.alias("looked")
    newest = (
        select(looked.c.id)
        .where(looked.c.project_id == PROJECT.c.id, looked.c.source == "captures", looked.c.outcome != "insufficient")
        .order_by(looked.c.id.desc())
        .limit(1)
        .correlate(PROJECT)
        .scalar_subquery()
    )
    found = select(PROJECT.c.id, *MODEL_CHECK.c["outcome", "created_at", "drifted"]).outerjoin_from(
        PROJECT, MODEL_CHECK, MODEL_CHECK.c.id == newest
    )
    return {row.id: row for row in connection.execute(found)}


def _waiting(connection: Connection) -> dict[int, int]:
    """By project, captured rows of the champion that no check has looked at yet."""
    until = (
        select(MODEL_CHECK.c.until_file)
        .where(MODEL_CHECK.c.project_id == ALIAS.c.project_id, MODEL_CHECK.c.source == "captures")
        .order_by(MODEL_CHECK.c.id.desc())
        .limit(1)
        .correlate(ALIAS)
        .scalar_subquery()
    )
    rows = (
        select(func.sum(CAPTURE_FILE.c.rows))
        .where(
            CAPTURE_FILE.c.project_id == ALIAS.c.project_id,
            CAPTURE_FILE.c.version == VERSION.c.number,
            CAPTURE_FILE.c.id > func.coalesce(until, 0),
            CAPTURE_FILE.c.deleted_at.is_(None),
        )
        .correlate(ALIAS, VERSION)
        .scalar_subquery()
    )
    found = select(ALIAS.c.project_id, rows.label("rows")).join_from(ALIAS, VERSION, VERSION.c.id == ALIAS.c.version_id)
    return {row.project_id: row.rows or 0 for row in connection.execute(found.where(ALIAS.c.name == "champion"))}


def _due(connection: Connection, next_times: Mapping[int, datetime]) -> dict[int, datetime]:
    found = select(*SCHEDULE.c["id", "project_id"]).where(SCHEDULE.c.kind == "check", SCHEDULE.c.enabled)
    return {row.project_id: next_times[row.id] for row in connection.execute(found) if row.id in next_times}


def _unended_alarms(connection: Connection) -> dict[int, int]:
    """By project, how many are open or acknowledged."""
    found = select(ALARM.c.project_id, func.count().label("many")).where(ALARM.c.status != "closed")
    return {row.project_id: row.many for row in connection.execute(found.group_by(ALARM.c.project_id))}


def _retrains(connection: Connection) -> dict[int, Row[Any]]:
    """By project, the newest that is under way."""
    found = select(*RETRAIN.c["id", "project_id", "status", "note"]).where(
        RETRAIN.c.status.in_(("waiting", "blocked", "training"))
    )
    return {row.project_id: row for row in connection.execute(found.order_by(RETRAIN.c.id))}


def _realised(connection: Connection) -> dict[int, list[float]]:
    """By project, the metric in its newest settled windows, oldest first."""
    window = PERFORMANCE_WINDOW.c
    place = func.row_number().over(partition_by=window.project_id, order_by=window.starts_at.desc()).label("place")
    ranked = select(window.project_id, window.starts_at, window.value, place).where(
        window.mature, window.value.is_not(None)
    )
    newest = ranked.subquery()
    values: dict[int, list[float]] = defaultdict(list)
    for row in connection.execute(select(newest).where(newest.c.place <= WINDOWS).order_by(newest.c.starts_at)):
        values[row.project_id].append(row.value)
    return values
