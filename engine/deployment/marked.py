"""Finding our own processes again: each carries a mark in its environment, which names the home it belongs to.

Only processes of our own user are looked at, and one without the mark is never touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from engine.settings import Home

SAME_START_S = 0.05
"""Two readings of one process's start differ by less; a pid is not given out again so soon."""

_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Marked:
    """One process with a mark."""

    pid: int
    created_at: float
    text: str
    """The mark, without the home."""
    session: int
    """Pid of the process that leads its session: what we started, of which the others are children."""

    @property
    def leads(self) -> bool:
        """It is what we started itself."""
        return self.session == self.pid


def home_mark(home: Home) -> str:
    """Stands for a home folder in a mark, so that two homes of one user never touch each other's processes."""
    return hashlib.sha256(os.fsencode(home.root)).hexdigest()[:12]


def clean_environment(variable: str, mark: str) -> dict[str, str]:
    """The environment of a process we start: where to find programs, the language, our mark, and no secrets."""
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("LC_")}
    return kept | {variable: mark, "PYTHONUNBUFFERED": "1"}


def find_marked(variable: str, home: Home) -> Iterator[Marked]:
    """Processes of this user whose environment has `variable` with this home's mark."""
    mine, end = os.getuid(), f"-{home_mark(home)}"
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.uids().real != mine or process.status() == psutil.STATUS_ZOMBIE:
                continue
            mark = process.environ().get(variable, "")
            if mark.endswith(end):
                session = os.getsid(process.pid)
                yield Marked(process.pid, process.create_time(), mark.removesuffix(end), session)


def is_alive(pid: int, created_at: float) -> bool:
    """Whether exactly that process is alive: pid and start time, for a pid alone is given to others later."""
    try:
        process = psutil.Process(pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return alive and abs(process.create_time() - created_at) < SAME_START_S
    except psutil.Error:
        return False


def send(pid: int, created_at: float, number: signal.Signals, *, group: bool = False) -> None:
    """Signal exactly that process, or with `group` everything in the group it leads; one that ended is no error."""
    if not is_alive(pid, created_at):
        return
    with contextlib.suppress(ProcessLookupError):
        if group and os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
