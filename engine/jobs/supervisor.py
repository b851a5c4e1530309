"""Runs the queue: starts workers, watches that they live and move, ends them with all their children.

One thread looks at everything, every fifth of a second while something runs and only when poked while nothing does.
What may take seconds, ending a tree of processes, has a thread of its own for each job.

After a crash of the engine its workers go on; the next engine finds them by pid and start time, or, where it was
killed before the pid was written down, by their marker, and watches them as if they were its own.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from engine.errors import EngineError
from engine.failpoint import failpoint
from engine.jobs.death import count_memory_kills, death_by_silence, death_of
from engine.jobs.marker import attempt_of, marker
from engine.jobs.spawn import Order, spawn_worker
from engine.jobs.token import Token, make_token
from engine.jobs.tree import TERM_S, Identity, end_tree, find_marks, identity, is_alive
from engine.registry.events import ENGINE
from engine.registry.queries.attempts import AttemptRow, read_attempts
from engine.registry.queue import claim_next, end_job, record_process, retry_or_fail
from engine.registry.reader import Reader
from engine.registry.tables import Job
from engine.registry.tx import Tx
from engine.registry.writer import Writer
from engine.settings import Config, Home
from engine.wire.base import Failure

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.2
IDLE_S = 30.0
RETRY_S = 1.0
LINGER_S = 3.0
"""How long a worker whose job is over may take to end by itself."""


class Parts(Protocol):
    """What of the engine's parts is needed here."""

    @property
    def home(self) -> Home:
        """Where work folders and logs lie."""

    @property
    def config(self) -> Config:
        """Slots and limits."""

    @property
    def writer(self) -> Writer:
        """To change the registry."""

    @property
    def reader(self) -> Reader:
        """To read it."""


Spawn = Callable[[Home, Order, int], "subprocess.Popen[bytes]"]


def _spawn(home: Home, order: Order, slots: int) -> subprocess.Popen[bytes]:
    return spawn_worker(home, order, slots=slots)


@dataclass
class _Watched:
    job_id: int
    attempt: int
    mark: str
    worker: Identity | None
    process: subprocess.Popen[bytes] | None = None
    """None: adopted; another engine was its parent."""
    memory_kills: int | None = None
    over_since: float | None = None
    """When its job was first seen to be over."""
    failure: Failure | None = None
    """Why it is ended before its job is over."""
    final: bool = False
    """The failure is one that another attempt would not mend."""
    put_down: bool = False
    """It is ended with the engine, which says nothing against its job."""
    ending: threading.Thread | None = None

    def returncode(self) -> int | None:
        return self.process.poll() if self.process is not None else None

    def alive(self) -> bool:
        if self.process is not None:
            return self.process.poll() is None
        return self.worker is not None and is_alive(self.worker)

    def died(self) -> Failure:
        before, now = self.memory_kills, count_memory_kills()
        kills = now - before if before is not None and now is not None else 0
        return death_of(self.returncode(), memory_kills=kills)


class Supervisor:
    """Runs jobs from `start` to `stop`.

    `lay_out(job_id, attempt)` makes the work folder before a worker starts, and `silent_s(job_id, attempt)` tells how
    long it has said nothing: both are lifecycle's, handed in by bootstrap.
    """

    def __init__(
        self,
        parts: Parts,
        *,
        lay_out: Callable[[int, int], None],
        silent_s: Callable[[int, int], float],
        spawn: Spawn = _spawn,
        linger_s: float = LINGER_S,
        term_s: float = TERM_S,
    ) -> None:
        self._parts = parts
        self._lay_out = lay_out
        self._silent_s = silent_s
        self._spawn = spawn
        self._linger_s = linger_s
        self._term_s = term_s
        self._poked = threading.Event()
        self._stopping = threading.Event()
        self._watched: dict[int, _Watched] = {}
        self._strays: list[_Watched] = []
        self._stuck = False
        """All that wait, wait for jobs that run: nothing may start before something has happened."""
        self._thread = threading.Thread(target=self._serve, name="supervisor", daemon=True)

    def start(self) -> None:
        """Find the workers that outlived an engine, and begin."""
        self._adopt_workers()
        self._thread.start()

    def stop(self, *, end_workers: bool = False) -> None:
        """Look no more. Workers go on and are found again; with `end_workers` they end, and their jobs wait again."""
        self._stopping.set()
        self._poked.set()
        if self._thread.is_alive():
            self._thread.join()
        for stray in self._strays:
            if stray.ending is not None:
                stray.ending.join()
        for watched in list(self._watched.values()):
            if end_workers and watched.ending is None:
                watched.failure = Failure(code="worker_died", message="The engine was stopped with all its workers.")
                watched.put_down = True
                self._end(watched)
            if watched.ending is not None:
                watched.ending.join()
                self._settle(watched)
            elif watched.process is not None:
                # It goes on without us: Python would warn of a child that nobody waits for.
                watched.process.returncode = watched.process.returncode or 0

    def poke(self) -> None:
        """Something may have to be done. Returns at once."""
        self._poked.set()

    def running(self) -> dict[int, int | None]:
        """Pids of the workers by job."""
        return {job: watched.worker.pid if watched.worker else None for job, watched in list(self._watched.items())}

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except EngineError as error:
                # A full disk, for one: what could not be written now is tried again.
                log.error("jobs: %s", error)
                self._stopping.wait(RETRY_S)
                continue
            except Exception:
                log.exception("jobs: a round failed")
                self._stopping.wait(RETRY_S)
                continue
            self._poked.wait(LOOK_EVERY_S if self._watched else IDLE_S)
            if self._poked.is_set():
                self._poked.clear()
                self._stuck = False

    def _round(self) -> None:
        now = read_attempts(self._parts.reader)
        rows = {row.job_id: row for row in now.running}
        for watched in list(self._watched.values()):
            self._look_at(watched, rows.get(watched.job_id))
        slots = self._parts.config.jobs.slots
        while now.queued and not self._stuck and len(self._watched) < slots and not self._stopping.is_set():
            self._stuck = not self._start_next()

    def _look_at(self, watched: _Watched, row: AttemptRow | None) -> None:
        if watched.ending is not None:
            if not watched.ending.is_alive():
                self._settle(watched)
        elif row is None or row.attempt != watched.attempt:
            self._let_go(watched)
        elif row.cancel_asked:
            self._end(watched)
        elif not watched.alive():
            watched.failure = watched.died()
            self._end(watched)
        elif (silent_s := self._silent_s(watched.job_id, watched.attempt)) > self._parts.config.jobs.progress_limit_s:
            # Another attempt would hang as well.
            watched.failure, watched.final = death_by_silence(silent_s), True
            self._end(watched)

    def _let_go(self, watched: _Watched) -> None:
        """The job is over: the worker may end by itself, and then its leftovers are ended."""
        if watched.over_since is None:
            watched.over_since = time.monotonic()
        if not watched.alive() or time.monotonic() - watched.over_since > self._linger_s:
            self._end(watched)

    def _end(self, watched: _Watched) -> None:
        watched.ending = threading.Thread(
            target=_end_all, args=(watched, self._term_s), name=f"end-{watched.mark}", daemon=True
        )
        watched.ending.start()

    def _settle(self, watched: _Watched) -> None:
        """Nothing of the attempt runs any more: say what becomes of its job."""
        if watched.over_since is None:
            self._parts.writer.write_and_wait(lambda tx: _tell(tx, watched))
            failpoint("job.ended")
        del self._watched[watched.job_id]
        self._poked.set()

    def _start_next(self) -> bool:
        token = make_token()
        claimed = self._parts.writer.write_and_wait(lambda tx: _claim(tx, token))
        if claimed is None:
            return False
        failpoint("job.claimed")
        # Watched from its claim on: whatever fails from here, nobody else would ever look at it again.
        watched = _Watched(claimed.job_id, claimed.attempt, self._mark(claimed.job_id, claimed.attempt), None)
        self._watched[claimed.job_id] = watched
        try:
            self._lay_out(claimed.job_id, claimed.attempt)
            watched.memory_kills = count_memory_kills()
            watched.process = self._spawn(self._parts.home, claimed, self._parts.config.jobs.slots)
        except EngineError as error:
            watched.failure, watched.final = Failure(code=error.code, message=error.message, hint=error.hint), True
            self._end(watched)
            return True
        failpoint("job.spawned")
        watched.worker = worker = identity(watched.process.pid)
        if worker is not None:
            self._parts.writer.write_and_wait(
                lambda tx: record_process(tx, claimed.job_id, claimed.attempt, worker.pid, worker.created_at)
            )
        return True

    def _adopt_workers(self) -> None:
        marked = find_marks()
        for row in read_attempts(self._parts.reader).running:
            mark = self._mark(row.job_id, row.attempt)
            known = Identity(row.pid, row.pid_created_at) if row.pid and row.pid_created_at else None
            worker = _again(known, marked.get(mark, [])) if known else _leader(marked.get(mark, []))
            self._watched[row.job_id] = _Watched(row.job_id, row.attempt, mark, worker)
            alive = worker is not None and is_alive(worker)
            log.info("job %d, attempt %d: its worker %s", row.job_id, row.attempt, "goes on" if alive else "is gone")
        self._end_strays(marked)

    def _end_strays(self, marked: dict[str, list[Identity]]) -> None:
        """What an engine left behind that was killed after a job's end, or after an attempt's, was written down."""
        watched = {row.mark for row in self._watched.values()}
        for mark, processes in marked.items():
            of = attempt_of(mark, self._parts.home.root)
            if of is None or mark in watched:
                continue
            log.info("job %d, attempt %d is over: ending what is left of it", *of)
            stray = _Watched(*of, mark, _leader(processes), over_since=time.monotonic())
            self._end(stray)
            self._strays.append(stray)

    def _mark(self, job_id: int, attempt: int) -> str:
        return marker(self._parts.home.root, job_id, attempt)


def _claim(tx: Tx, token: Token) -> Order | None:
    job = claim_next(tx, token.sha256)
    return Order(job.id or 0, job.attempt, job.kind, token.text) if job is not None else None


def _tell(tx: Tx, watched: _Watched) -> None:
    job = tx.get(Job, watched.job_id)
    if job is None or job.status != "running" or job.attempt != watched.attempt:
        return
    if job.cancel_asked:
        end_job(tx, ENGINE, job, "cancelled")
    elif watched.failure is not None and watched.final:
        end_job(tx, ENGINE, job, "failed", failure=watched.failure)
    elif watched.failure is not None:
        job.max_attempts += int(watched.put_down)
        retry_or_fail(tx, job, watched.failure)


def _again(known: Identity, marked: list[Identity]) -> Identity:
    """The worker as the process table has it now: a clock that was set has moved its start, its mark is the same."""
    return next((found for found in marked if found.pid == known.pid), known)


def _leader(processes: list[Identity]) -> Identity | None:
    """The worker among its children: that of an engine that was killed before it wrote the pid down."""
    return next((found for found in processes if _leads_session(found.pid)), None)


def _leads_session(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


def _end_all(watched: _Watched, term_s: float) -> None:
    left = end_tree(watched.worker, watched.mark, term_s=term_s, reap=watched.returncode)
    if left:
        log.error("job %d: processes that cannot be ended: %s", watched.job_id, [process.pid for process in left])
