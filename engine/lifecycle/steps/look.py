"""Step `look`: what a worker saw in a file of data is the job's result."""

from __future__ import annotations

from pydantic import ValidationError

from engine.errors import InvalidInput
from engine.lifecycle.parts import Parts
from engine.lifecycle.steps.step import Apply, Posted
from engine.registry.events import ENGINE
from engine.registry.queue import end_job
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.wire.looks import LookView


def prepare(parts: Parts, posted: Posted) -> Apply:
    """Check the look."""
    try:
        look = LookView.model_validate(posted.result)
    except ValidationError as error:
        raise InvalidInput(f"The look of job {posted.job_id} is wrong: {error.errors()[0]['msg']}.") from error

    def apply(tx: Tx, job: Job) -> None:
        end_job(tx, ENGINE, job, "succeeded", result=look.model_dump(mode="json"))

    return apply
