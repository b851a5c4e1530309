"""Checks whose figures are old, for whoever takes them away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from engine.registry.core import ALARM, BLOB, MODEL_CHECK
from engine.registry.reader import Source


@dataclass(frozen=True)
class OldCheck:
    """A check that still has its figures."""

    id: int
    figures_sha256: str
    size_bytes: int
    created_at: datetime


def figures_bytes(source: Source) -> int:
    """Distributions of all checks together."""
    asked = select(func.coalesce(func.sum(BLOB.c.size_bytes), 0)).join_from(
        MODEL_CHECK, BLOB, BLOB.c.sha256 == MODEL_CHECK.c.figures_sha256
    )
    with source.connection() as connection:
        return int(connection.execute(asked).scalar_one())


def oldest_checks(source: Source, limit: int) -> list[OldCheck]:
    """Checks with figures, the oldest first; not the newest of a model, nor one whose alarm is not closed."""
    newest = select(func.max(MODEL_CHECK.c.id)).where(MODEL_CHECK.c.figures_sha256.is_not(None))
    newest = newest.group_by(MODEL_CHECK.c.project_id)
    alarming = select(ALARM.c.check_id).where(ALARM.c.status != "closed", ALARM.c.check_id.is_not(None))
    asked = (
        select(
            *MODEL_CHECK.c["id", "figures_sha256", "created_at"],
            func.coalesce(BLOB.c.size_bytes, 0).label("size_bytes"),
        )
        .outerjoin(BLOB, BLOB.c.sha256 == MODEL_CHECK.c.figures_sha256)
        .where(
            MODEL_CHECK.c.figures_sha256.is_not(None),
            MODEL_CHECK.c.id.not_in(newest),
            MODEL_CHECK.c.id.not_in(alarming),
        )
        .order_by(MODEL_CHECK.c.id)
        .limit(limit)
    )
    with source.connection() as connection:
        return [OldCheck(**row._asdict()) for row in connection.execute(asked)]
