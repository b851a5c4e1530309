"""A worker tells how far it is."""

from __future__ import annotations

from engine.errors import Fenced
from engine.lifecycle.parts import Parts
from engine.registry.core import CANDIDATE
from engine.registry.queries.work import read_work_state
from engine.registry.queue import running_attempt
from engine.registry.recording import record_points
from engine.registry.tables import Candidate
from engine.registry.tx import Tx
from engine.wire.events import Progress
from engine.wire.work import ReportProgress

KEEP_EVERY_S = 2.0
"""How often mere progress is written down; everybody who listens hears all of it."""


def report_progress(parts: Parts, job_id: int, attempt: int, ask: ReportProgress) -> None:
    """Points and begun candidates are durable when it returns; step, fraction and note may be lost.

    Raises:
        NotFound: there is no such job.
        Fenced: the attempt is over, or the job is being cancelled.
    """
    parts.pulse.hear(job_id, attempt)
    if ask.points or ask.params or parts.pulse.due(job_id, attempt, KEEP_EVERY_S):
        parts.writer.write_and_wait(lambda tx: _record(tx, job_id, attempt, ask))
    else:
        state = read_work_state(parts.reader, job_id)
        if state.attempt != attempt or state.status != "running" or state.cancel_asked:
            raise Fenced(f"Attempt {attempt} of job {job_id} is over.", "Stop: nothing of it counts.", job=job_id)
    parts.publish_progress(
        Progress(job_id=job_id, attempt=attempt, step=ask.step, fraction=ask.fraction, note=ask.note)
    )


def _record(tx: Tx, job_id: int, attempt: int, ask: ReportProgress) -> None:
    job = running_attempt(tx, job_id, attempt)
    job.step, job.note = ask.step, ask.note
    job.fraction = ask.fraction if ask.fraction is not None else job.fraction
    if job.run_id is None:
        return
    for name, params in ask.params.items():
        if tx.get(Candidate, (job.run_id, name)) is None:
            tx.execute(
                CANDIDATE.insert().values(
                    run_id=job.run_id, name=name, kind="", params=params, status="running", note="", best=False
                )
            )
    record_points(tx, job.run_id, ask.points)
