"""How far captures are compacted, and what traffic they show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from engine.registry.core import ALIAS, CAPTURE_FILE, DEPLOYMENT, ENDPOINT, core
from engine.registry.reader import Source
from engine.registry.tables import CaptureOffset

_OFFSET = core(CaptureOffset)


def compacted_until(source: Source) -> dict[tuple[int, int], tuple[int, int]]:
    """(segment, byte) at which compaction goes on, by (deployment, replica)."""
    asked = select(*_OFFSET.c["deployment_id", "replica", "segment", "byte"])
    with source.connection() as connection:
        rows = connection.execute(asked)
        return {(row.deployment_id, row.replica): (row.segment, row.byte) for row in rows}


def champion_deployments(source: Source, project: int) -> set[int]:
    """All deployments of the version that reigns, those that are over too."""
    asked = (
        select(DEPLOYMENT.c.id)
        .join_from(DEPLOYMENT, ENDPOINT, ENDPOINT.c.id == DEPLOYMENT.c.endpoint_id)
        .join(ALIAS, (ALIAS.c.project_id == ENDPOINT.c.project_id) & (ALIAS.c.version_id == DEPLOYMENT.c.version_id))
        .where(ENDPOINT.c.project_id == project, ALIAS.c.name == "champion")
    )
    with source.connection() as connection:
        return set(connection.execute(asked).scalars())


def dropped_answers(source: Source, project: int) -> int:
    """How many answers of a project's model servers could not be captured, as far as is compacted, ever."""
    asked = (
        select(func.sum(_OFFSET.c.dropped))
        .join_from(_OFFSET, DEPLOYMENT, DEPLOYMENT.c.id == _OFFSET.c.deployment_id)
        .join(ENDPOINT, ENDPOINT.c.id == DEPLOYMENT.c.endpoint_id)
        .where(ENDPOINT.c.project_id == project)
    )
    with source.connection() as connection:
        return int(connection.execute(asked).scalar() or 0)


@dataclass(frozen=True)
class Traffic:
    """What the capture files of an endpoint say about when requests came."""

    last_at: datetime | None
    """None: none ever came, as far as is compacted."""
    longest_gap_s: float
    """Between two files."""


def captured_traffic(source: Source, project: int) -> Traffic:
    """Of all versions, from all files that ever were."""
    asked = (
        select(*CAPTURE_FILE.c["first_received_at", "last_received_at"])
        .where(CAPTURE_FILE.c.project_id == project, CAPTURE_FILE.c.last_received_at.is_not(None))
        .order_by(CAPTURE_FILE.c.first_received_at)
    )
    last: datetime | None = None
    longest_s = 0.0
    with source.connection() as connection:
        for first_at, last_at in connection.execute(asked):
            if last is not None:
                longest_s = max(longest_s, (first_at - last).total_seconds())
            last = last_at if last is None else max(last, last_at)
    return Traffic(last, longest_s)
