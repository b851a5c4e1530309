"""`python -m fakes.scripted_check HOME PROJECT_FOLDER ACKNOWLEDGED`: a model is watched, to be killed in.

Each thing that was acknowledged is one line of the file ACKNOWLEDGED, written before the next thing begins.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from fakes.core import claim, engine_core
from fakes.looked import NOON, capture, result, serve

from engine.jobs.clock import Clock
from engine.lifecycle.parts import Parts
from engine.lifecycle.start_attempt import start_attempt
from engine.lifecycle.sync_schedules import sync_all_schedules
from engine.lifecycle.watch_models import watch, watch_again
from engine.registry.queries.jobs import list_jobs
from engine.registry.queries.schedules import read_schedules
from engine.registry.queue import retry_or_fail
from engine.registry.tables import Job, now
from engine.registry.tx import Tx
from engine.wire.base import Failure


def live(home: Path, project: Path, acknowledged: Path) -> None:
    """Release, capture, come to a nominal time, look, raise an alarm."""
    told = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def acknowledge(line: str) -> None:
        os.write(told, f"{line}\n".encode())

    with engine_core(home) as parts:
        serve(parts, project)
        sync_all_schedules(parts)
        capture(parts, 1000, at=now())
        acknowledge("captured")
        ring(parts)
        acknowledge("rung")
        finish(parts)
        acknowledge("checked")


def ring(parts: Parts) -> None:
    """What the clock does at noon, as often as it likes."""
    clock = Clock(parts.writer, parts.reader, {"check": lambda tx, row, at: watch(parts, tx, row, at)})
    (row,) = [row for row in read_schedules(parts.reader) if row.kind == "check"]
    clock.fire(row, NOON)


def finish(parts: Parts) -> None:
    """What is left of the checks, each with a column that moved; workers of an engine that was killed are gone."""

    def gone(tx: Tx) -> None:
        for job in tx.all(Job, Job.kind == "check", Job.status == "running"):
            retry_or_fail(tx, job, Failure(code="worker_died", message="It died with its engine."))

    parts.writer.write_and_wait(gone)
    while any(job.kind == "check" for job in list_jobs(parts.reader, status="queued").jobs):
        worked = claim(parts)
        start_attempt(parts, worked.job_id, worked.attempt)
        told = result(worked, ["a"])
        worked.post("check", told)
        worked.post("check", told)


def come_back(parts: Parts) -> None:
    """What an engine does that is back."""
    sync_all_schedules(parts)
    ring(parts)
    watch_again(parts)
    finish(parts)


if __name__ == "__main__":
    live(*map(Path, sys.argv[1:4]))
