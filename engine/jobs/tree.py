"""All processes of one attempt: found wherever they went, and ended.

Project code may fork, detach and start sessions of its own. A process belongs to an attempt when it descends from the
worker, lies in its session, or carries the attempt's marker in its environment. One that has left the family tree
*and* wiped its environment is not found; that takes intent, and a user of its own to prevent.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil

from engine.jobs.marker import VARIABLE

TERM_S = 5.0
"""Between SIGTERM and SIGKILL."""
KILL_S = 25.0
"""For all to be gone after the first SIGKILL."""
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class Identity:
    """A process: a pid alone may be somebody else's by now."""

    pid: int
    created_at: float
    """Seconds since the epoch, of the process table."""


def identity(pid: int) -> Identity | None:
    """Of a running process; None: there is none, or it is a zombie."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, process.create_time())
    except psutil.Error:
        return None


def is_alive(process: Identity) -> bool:
    """This very process runs."""
    found = identity(process.pid)
    # The kernel counts in ticks of 10 ms, and the boot time they are added to may be corrected a little.
    return found is not None and abs(found.created_at - process.created_at) < 1.0


def find_marks() -> dict[str, list[Identity]]:
    """All running processes that carry a marker, by marker: of this home and of others."""
    found: dict[str, list[Identity]] = defaultdict(list)
    for process in _of_ours():
        mark = _mark(process.pid)
        if mark and (who := identity(process.pid)) is not None:
            found[mark].append(who)
    return found


def find_tree(worker: Identity | None, mark: str) -> list[Identity]:
    """All running processes of an attempt, the worker among them."""
    below: set[int] = set()
    session: int | None = None
    if worker is not None and is_alive(worker):
        below, session = _descendants(worker.pid), worker.pid
    elif worker is not None and not psutil.pid_exists(worker.pid):
        # A session outlives its leader, and as long as it does the kernel gives its number to nobody else.
        session = worker.pid
    return [
        who
        for process in _of_ours()
        if process.pid in below
        or (session is not None and _session(process.pid) == session)
        or _mark(process.pid) == mark
        if (who := identity(process.pid)) is not None
    ]


def end_tree(
    worker: Identity | None,
    mark: str,
    *,
    term_s: float = TERM_S,
    kill_s: float = KILL_S,
    reap: Callable[[], object] = lambda: None,
) -> list[Identity]:
    """SIGTERM, then SIGKILL, until none is left; gives those that are left all the same.

    `reap` is called again and again: the worker's parent must take its exit status, or it stays as a zombie.
    """
    _send(find_tree(worker, mark), signal.SIGTERM)
    left = _wait(worker, mark, term_s, reap)
    deadline = time.monotonic() + kill_s
    while left and time.monotonic() < deadline:
        # Looked for again each time: a process that forks while it is being ended leaves new ones.
        _send(left, signal.SIGKILL)
        left = _wait(worker, mark, 0.2, reap)
    # What died last is a zombie until now.
    reap()
    return left


def _wait(worker: Identity | None, mark: str, timeout_s: float, reap: Callable[[], object]) -> list[Identity]:
    deadline = time.monotonic() + timeout_s
    while True:
        reap()
        left = find_tree(worker, mark)
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(_LOOK_EVERY_S)


def _send(processes: list[Identity], number: signal.Signals) -> None:
    for process in processes:
        if process.pid != os.getpid() and is_alive(process):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, number)


def _of_ours() -> Iterator[psutil.Process]:
    me, user = os.getpid(), os.getuid()
    for process in psutil.process_iter():
        try:
            if process.pid != me and process.uids().real == user:
                yield process
        except psutil.Error:
            continue


def _descendants(pid: int) -> set[int]:
    try:
        return {pid} | {child.pid for child in psutil.Process(pid).children(recursive=True)}
    except psutil.Error:
        return set()


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _mark(pid: int) -> str | None:
    try:
        return psutil.Process(pid).environ().get(VARIABLE)
    except (psutil.Error, OSError):
        return None
