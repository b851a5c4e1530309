"""What a worker says about its job. Every route takes that job's token and nothing else."""

from __future__ import annotations

from fastapi import APIRouter, Response

from engine.api.context import InEngine
from engine.api.fields import RowId
from engine.api.roles import JobItself
from engine.errors import Forbidden
from engine.lifecycle.caller import Caller
from engine.lifecycle.fail_attempt import fail_attempt
from engine.lifecycle.finish_step import finish_step
from engine.lifecycle.report_progress import report_progress
from engine.lifecycle.start_attempt import start_attempt
from engine.wire.jobs import JobView
from engine.wire.work import FinishedStep, FinishStep, ReportFailure, ReportProgress, WorkOrder

router = APIRouter(prefix="/v1/jobs/{job_id}", tags=["work"])


@router.get("/work")
def get_work(engine: InEngine, caller: JobItself, job_id: RowId) -> WorkOrder:
    """All the worker needs to know."""
    return start_attempt(engine.parts, *_attempt(caller))


@router.post("/steps/{step}")
def post_step(engine: InEngine, caller: JobItself, job_id: RowId, step: str, body: FinishStep) -> FinishedStep:
    """A step's result; its files lie in the work folder. Finished once, however often it is sent."""
    return finish_step(engine.parts, *_attempt(caller), step, body)


@router.post("/progress", status_code=204)
def post_progress(engine: InEngine, caller: JobItself, job_id: RowId, body: ReportProgress) -> Response:
    """How far it is; points of curves are durable when this is answered."""
    report_progress(engine.parts, *_attempt(caller), body)
    return Response(status_code=204)


@router.post("/fail")
def post_failure(engine: InEngine, caller: JobItself, job_id: RowId, body: ReportFailure) -> JobView:
    """The worker gives up."""
    return fail_attempt(engine.parts, *_attempt(caller), body)


def _attempt(caller: Caller) -> tuple[int, int]:
    # The path's job is the token's: the guard has seen to it.
    if caller.job is None:
        raise Forbidden("Only the job itself reports its work.")
    return caller.job
