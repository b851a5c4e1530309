"""Training runs, their curves, and snapshots of data."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter

from engine.api.context import InEngine
from engine.api.fields import PageSize, RowId
from engine.api.roles import Operator, Viewer
from engine.lifecycle.log_run import begin_log_run
from engine.lifecycle.read_snapshot_profile import read_snapshot_profile
from engine.registry.queries import runs, snapshots
from engine.wire.runs import Curve, LoggedRun, LogRun, RunList, RunView, SnapshotList, SnapshotProfile, SnapshotView

router = APIRouter(prefix="/v1", tags=["runs"])


@router.get("/runs")
def list_runs(
    engine: InEngine,
    caller: Viewer,
    project: str | None = None,
    limit: PageSize = 100,
    before: RowId | None = None,
    order_by: str | None = None,
    descending: bool = True,
) -> RunList:
    """Runs, newest first, or ordered by `metric.KEY`."""
    return runs.list_runs(
        engine.parts.reader, project=project, limit=limit, before=before, order_by=order_by, descending=descending
    )


@router.get("/runs/{run_id}")
def get_run(engine: InEngine, caller: Viewer, run_id: RowId) -> RunView:
    """One run with its candidates."""
    return runs.get_run(engine.parts.reader, run_id)


@router.get("/runs/{run_id}/curves")
def get_curves(engine: InEngine, caller: Viewer, run_id: RowId, most: PageSize | None = None) -> Curve:
    """The recorded points of a run's metrics: all, or of each curve about `most`, evenly thinned out."""
    return runs.get_curves(engine.parts.reader, run_id, most=most)


@router.post("/runs")
async def post_run(engine: InEngine, caller: Operator, body: LogRun) -> LoggedRun:
    """Record a finished run of a script of one's own; durable when answered."""
    # Awaited rather than waited for in a thread: hundreds a second share one commit.
    return await asyncio.wrap_future(begin_log_run(engine.parts, caller, body))


@router.get("/snapshots")
def list_snapshots(
    engine: InEngine,
    caller: Viewer,
    project: str | None = None,
    limit: PageSize = 100,
    before: RowId | None = None,
) -> SnapshotList:
    """Snapshots of a project's data, or of all, newest first."""
    return snapshots.list_snapshots(engine.parts.reader, project=project, limit=limit, before=before)


@router.get("/snapshots/{snapshot_id}")
def get_snapshot(engine: InEngine, caller: Viewer, snapshot_id: RowId) -> SnapshotView:
    """One snapshot."""
    return snapshots.get_snapshot(engine.parts.reader, snapshot_id)


@router.get("/snapshots/{snapshot_id}/profile")
def get_snapshot_profile(engine: InEngine, caller: Viewer, snapshot_id: RowId) -> SnapshotProfile:
    """How the values of its columns lie."""
    return read_snapshot_profile(engine.parts, snapshot_id)
