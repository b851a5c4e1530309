"""What a worker that has just begun is told to do.

What an order takes from the registry (which capture files to read, which labels there are) is settled when the first
attempt begins, and stored: an attempt that follows a crash does the same work.
"""

from __future__ import annotations

from engine.errors import EngineError, Fenced, Unavailable
from engine.lifecycle.lay_out_work import CODE_FOLDER
from engine.lifecycle.orders import ORDERS
from engine.lifecycle.parts import Parts
from engine.registry.events import ENGINE
from engine.registry.queries.work import History, WorkState, read_history, read_work_state
from engine.registry.queue import end_job, running_attempt
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.work import WorkOrder

_SETTLED = "settled"
"""Among a job's args: its order is."""


def start_attempt(parts: Parts, job_id: int, attempt: int) -> WorkOrder:
    """The order of this attempt, with the results of the steps that earlier ones finished.

    Raises:
        NotFound: there is no such job.
        Fenced: the attempt is over, or the job is being cancelled, or it failed just now, for there is nothing to do.
    """
    parts.pulse.hear(job_id, attempt)
    state = read_work_state(parts.reader, job_id)
    if state.attempt != attempt or state.status != "running" or state.cancel_asked:
        raise Fenced(
            f"Attempt {attempt} of job {job_id} is over.", "Stop: nothing of it counts.", job=job_id, attempt=attempt
        )
    if state.kind in ORDERS and not state.args.get(_SETTLED):
        state = _settle(parts, state, attempt)
    history = History(None, None, [], 0)
    if state.kind == "train" and state.project_id is not None:
        history = read_history(parts.reader, state.project_id)
    folder = parts.home.work(job_id, attempt)
    return WorkOrder(
        job_id=job_id,
        attempt=attempt,
        kind=state.kind,
        args=state.args,
        work_folder=str(folder),
        blobs_folder=str(parts.home.blobs),
        finished=state.finished,
        project_file=state.config,
        code_folder=str(folder / CODE_FOLDER) if state.files else "",
        data_folder=state.folder,
        run_id=state.run_id,
        seed=state.seed,
        salt=state.salt,
        split_columns=history.split_columns,
        previous_schema=history.previous_schema,
        champion=history.champion,
        test_uses=history.test_uses,
        fresh=state.args.get("fresh"),
        judge_after=state.args.get("judge_after"),
        changed_from=state.args.get("changed_from"),
    )


def _settle(parts: Parts, state: WorkState, attempt: int) -> WorkState:
    """Store what the order holds. A job that cannot be ordered fails with the reason."""

    def settle(tx: Tx) -> None:
        job = running_attempt(tx, state.job_id, attempt)
        if not job.args.get(_SETTLED):
            job.args = job.args | ORDERS[state.kind](tx, parts, job) | {_SETTLED: True}

    def give_up(tx: Tx) -> None:
        end_job(tx, ENGINE, running_attempt(tx, state.job_id, attempt), "failed", failure=failure)

    try:
        parts.writer.write_and_wait(settle)
    except (Fenced, Unavailable):
        raise
    except EngineError as error:
        failure = Failure(code=error.code, message=error.message, hint=error.hint)
        parts.writer.write_and_wait(give_up)
        parts.poke_jobs()
        raise Fenced(f"Job {state.job_id} is over: {error.message}", "Stop: nothing of it counts.") from error
    return read_work_state(parts.reader, state.job_id)
