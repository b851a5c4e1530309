"""How far captures are compacted."""

from __future__ import annotations

from sqlalchemy import select

from engine.registry.core import core
from engine.registry.reader import Source
from engine.registry.tables import CaptureOffset

_OFFSET = core(CaptureOffset)


def compacted_until(source: Source) -> dict[tuple[int, int], tuple[int, int]]:
    """(segment, byte) at which compaction goes on, by (deployment, replica)."""
    asked = select(*_OFFSET.c["deployment_id", "replica", "segment", "byte"])
    with source.connection() as connection:
        rows = connection.execute(asked)
        return {(row.deployment_id, row.replica): (row.segment, row.byte) for row in rows}
