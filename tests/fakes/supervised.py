"""A supervisor with workers that are small programs of a test."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import psutil

from engine.jobs.marker import VARIABLE, marker
from engine.jobs.spawn import Order, spawn_worker
from engine.jobs.supervisor import Supervisor
from engine.lifecycle.lay_out_work import lay_out_work
from engine.lifecycle.parts import Parts
from engine.registry.events import ENGINE
from engine.registry.queries.jobs import get_job
from engine.registry.queue import enqueue
from engine.registry.tx import Tx
from engine.settings import Home
from engine.wire.jobs import JobView

READ_CALL = "import sys, json, os, time, signal, subprocess; call = json.loads(sys.stdin.readline())\n"
"""What each of these programs begins with."""


def supervise(parts: Parts, program: str, lay_out: Callable[[int, int], None] | None = None) -> Supervisor:
    """A supervisor whose workers run `program`."""

    def spawn(home: Home, order: Order, slots: int) -> subprocess.Popen[bytes]:
        return spawn_worker(home, order, slots=slots, command=(sys.executable, "-c", READ_CALL + program))

    return Supervisor(
        parts,
        lay_out=lay_out or partial(lay_out_work, parts),
        silent_s=parts.pulse.silent_s,
        spawn=spawn,
        linger_s=0.2,
        term_s=0.3,
    )


@contextmanager
def supervised(parts: Parts, program: str) -> Iterator[Supervisor]:
    """The same, started, and ended with all its workers."""
    supervisor = supervise(parts, program)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop(end_workers=True)


def enqueue_look(parts: Parts) -> int:
    """A job without a project."""

    def ask(tx: Tx) -> int:
        return enqueue(tx, ENGINE, "look", args={"path": "/x", "target": "y"}).id or 0

    return parts.writer.write_and_wait(ask)


def wait_for(condition: Callable[[], bool], what: str, limit_s: float = 30.0) -> None:
    """Until it holds; a test that waits in vain fails with `what`."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"in vain waited for: {what}"
        time.sleep(0.01)


def wait_for_status(parts: Parts, job_id: int, *statuses: str) -> JobView:
    """Until the job has one of these."""
    wait_for(lambda: get_job(parts.reader, job_id).status in statuses, f"job {job_id} to be {statuses}")
    return get_job(parts.reader, job_id)


def processes_of(parts: Parts, job_id: int, attempt: int = 1) -> list[int]:
    """Pids of all processes with the attempt's marker."""
    mark = marker(parts.home.root, job_id, attempt)
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(VARIABLE) == mark:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found
