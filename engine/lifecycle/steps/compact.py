"""Step `compact`: how far the captures of one replica are now in Parquet."""

from __future__ import annotations

from engine.errors import Fenced, InvalidInput
from engine.lifecycle.parts import Parts
from engine.lifecycle.steps.step import Apply, Posted, checked
from engine.registry.events import ENGINE
from engine.registry.queue import end_job
from engine.registry.tables import CaptureOffset, Job
from engine.registry.tx import Tx
from engine.wire.work import CompactOrder, CompactResult


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Check that it went on from where it was told to."""
    result = checked(posted, CompactResult)
    order = CompactOrder.model_validate(posted.args)
    replica = posted.args.get("replica")
    if not isinstance(replica, int):
        raise InvalidInput(f"Job {posted.job_id} names no replica.")
    if (result.segment, result.byte) < (order.segment, order.byte):
        raise InvalidInput(f"The captures of {order.endpoint} were read backwards.", job=posted.job_id)

    def apply(tx: Tx, job: Job) -> None:
        offset = tx.get(CaptureOffset, (order.deployment, replica))
        if offset is None:
            offset = tx.add(CaptureOffset(deployment_id=order.deployment, replica=replica))
        if (offset.segment, offset.byte) != (order.segment, order.byte):
            raise Fenced(f"The captures of {order.endpoint} were compacted by another job.", job=job.id)
        offset.segment, offset.byte = result.segment, result.byte
        offset.rows += result.rows
        offset.dropped += result.dropped
        end_job(tx, ENGINE, job, "succeeded", result=result.model_dump(mode="json"))

    return apply
