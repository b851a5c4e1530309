"""What the supervisor of jobs looks at, again and again: two small reads."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from engine.registry.core import JOB
from engine.registry.reader import Source


@dataclass(frozen=True)
class AttemptRow:
    """A running attempt."""

    job_id: int
    attempt: int
    cancel_asked: bool
    pid: int | None
    pid_created_at: float | None


@dataclass(frozen=True)
class Attempts:
    """Those that run, and whether any job waits."""

    running: list[AttemptRow]
    queued: bool


def read_attempts(source: Source) -> Attempts:
    """Both at one moment."""
    running = select(*JOB.c["id", "attempt", "cancel_asked", "pid", "pid_created_at"]).where(JOB.c.status == "running")
    queued = select(JOB.c.id).where(JOB.c.status == "queued").limit(1)
    with source.connection() as connection:
        rows = [AttemptRow(*row) for row in connection.execute(running)]
        return Attempts(rows, connection.execute(queued).first() is not None)
