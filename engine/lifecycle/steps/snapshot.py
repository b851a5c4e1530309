"""Step `snapshot` of a training job: the data as an immutable, hashed version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.blobs.store import Stored
from engine.lifecycle.parts import Parts
from engine.lifecycle.steps.step import Apply, Posted, adopt, checked
from engine.lifecycle.stored_blobs import record_blobs
from engine.registry.events import ENGINE
from engine.registry.queue import end_job
from engine.registry.tables import Job, Run, Snapshot, now
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.work import SnapshotResult


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Adopt the data, its profile and its reservoir.

    Where expectations are not met the snapshot is kept, so that the rows can be looked at, and the job fails.
    """
    result = checked(posted, SnapshotResult)
    given = [file for file in (result.data, result.profile, result.reservoir) if file is not None]
    stored = [adopt(parts, posted.folder, file) for file in given]

    def apply(tx: Tx, job: Job) -> None:
        record_blobs(tx, stored)
        snapshot = _record(tx, job, result, stored[0])
        run = tx.get(Run, job.run_id)
        if run is not None:
            run.snapshot_id = snapshot.id
        if result.failures:
            end_job(tx, ENGINE, job, "failed", failure=expectations_failure(result.failures))

    return apply


def _record(tx: Tx, job: Job, result: SnapshotResult, data: Stored) -> Snapshot:
    known = tx.first(Snapshot, Snapshot.project_id == job.project_id, Snapshot.sha256 == result.sha256)
    if known is not None:
        # The same rows; what was expected of them may have changed.
        known.failures = result.failures
        return known
    snapshot = tx.add(
        Snapshot(
            project_id=job.project_id or 0,
            sha256=result.sha256,
            rows=result.rows,
            columns=result.columns,
            size_bytes=data.size_bytes,
            left_out=result.left_out,
            data_sha256=result.data.sha256,
            profile_sha256=result.profile.sha256,
            reservoir_sha256=result.reservoir.sha256 if result.reservoir else None,
            data_schema=result.data_schema,
            sources=result.sources,
            failures=result.failures,
            job_id=job.id,
            created_at=now(),
        )
    )
    tx.event(
        ENGINE, "snapshot.taken", f"snapshot {snapshot.id}", job.project_id,
        snapshot=snapshot.id, sha256=result.sha256, rows=result.rows, columns=result.columns, job=job.id,
        failures=len(result.failures),
    )  # fmt: skip
    return snapshot


def expectations_failure(failures: Sequence[dict[str, Any]]) -> Failure:
    """Why the job fails where rows break expectations; each failure brings its own `sentence`."""
    told = "; ".join(str(failure.get("sentence") or failure.get("column") or failure) for failure in failures[:3])
    more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
    many = f"{len(failures)} expectations are" if len(failures) > 1 else "An expectation is"
    return Failure(
        code="bad_data",
        message=f"{many} not met: {told}{more}.",
        hint="Mend the rows, or change the limits under [data.columns].",
    )
