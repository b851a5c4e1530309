"""From an alarm to a retrained version, one call after another, in a process that a failpoint may kill.

Called with a home, a project's folder, and a file that gets a line for each thing that is done; and `fails`, where
the first training of each cause is to fail.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fakes.core import claim, engine_core
from fakes.loop import HOUR, edit, labelled, open_alarm, release, retrains

from engine.lifecycle.advance_retrains import advance_retrains
from engine.lifecycle.fail_attempt import fail_attempt
from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import list_jobs
from engine.registry.queue import retry_or_fail
from engine.registry.tables import Job, Retrain, now
from engine.registry.tx import Tx
from engine.wire.base import Failure
from engine.wire.work import TRAIN_STEPS, ReportFailure


def live(home: Path, project: Path, acknowledged: Path, *, fails: bool = False) -> None:
    with engine_core(home) as parts:
        release(parts, project, approval="auto")
        labelled(parts, 600)
        open_alarm(parts)
        with acknowledged.open("a") as told:
            told.write("alarm\n")
        come_back(parts, fails=fails)


def come_back(parts: Parts, *, fails: bool = False) -> None:
    """What an engine does once it is up again: whatever was begun goes on to its end."""
    _advance_past_the_cool_down(parts)
    for job in list_jobs(parts.reader, status="running").jobs:
        parts.writer.write_and_wait(lambda tx, job_id=job.id: _died(tx, job_id))
    while any(job.status == "queued" for job in list_jobs(parts.reader).jobs):
        worked = claim(parts)
        if fails and len(retrains(parts)) == 1:
            full = Failure(code="disk_full", message="The disk is full.")
            fail_attempt(parts, worked.job_id, worked.attempt, ReportFailure(failure=full))
            _advance_past_the_cool_down(parts)
            continue
        done = {step: getattr(worked, step) for step in TRAIN_STEPS}
        for step in TRAIN_STEPS:
            worked.post(step, done[step](**({"champion": "fraud@1"} if step == "judge" else {})))
        advance_retrains(parts)
    assert all(one.status in ("done", "given_up") for one in retrains(parts))


def _advance_past_the_cool_down(parts: Parts) -> None:
    """The failure is seen, six hours pass, and what waited goes on."""
    advance_retrains(parts)
    for one in retrains(parts):
        if one.status == "given_up":
            edit(parts, Retrain, one.id, ended_at=now() - 7 * HOUR)
    advance_retrains(parts)


def _died(tx: Tx, job_id: int) -> None:
    job = tx.get(Job, job_id)
    assert job is not None
    retry_or_fail(tx, job, Failure(code="worker_died", message="The worker died with its engine."))


if __name__ == "__main__":
    live(*map(Path, sys.argv[1:4]), fails=sys.argv[4:] == ["fails"])
