"""Model servers as local processes, each in a session of its own, so that they outlive the engine."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import psutil

import engine
from engine.deployment.marked import Marked, clean_environment, find_marked, home_mark, is_alive, send
from engine.deployment.process_log import bound_log, last_line, open_log
from engine.deployment.runtime import Identity, Readiness, ReplicaSpec, Running
from engine.deployment.unix_http import ask
from engine.errors import Unavailable
from engine.settings import Home

MARK = "MLOPS_SERVE"
READY_S = 2.0


class ProcessRuntime:
    """Runs `python -m engine.serving FOLDER`. `command` is there for tests with a program of their own."""

    def __init__(self, home: Home, command: tuple[str, ...] = ()) -> None:
        self._home = home
        self._command = command or (sys.executable, "-P", "-m", "engine.serving")
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def readiness(self) -> Readiness:
        """Always."""
        return Readiness(True, "Processes of this user can always be started.")

    def start(self, replica: ReplicaSpec) -> Identity:
        """Start it, or adopt the one that runs; see `Runtime`."""
        for running in self._leaders():
            if (running.deployment, running.index) == (replica.deployment, replica.index):
                return running.identity
        environment = clean_environment(MARK, f"{replica.deployment}-{replica.index}-{home_mark(self._home)}")
        # The same program as this engine's, also where it runs from a source tree.
        environment["PYTHONPATH"] = str(Path(engine.__path__[0]).parent)
        environment["OMP_NUM_THREADS"] = "1"
        try:
            with open_log(replica.log) as log:
                child = subprocess.Popen(
                    [*self._command, str(replica.folder)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=replica.folder,
                    env=environment,
                    start_new_session=True,
                )
            created_at = psutil.Process(child.pid).create_time()
        except (OSError, psutil.Error) as error:
            raise Unavailable(
                f"A model server of deployment {replica.deployment} cannot be started: {error}.",
                "Look at the memory, the number of processes and the disk of this machine.",
            ) from error
        self._children[child.pid] = child
        return Identity(pid=child.pid, created_at=created_at)

    def runs(self, identity: Identity) -> bool:
        """Whether that process is alive; a child of ours that ended is waited for."""
        pid, created_at = _process(identity)
        alive = is_alive(pid, created_at)
        self._reap()
        return alive

    def is_ready(self, replica: ReplicaSpec) -> bool:
        """Whether it answers 200 at `/v2/health/ready`."""
        try:
            return ask(replica.socket, "GET", "/v2/health/ready", timeout_s=READY_S)[0] == 200
        except OSError:
            return False

    def last_words(self, replica: ReplicaSpec) -> str:
        """The last line of its log."""
        return last_line(replica.log)

    def stop(self, identity: Identity, *, force: bool) -> None:
        """SIGTERM to the server, or SIGKILL to its whole group."""
        pid, created_at = _process(identity)
        send(pid, created_at, signal.SIGKILL if force else signal.SIGTERM, group=force)

    def ours(self) -> list[Running]:
        """Every server with this home's mark, and what it started where it is dead itself."""
        found = list(find_marked(MARK, self._home))
        self._reap()
        leaders = {marked.pid for marked in found if marked.leads}
        return _running([marked for marked in found if marked.leads or marked.session not in leaders])

    def _reap(self) -> None:
        """Wait for children that have ended, so that the system forgets them."""
        self._children = {pid: child for pid, child in self._children.items() if child.poll() is None}

    def _leaders(self) -> list[Running]:
        return _running([marked for marked in find_marked(MARK, self._home) if marked.leads])

    def tidy(self, replica: ReplicaSpec) -> None:
        """Cut its log."""
        bound_log(replica.log)

    def remove_unused(self, needed: set[str]) -> None:
        """Nothing is prepared."""

    def refresh_log(self, replica: ReplicaSpec) -> None:
        """It writes there itself."""


def _running(found: list[Marked]) -> list[Running]:
    running = []
    for marked in found:
        deployment, _, index = marked.text.partition("-")
        with contextlib.suppress(ValueError):
            running.append(Running(int(deployment), int(index), Identity(marked.pid, marked.created_at)))
    return running


def _process(identity: Identity) -> tuple[int, float]:
    assert identity.pid is not None and identity.created_at is not None, "a process is known by pid and start"
    return identity.pid, identity.created_at
