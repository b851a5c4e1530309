"""What a worker that has just begun is told to do."""

from __future__ import annotations

from engine.errors import Fenced
from engine.lifecycle.lay_out_work import CODE_FOLDER
from engine.lifecycle.parts import Parts
from engine.registry.queries.work import History, read_history, read_work_state
from engine.wire.work import WorkOrder


def start_attempt(parts: Parts, job_id: int, attempt: int) -> WorkOrder:
    """The order of this attempt, with the results of the steps that earlier ones finished.

    Raises:
        NotFound: there is no such job.
        Fenced: the attempt is over, or the job is being cancelled.
    """
    parts.pulse.hear(job_id, attempt)
    state = read_work_state(parts.reader, job_id)
    if state.attempt != attempt or state.status != "running" or state.cancel_asked:
        raise Fenced(
            f"Attempt {attempt} of job {job_id} is over.", "Stop: nothing of it counts.", job=job_id, attempt=attempt
        )
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
    )
