"""From an alarm to a retrained version, one call after another, in a process that a failpoint may kill.

Called with a home, a project's folder, and a file that gets a line for each thing that is done.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fakes.core import claim, engine_core
from fakes.loop import labelled, open_alarm, release, retrains

from engine.lifecycle.advance_retrains import advance_retrains
from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import list_jobs
from engine.registry.queue import retry_or_fail
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.work import TRAIN_STEPS


def live(home: Path, project: Path, acknowledged: Path) -> None:
    with engine_core(home) as parts:
        release(parts, project, approval="auto")
        labelled(parts, 600)
        open_alarm(parts)
        with acknowledged.open("a") as told:
            told.write("alarm\n")
        come_back(parts)


def come_back(parts: Parts) -> None:
    """What an engine does once it is up again: whatever was begun goes on to its end."""
    advance_retrains(parts)
    for job in list_jobs(parts.reader, status="running").jobs:
        parts.writer.write_and_wait(lambda tx, job_id=job.id: _died(tx, job_id))
    while any(job.status == "queued" for job in list_jobs(parts.reader).jobs):
        worked = claim(parts)
        done = {step: getattr(worked, step) for step in TRAIN_STEPS}
        for step in TRAIN_STEPS:
            worked.post(step, done[step](**({"champion": "fraud@1"} if step == "judge" else {})))
        advance_retrains(parts)
    assert all(one.status in ("done", "given_up") for one in retrains(parts))


def _died(tx: Tx, job_id: int) -> None:
    job = tx.get(Job, job_id)
    assert job is not None
    retry_or_fail(tx, job, Failure(code="worker_died", message="The worker died with its engine."))


if __name__ == "__main__":
    live(*map(Path, sys.argv[1:4]))
