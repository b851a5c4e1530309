"""Brings deployments together with what is wanted: at start, when poked, when a process ends, and every 15 s.

All state is in the registry, so a pass may be cut off anywhere and the next one goes on: a model server started and
not yet written down is adopted by its mark; routes put and not yet acknowledged are put again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from engine.blobs.store import BlobStore
from engine.deployment import records
from engine.deployment.gateway_keeper import GatewayKeeper
from engine.deployment.recorder import Recorder
from engine.deployment.replicas import Replicas, why
from engine.deployment.rollout import (
    QUICK_DEATHS,
    Action,
    Drain,
    Fail,
    Finish,
    StartReplica,
    StopReplica,
    Switch,
    Withdraw,
    next_actions,
)
from engine.deployment.runtime import Runtime
from engine.deployment.serve_folder import clear
from engine.deployment.waker import Waker
from engine.errors import DamagedBlob, DockerUnavailable, EngineError, NotFound, NotThereYet
from engine.failpoint import failpoint
from engine.gateway.protocol import Gateway, GatewayStatus
from engine.registry.queries.rollouts import RolloutRow, RolloutRows
from engine.registry.reader import Reader
from engine.registry.writer import Writer
from engine.settings import Config, Home

log = logging.getLogger(__name__)

FAILPOINTS = (
    "replica.started", "gateway.started", "rollout.ready", "rollout.switched", "rollout.routed", "rollout.drained",
    "rollout.cleared",
)  # fmt: skip
"""Places between two durable steps of a rollout, for `engine.failpoint`."""

EVERY_S = 15.0
LET_GO_S = 600.0
BUSY_S = 0.05
"""Between passes while a model server starts or drains."""

DRAIN_S = 30.0
END_S = 40.0
HELD_S = 5.0
"""A deployment with which something unforeseen went wrong is left alone this long; the others go on."""
ROUNDS = 20
"""Steps of a rollout that may follow each other in one pass."""


@dataclass(frozen=True)
class _Hold:
    """A deployment is left alone."""

    until: float
    note: str
    """Why."""
    docker: bool
    """Docker did not answer: once it does, it is left alone no longer."""


class Reconciler:
    """Runs in a thread of its own; `poke` may come from any. `runtimes` by the name that deployments ask for."""

    def __init__(
        self,
        home: Home,
        config: Config,
        writer: Writer,
        reader: Reader,
        blobs: BlobStore,
        runtimes: Mapping[str, Runtime],
        gateway: Gateway,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._recorder = Recorder(writer, reader)
        self._clock = clock
        self._replicas = Replicas(home, self._recorder, blobs, runtimes, config.capture.limit_mb << 20, clock)
        self._keeper = GatewayKeeper(home, config.gateway, self._recorder, gateway, clock)
        self._draining: dict[int, float] = {}
        self._held: dict[int, _Hold] = {}
        self._swept_at: float | None = None
        self._let_go_at: float | None = None
        self._waker = Waker()
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, name="reconciler", daemon=True)

    def start(self) -> None:
        """Begin; the first pass comes at once."""
        self._thread.start()

    def stop(self, *, everything: bool = False) -> None:
        """End after the pass at hand. Gateway and model servers go on, unless `everything` is to end too."""
        if self._stopping:
            return
        self._stopping = True
        self._waker.poke()
        if self._thread.is_alive():
            self._thread.join()
        if everything:
            self._keeper.end()
            self._replicas.end_all(self._recorder.rows().deployments, END_S)
        self._waker.close()

    def poke(self) -> None:
        """Look now. Returns at once."""
        self._waker.poke()

    @property
    def gateway_note(self) -> str:
        """Why the gateway is not there, in one sentence; empty when it is, or is not needed yet."""
        return self._keeper.note

    def _serve(self) -> None:
        while not self._stopping:
            try:
                pause_s = self.run_pass()
            except EngineError as error:
                log.error("a pass over the deployments was cut off: %s", error)
                pause_s = 1.0
            except Exception:
                log.exception("a pass over the deployments failed")
                pause_s = 5.0
            if not self._stopping:
                self._waker.sleep(pause_s)

    def run_pass(self) -> float:
        """Look at everything once and do what can be done now; seconds until the next look."""
        rows = self._recorder.fresh()
        status = self._keep_gateway(rows)
        for _ in range(ROUNDS):
            alive = self._observe(rows)
            rows = self._recorder.rows()
            status = status or self._keep_gateway(rows)
            in_force = self._keeper.bring_in_force(rows, status)
            rows = self._recorder.rows()
            moved = False
            for action in next_actions(rows.deployments, alive, in_force=in_force):
                moved = self._try(action, status) or moved
            rows = self._recorder.rows()
            if not moved:
                break
        self._sweep(rows)
        self._watch(rows, status)
        return self._pause_s(rows, alive, in_force=in_force)

    def _keep_gateway(self, rows: RolloutRows) -> GatewayStatus | None:
        """It runs from the first version that is ready to answer."""
        released = rows.gateway is not None and (rows.gateway.generation > 0 or rows.gateway.note != "")
        return self._keeper.keep(rows.gateway) if released or any(map(_is_ready, rows.deployments)) else None

    def _observe(self, rows: RolloutRows) -> dict[tuple[int, int], bool]:
        """Look at all but those that are left alone: of these nothing is known, and nothing is done to them."""
        for row in rows.deployments:
            hold = self._held.get(row.id)
            if hold and (hold.until <= self._clock() or (hold.docker and self._replicas.is_answered(row))):
                del self._held[row.id]
                if row.note == hold.note:
                    self._recorder.write(partial(records.record_trouble, deployment=row.id, note=""))
        return self._replicas.observe(tuple(row for row in rows.deployments if row.id not in self._held), self._hold)

    def _try(self, action: Action, status: GatewayStatus | None) -> bool:
        """Do one thing, so that what goes wrong with one deployment does not cut off the others."""
        if action.deployment.id in self._held:
            return False
        try:
            return self._do(action, status)
        except Exception as error:
            self._hold(action.deployment, error)
            return False

    def _hold(self, row: RolloutRow, error: Exception) -> None:
        """Leave a deployment alone for a while, and say why in the log and at the deployment."""
        note = _trouble(error)
        known = isinstance(error, DockerUnavailable)
        self._held[row.id] = _Hold(self._clock() + HELD_S, note, known)
        if not known or row.note != note:
            log.error("deployment %d (%s@%d) is held up: %s", row.id, row.endpoint, row.version, note,
                      exc_info=None if known else error)  # fmt: skip
        # Where this cannot be written either, it is the registry that is in trouble, and the pass ends.
        self._recorder.write(partial(records.record_trouble, deployment=row.id, note=note))

    def _do(self, action: Action, status: GatewayStatus | None) -> bool:
        """Do one thing; whether another may follow at once."""
        row = action.deployment
        try:
            match action:
                case StartReplica(_, index):
                    return self._replicas.start(row, index)
                case StopReplica(_, index):
                    self._replicas.end(row, index)
                    return False
                case Drain():
                    self._drain(row)
                    return False
                case Switch():
                    return self._switch(row, status)
                case Withdraw():
                    self._recorder.write(partial(records.withdraw, deployment=row.id))
                case Fail():
                    ended = f"It ended {QUICK_DEATHS} times soon after its start."
                    self._recorder.write(partial(records.fail, deployment=row.id, reason=f"{ended} {row.note}"))
                case Finish():
                    self._finish(row)
        except (DamagedBlob, NotFound, NotThereYet) as error:
            self._recorder.write(partial(records.fail, deployment=row.id, reason=why(error)))
            if not row.started:
                clear(self._home, row.id)
        return True

    def _switch(self, row: RolloutRow, status: GatewayStatus | None) -> bool:
        """Traffic moves only while the gateway is there to move it."""
        if status is None:
            note = f"Ready; it waits for the gateway. {self._keeper.note}".strip()
            if row.note != note:
                self._recorder.write(partial(records.record_trouble, deployment=row.id, note=note))
            return False
        failpoint("rollout.ready")
        self._recorder.write(partial(records.switch, deployment=row.id))
        failpoint("rollout.switched")
        return True

    def _drain(self, row: RolloutRow) -> None:
        """End the replicas once nothing is in flight to them, at the latest after 30 s: they finish it themselves."""
        began_at = self._draining.setdefault(row.id, self._clock())
        if self._keeper.is_drained(row.id) or self._clock() - began_at > DRAIN_S:
            failpoint("rollout.drained")
            for replica in row.started:
                self._replicas.end(row, replica.index)

    def _finish(self, row: RolloutRow) -> None:
        clear(self._home, row.id)
        failpoint("rollout.cleared")
        self._recorder.write(partial(records.finish, deployment=row.id))
        self._replicas.forget(row)
        self._draining.pop(row.id, None)

    def _sweep(self, rows: RolloutRows) -> None:
        """Orphans and logs, every 15 s."""
        if self._swept_at is None or self._clock() - self._swept_at >= EVERY_S:
            self._swept_at = self._clock()
            for row in rows.deployments:
                try:
                    self._replicas.tidy(row)
                except Exception as error:
                    # Its log grows; that is no reason to hold it up.
                    log.error("the logs of deployment %d cannot be tidied", row.id, exc_info=error)
            self._let_go(rows)
            if self._replicas.end_orphans(rows.deployments):
                self._swept_at -= EVERY_S - 1.0

    def _let_go(self, rows: RolloutRows) -> None:
        """Images, every ten minutes."""
        if self._let_go_at is None or self._clock() - self._let_go_at >= LET_GO_S:
            self._let_go_at = self._clock()
            self._replicas.remove_unused(rows.deployments)

    def _watch(self, rows: RolloutRows, status: GatewayStatus | None) -> None:
        pids = {replica.pid for row in rows.deployments for replica in row.started if replica.pid is not None}
        self._waker.watch(pids | ({status.pid} if status else set()))

    def _pause_s(self, rows: RolloutRows, alive: Mapping[tuple[int, int], bool], *, in_force: bool) -> float:
        """Health and logs are looked at every five seconds; all else comes by a poke, an end, or what is under way."""
        pauses = [EVERY_S / 3 if rows.deployments else EVERY_S]
        if not in_force or self._keeper.note:
            pauses.append(max(self._keeper.pause_s, BUSY_S))
        for row in rows.deployments:
            if row.id in self._held:
                pauses.append(max(self._held[row.id].until - self._clock(), BUSY_S))
            elif row.status == "draining" and in_force:
                pauses.append(BUSY_S)
            elif row.status in ("failed", "stopped"):
                pauses += [BUSY_S] * bool(row.started)
            elif row.status != "draining":
                pauses += [self._lack_s(row, index, alive) for index in range(row.replicas)]
        return min(pauses)

    def _lack_s(self, row: RolloutRow, index: int, alive: Mapping[tuple[int, int], bool]) -> float:
        if row.replica(index).healthy:
            return EVERY_S
        return BUSY_S if alive.get((row.id, index)) else max(self._replicas.pause_s(row, index), BUSY_S)


def _is_ready(row: RolloutRow) -> bool:
    return row.status not in ("failed", "stopped") and all(row.replica(index).healthy for index in range(row.replicas))


def _trouble(error: Exception) -> str:
    """What went wrong, in one sentence for people."""
    if isinstance(error, EngineError):
        return why(error)
    return f"It is held up by an unforeseen {type(error).__name__}, and tried again; `logs/engine.log` has the trace."
