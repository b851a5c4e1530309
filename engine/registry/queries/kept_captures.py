"""Compacted captures that lie on the disk, for whoever takes away the oldest of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from engine.registry.core import CAPTURE_FILE, JOB, MODEL_CHECK, PROJECT, RETRAIN, SCHEDULE
from engine.registry.reader import Source
from engine.wire.jobs import ENDED

_READERS = ("check", "label", "train")
"""Jobs whose orders list capture files."""


@dataclass(frozen=True)
class KeptFile:
    """One Parquet file of captures."""

    id: int
    project_id: int
    project: str
    name: str
    size_bytes: int
    newest_at: datetime
    """When its last row came."""
    last_event_at: datetime | None


@dataclass(frozen=True)
class Needs:
    """What captures are still needed for, by project."""

    unchecked_after: dict[int, int]
    """Files with a higher id wait for a check."""
    judged_after: dict[int, datetime]
    """A retrain is judged on rows after this time."""
    busy: frozenset[int]
    """A job reads the captures of these just now, or is about to."""


def kept_bytes(source: Source) -> int:
    """Of all files together."""
    asked = select(func.coalesce(func.sum(CAPTURE_FILE.c.size_bytes), 0)).where(CAPTURE_FILE.c.deleted_at.is_(None))
    with source.connection() as connection:
        return int(connection.execute(asked).scalar_one())


def oldest_captures(source: Source, limit: int) -> list[KeptFile]:
    """Files that lie there, the oldest first."""
    newest_at = func.coalesce(
        CAPTURE_FILE.c.last_received_at, CAPTURE_FILE.c.created_at, type_=CAPTURE_FILE.c.created_at.type
    )
    asked = (
        select(
            *CAPTURE_FILE.c["id", "project_id", "name", "size_bytes", "last_event_at"],
            PROJECT.c.name.label("project"),
            newest_at.label("newest_at"),
        )
        .join(PROJECT, PROJECT.c.id == CAPTURE_FILE.c.project_id)
        .where(CAPTURE_FILE.c.deleted_at.is_(None))
        .order_by(newest_at, CAPTURE_FILE.c.id)
        .limit(limit)
    )
    with source.connection() as connection:
        return [KeptFile(**row._asdict()) for row in connection.execute(asked)]


def read_needs(source: Source) -> Needs:
    """All of it, at one moment."""
    until = (
        select(MODEL_CHECK.c.until_file)
        .where(MODEL_CHECK.c.project_id == PROJECT.c.id, MODEL_CHECK.c.source == "captures")
        .order_by(MODEL_CHECK.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    checked = (
        select(PROJECT.c.id, func.coalesce(until, 0).label("until"))
        .join(SCHEDULE, (SCHEDULE.c.project_id == PROJECT.c.id) & (SCHEDULE.c.kind == "check") & SCHEDULE.c.enabled)
        .distinct()
    )
    retrains = (
        select(RETRAIN.c.project_id, func.min(RETRAIN.c.judge_after, type_=RETRAIN.c.judge_after.type).label("after"))
        .where(RETRAIN.c.status.in_(("waiting", "blocked", "training")), RETRAIN.c.judge_after.is_not(None))
        .group_by(RETRAIN.c.project_id)
    )
    reads = JOB.c.kind.in_(_READERS) & JOB.c.status.not_in(ENDED)
    compacts = (JOB.c.kind == "compact") & (JOB.c.status == "running")
    busy = select(JOB.c.project_id).where(reads | compacts, JOB.c.project_id.is_not(None))
    with source.connection() as connection:
        return Needs(
            unchecked_after={row.id: row.until for row in connection.execute(checked)},
            judged_after={row.project_id: row.after for row in connection.execute(retrains)},
            busy=frozenset(connection.execute(busy).scalars()),
        )


def deleted_captures(source: Source) -> list[str]:
    """Files that retention has given up, as paths below `captures/`; a kill may have left one lying."""
    asked = (
        select(PROJECT.c.name, CAPTURE_FILE.c.name.label("file"))
        .join(PROJECT, PROJECT.c.id == CAPTURE_FILE.c.project_id)
        .where(CAPTURE_FILE.c.deleted_at.is_not(None))
    )
    with source.connection() as connection:
        return [f"{row.name}/{row.file}" for row in connection.execute(asked)]
