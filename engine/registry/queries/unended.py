"""Which jobs are not over, for whoever tidies after those that are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from engine.registry.core import JOB
from engine.registry.reader import Source
from engine.registry.tables import now


@dataclass(frozen=True)
class Unended:
    """Jobs that somebody may still care for."""

    jobs: dict[int, int]
    """The newest attempt of each that waits or runs."""
    failed: set[int]
    """Failed within the last two days."""


def unended_jobs(source: Source) -> Unended:
    """Read both at one moment."""
    active = select(*JOB.c["id", "attempt"]).where(JOB.c.status.in_(("queued", "running")))
    failed = select(JOB.c.id).where(JOB.c.status == "failed", JOB.c.ended_at >= now() - timedelta(days=2))
    with source.connection() as connection:
        jobs = {row.id: row.attempt for row in connection.execute(active)}
        return Unended(jobs, set(connection.execute(failed).scalars()))
