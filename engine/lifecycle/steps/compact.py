"""Step `compact`: how far the captures of one replica are now in Parquet, and in which files."""

from __future__ import annotations

import re

from engine.errors import Fenced, InvalidInput
from engine.lifecycle.parts import Parts
from engine.lifecycle.raise_silence import traffic_came
from engine.lifecycle.steps.step import Apply, Posted, checked
from engine.registry.events import ENGINE
from engine.registry.queue import end_job
from engine.registry.tables import CaptureFile, CaptureOffset, Deployment, Job, Version, now
from engine.registry.tx import Tx
from engine.wire.work import CaptureFileResult, CompactOrder, CompactResult

_FILE_NAME = re.compile(r"d(\d+)-[A-Za-z0-9]+-\d{8}-\d+-to-\d{8}-\d+\.parquet")


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Check that it went on from where it was told to."""
    result = checked(posted, CompactResult)
    order = CompactOrder.model_validate(posted.args)
    replica = posted.args.get("replica")
    if not isinstance(replica, int):
        raise InvalidInput(f"Job {posted.job_id} names no replica.")
    if (result.segment, result.byte) < (order.segment, order.byte):
        raise InvalidInput(f"The captures of {order.endpoint} were read backwards.", job=posted.job_id)
    for file in result.written:
        match = _FILE_NAME.fullmatch(file.name)
        if match is None or int(match[1]) != order.deployment:
            raise InvalidInput(f"{file.name[:60]!r} is no file of these captures.", job=posted.job_id)

    def apply(tx: Tx, job: Job) -> None:
        offset = tx.get(CaptureOffset, (order.deployment, replica))
        if offset is None:
            offset = tx.add(CaptureOffset(deployment_id=order.deployment, replica=replica))
        if (offset.segment, offset.byte) != (order.segment, order.byte):
            raise Fenced(f"The captures of {order.endpoint} were compacted by another job.", job=job.id)
        offset.segment, offset.byte = result.segment, result.byte
        offset.rows += result.rows
        offset.dropped += result.dropped
        _record_files(tx, job, order.deployment, result.written)
        end_job(tx, ENGINE, job, "succeeded", result=result.model_dump(mode="json"))

    return apply


def _record_files(tx: Tx, job: Job, deployment_id: int, written: list[CaptureFileResult]) -> None:
    """A row for each file, under the version that the deployment is of: what lines say of themselves is not trusted."""
    deployment = tx.get(Deployment, deployment_id)
    version = tx.get(Version, deployment.version_id) if deployment else None
    if version is None:
        raise InvalidInput(f"Job {job.id} compacted captures of no deployment.", job=job.id)
    at = now()
    for file in written:
        told = file.model_dump() | {"version": version.number}
        if file.last_received_at is not None:
            traffic_came(tx, version.project_id, file.last_received_at)
        tx.add(CaptureFile(project_id=version.project_id, created_at=at, **told))
