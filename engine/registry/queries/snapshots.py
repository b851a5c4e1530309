"""Snapshots of projects' data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from engine.errors import NotFound
from engine.registry.core import PROJECT, SNAPSHOT
from engine.registry.queries.paging import bounded, next_before
from engine.registry.queries.projects import project_id
from engine.registry.reader import Source
from engine.wire.runs import SnapshotList, SnapshotView


def list_snapshots(
    source: Source, *, project: str | None = None, limit: int = 100, before: int | None = None
) -> SnapshotList:
    """A page, newest first. Raises `NotFound` for a project nobody knows."""
    found = _selected().order_by(SNAPSHOT.c.id.desc()).limit(bounded(limit))
    if before is not None:
        found = found.where(SNAPSHOT.c.id < before)
    with source.connection() as connection:
        if project is not None:
            found = found.where(SNAPSHOT.c.project_id == project_id(connection, project))
        rows = connection.execute(found)
        page = [SnapshotView.model_validate(row, from_attributes=True) for row in rows]
    return SnapshotList(snapshots=page, next_before=next_before(page, bounded(limit)))


def get_snapshot(source: Source, snapshot_id: int) -> SnapshotView:
    """One of them. Raises `NotFound`."""
    with source.connection() as connection:
        row = connection.execute(_selected().where(SNAPSHOT.c.id == snapshot_id)).first()
    if row is None:
        raise _no_snapshot(snapshot_id)
    return SnapshotView.model_validate(row, from_attributes=True)


def profile_of(source: Source, snapshot_id: int) -> str:
    """The hash of its stored profile. Raises `NotFound`."""
    with source.connection() as connection:
        found = connection.execute(select(SNAPSHOT.c.profile_sha256).where(SNAPSHOT.c.id == snapshot_id)).scalar()
    if found is None:
        raise _no_snapshot(snapshot_id)
    return str(found)


def _no_snapshot(snapshot_id: int) -> NotFound:
    return NotFound(f"There is no snapshot {snapshot_id}.", "A run names the snapshot it used.", snapshot=snapshot_id)


def _selected() -> Select[Any]:
    return select(*SNAPSHOT.c, PROJECT.c.name.label("project")).join_from(
        SNAPSHOT, PROJECT, PROJECT.c.id == SNAPSHOT.c.project_id
    )
