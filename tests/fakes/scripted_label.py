"""`python -m fakes.scripted_label HOME`: labels come in for a model that has lost its skill, to be killed in."""

from __future__ import annotations

import sys
from pathlib import Path

from fakes.core import engine_core
from fakes.labelled import ask, capture, label, serve, work

from engine.lifecycle.parts import Parts
from engine.registry.queries.jobs import list_jobs
from engine.registry.queue import retry_or_fail
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.wire.base import Failure


def live(home: Path) -> None:
    """Release, capture, label, and label again."""
    with engine_core(home) as parts:
        serve(parts)
        label(parts, capture(parts, 600, good=True))
        ask(parts, capture(parts, 600, good=False, first=600))
        finish(parts)


def finish(parts: Parts) -> None:
    """What is left of the files; workers of an engine that was killed are gone."""

    def gone(tx: Tx) -> None:
        for job in tx.all(Job, Job.kind == "label", Job.status == "running"):
            retry_or_fail(tx, job, Failure(code="worker_died", message="It died with its engine."))

    parts.writer.write_and_wait(gone)
    while any(job.kind == "label" for job in list_jobs(parts.reader, status="queued").jobs):
        worked, _, result = work(parts)
        worked.post("label", result.model_dump(mode="json"))


if __name__ == "__main__":
    live(Path(sys.argv[1]))
