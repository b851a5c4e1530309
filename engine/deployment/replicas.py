"""Keeps model servers running: sees which live, notices those that die or fall silent, starts and ends them.

What is remembered here may be lost with the engine: it only paces what is done. What counts is in the registry.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from engine.blobs.store import BlobStore
from engine.deployment import records
from engine.deployment.choose_runtime import choose_runtime
from engine.deployment.recorder import Recorder
from engine.deployment.runtime import Identity, ReplicaSpec, Runtime
from engine.deployment.serve_folder import lay_out, replica_spec
from engine.errors import DockerUnavailable, EngineError, NotThereYet, Unavailable
from engine.failpoint import failpoint
from engine.registry.queries.rollouts import ReplicaRow, RolloutRow
from engine.settings import Home

log = logging.getLogger(__name__)

START_LIMIT_S = 60.0
"""A model server that is not ready after this long is ended, and started again."""

QUICK_S = 5.0
"""A death this soon after the start, or before it was ready, speaks against the version."""

CALM_S = 60.0
"""After this long without a death, earlier ones no longer count."""

FREE_DEATHS = 2
"""Started again at once so often; then ever later."""

PROBE_S = 5.0
SILENT_PROBES = 3
TERM_S = 10.0
"""From SIGTERM to SIGKILL, once nothing is in flight."""

RETRY_S = 5.0
LONGEST_PAUSE_S = 30.0

UNDER_WAY_S = 0.1
"""Between questions whether a start has come to its end."""

AUTO, DOCKER, PROCESS = "auto", "docker", "process"

Key = tuple[int, int]


@dataclass
class _Memory:
    """Of one replica."""

    seen_at: float
    probe_at: float = 0.0
    silent: int = 0
    condemned: str = ""
    """Why it is being ended though it is wanted."""
    asked_to_end_at: float | None = None
    unseen: bool = False
    """Docker was away since: that it ended meanwhile says nothing of the version."""


class Replicas:
    """Brings the model servers of this home to what the registry wants. One thread."""

    def __init__(
        self,
        home: Home,
        recorder: Recorder,
        blobs: BlobStore,
        runtimes: Mapping[str, Runtime],
        capture_limit_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._recorder = recorder
        self._blobs = blobs
        self._runtimes = {name: runtime for name, runtime in runtimes.items() if name != AUTO}
        self._capture_limit_bytes = capture_limit_bytes
        self._clock = clock
        self._memory: dict[Key, _Memory] = {}
        self._not_before: dict[Key, float] = {}
        self._under_way: set[Key] = set()
        """Laid out, and on their way up."""
        self._without_docker: set[Key] = set()
        """They wait until Docker answers, and no longer."""
        self._orphans: dict[Identity, float] = {}
        self._away = True
        """Nothing was looked at yet: what is gone ended while no engine was there."""

    def observe(self, rows: tuple[RolloutRow, ...], failed: Callable[[RolloutRow, Exception], None]) -> dict[Key, bool]:
        """Which replicas are alive; deaths and readiness are written down.

        A deployment that could not be looked at is told to `failed`, and nothing is said of its replicas.
        """
        alive: dict[Key, bool] = {}
        for row in rows:
            try:
                alive |= self._observe_one(row)
            except Exception as error:
                failed(row, error)
        self._away = False
        return alive

    def runtime(self, row: RolloutRow) -> Runtime:
        """What runs a deployment whose runtime is settled.

        Raises:
            NotThereYet: nothing here can.
        """
        name = PROCESS if row.runtime == AUTO else row.runtime
        if name not in self._runtimes:
            raise NotThereYet(
                f"The runtime {name} is not there yet, so {row.endpoint}@{row.version} cannot be started.",
                f'Set runtime = "{PROCESS}" under [release] in mlops.toml.',
            )
        return self._runtimes[name]

    def is_answered(self, row: RolloutRow) -> bool:
        """Whether what runs a deployment answers now, though it did not before."""
        runtime = self._runtimes.get(row.runtime)
        return runtime is not None and runtime.readiness().ok is not False

    def start(self, row: RolloutRow, index: int) -> bool:
        """Start a replica unless it has to wait, after a death or for what is under way; False: it waits.

        Raises:
            DamagedBlob, NotFound, NotThereYet: trying again would not help.
        """
        key = (row.id, index)
        if self._clock() < self._not_before.get(key, 0.0) and not (
            key in self._without_docker and self.is_answered(row)
        ):
            return False
        self._without_docker.discard(key)
        if row.runtime == AUTO:
            return self._settle(row, key)
        runtime = self.runtime(row)
        try:
            if key not in self._under_way:
                self._lay_out(row, index)
            identity = runtime.start(self._spec(row.id, index))
        except Unavailable as error:
            self._under_way.discard(key)
            self._not_before[key] = self._clock() + RETRY_S
            if isinstance(error, DockerUnavailable):
                self._without_docker.add(key)
            self._tell(row, why(error) if row.runtime == DOCKER else error.message)
            return False
        if identity is None:
            self._under_way.add(key)
            self._not_before[key] = self._clock() + UNDER_WAY_S
            return False
        self._under_way.discard(key)
        failpoint("replica.started")
        self._remember(row.id, index, runtime, identity)
        return True

    def _lay_out(self, row: RolloutRow, index: int) -> None:
        lay_out(self._home, self._blobs, row, index, self._capture_limit_bytes, container=row.runtime == DOCKER)

    def _settle(self, row: RolloutRow, key: Key) -> bool:
        """Say what `auto` is for a deployment, once and for all."""
        docker = self._runtimes[DOCKER].readiness() if DOCKER in self._runtimes else None
        choice = choose_runtime(docker)
        if choice is None:
            self._not_before[key] = self._clock() + UNDER_WAY_S
            return False
        log.info("deployment %d (%s@%d): %s", row.id, row.endpoint, row.version, choice.reason)
        self._recorder.write(
            partial(records.record_runtime, deployment=row.id, runtime=choice.runtime, reason=choice.reason)
        )
        return True

    def _tell(self, row: RolloutRow, note: str) -> None:
        if row.note != note:
            self._recorder.write(partial(records.record_trouble, deployment=row.id, note=note))

    def pause_s(self, row: RolloutRow, index: int) -> float:
        """Seconds until `start` would do something."""
        return max(0.0, self._not_before.get((row.id, index), 0.0) - self._clock())

    def end(self, row: RolloutRow, index: int) -> None:
        """Ask a replica to end; one that does not is ended after ten seconds."""
        identity = _identity(row.replica(index))
        if identity is None:
            return
        memory = self._memory.setdefault((row.id, index), _Memory(self._clock()))
        if memory.asked_to_end_at is None:
            memory.asked_to_end_at = self._clock()
            self.runtime(row).stop(identity, force=False)
        elif self._clock() - memory.asked_to_end_at > TERM_S:
            self.runtime(row).stop(identity, force=True)

    def forget(self, row: RolloutRow) -> None:
        """A deployment is over."""
        for key in [key for key in {*self._memory, *self._not_before, *self._without_docker} if key[0] == row.id]:
            self._memory.pop(key, None)
            self._not_before.pop(key, None)
            self._under_way.discard(key)
            self._without_docker.discard(key)

    def end_orphans(self, rows: tuple[RolloutRow, ...]) -> bool:
        """End model servers of this home that the registry does not know or wants no more; True: some are left."""
        known = {identity for row in rows for replica in row.started if (identity := _identity(replica))}
        found: dict[Identity, Runtime] = {}
        for runtime in self._runtimes.values():
            for running in runtime.ours():
                if _same(running.identity, known) or _will_be_adopted(rows, running.deployment, running.index):
                    continue
                found[running.identity] = runtime
        for identity, runtime in found.items():
            asked_at = self._orphans.setdefault(identity, self._clock())
            force = self._clock() - asked_at > TERM_S
            log.warning("ending %s, which no deployment knows", identity)
            runtime.stop(identity, force=force)
        self._orphans = {identity: at for identity, at in self._orphans.items() if identity in found}
        return bool(found)

    def end_all(self, rows: tuple[RolloutRow, ...], timeout_s: float) -> None:
        """End every model server of this home; the registry goes on wanting them."""
        give_up_at = self._clock() + timeout_s
        asked: set[Identity] = set()
        while left := [(runtime, each.identity) for runtime in self._runtimes.values() for each in runtime.ours()]:
            for runtime, identity in left:
                if identity not in asked or self._clock() > give_up_at:
                    runtime.stop(identity, force=identity in asked)
                    asked.add(identity)
                runtime.runs(identity)
            time.sleep(0.05)
        for row in rows:
            for replica in row.started:
                self._recorder.write(partial(records.forget_replica, deployment=row.id, index=replica.index))

    def remove_unused(self, rows: tuple[RolloutRow, ...]) -> None:
        """Keep what the deployments run from, and for each endpoint the champion's and what the one before had."""
        needed = {f"{row.endpoint}@{row.version}" for row in rows}
        for name, versions in self._recorder.reigns().items():
            needed |= {f"{name}@{number}" for number in versions[:2]}
        for runtime in self._runtimes.values():
            runtime.remove_unused(needed)

    def tidy(self, row: RolloutRow) -> None:
        """Keep its logs within bounds."""
        for replica in row.started:
            if _identity(replica) is not None:
                self.runtime(row).tidy(self._spec(row.id, replica.index))

    def _observe_one(self, row: RolloutRow) -> dict[Key, bool]:
        alive: dict[Key, bool] = {}
        for replica in row.started:
            identity = _identity(replica)
            if identity is not None and replica.runtime in self._runtimes:
                alive[row.id, replica.index] = self._look(row, replica, identity)
        self._calm(row)
        return alive

    def _look(self, row: RolloutRow, replica: ReplicaRow, identity: Identity) -> bool:
        runtime, key = self.runtime(row), (row.id, replica.index)
        memory = self._memory.setdefault(key, _Memory(self._clock()))
        try:
            lives = runtime.runs(identity)
        except DockerUnavailable:
            memory.unseen = True
            self._note_silence(row, replica, runtime)
            raise
        if not lives:
            return self._gone(row, replica, runtime)
        if memory.unseen:
            memory.unseen, memory.seen_at = False, self._clock()
        if row.status in ("starting", "ready", "live"):
            self._probe(row, replica, runtime, memory, identity)
        return True

    def _note_silence(self, row: RolloutRow, replica: ReplicaRow, runtime: Runtime) -> None:
        """Where Docker does not answer, the model server itself still tells whether it is there."""
        if replica.healthy and not runtime.is_ready(self._spec(row.id, replica.index)):
            self._recorder.write(partial(records.record_silent, deployment=row.id, index=replica.index))

    def _gone(self, row: RolloutRow, replica: ReplicaRow, runtime: Runtime) -> bool:
        """It is found again by its mark where a clock jumped, or Docker started it again; else it has ended."""
        memory = self._memory.pop((row.id, replica.index))
        for running in runtime.ours():
            if (running.deployment, running.index) == (row.id, replica.index):
                if running.identity.container is not None and row.status in ("starting", "ready", "live"):
                    self._died(row, replica, runtime, memory)
                self._remember(row.id, replica.index, runtime, running.identity)
                return True
        if row.status in ("starting", "ready", "live"):
            self._died(row, replica, runtime, memory)
        return False

    def _died(self, row: RolloutRow, replica: ReplicaRow, runtime: Runtime, memory: _Memory) -> None:
        quick = not self._away and not memory.unseen
        quick = quick and (not replica.healthy or self._clock() - memory.seen_at < QUICK_S)
        said = runtime.last_words(self._spec(row.id, replica.index))
        if self._away:
            said = "it ended while the engine was away."
        elif memory.unseen:
            said = "it ended while Docker did not answer."
        reason = memory.condemned or said or "it was killed, or ran out of memory; it said nothing."
        log.warning("replica %d of deployment %d ended: %s", replica.index, row.id, reason)
        deaths = row.failed_starts + int(quick)
        if deaths > FREE_DEATHS:
            pause_s = min(0.5 * 2 ** (deaths - FREE_DEATHS - 1), LONGEST_PAUSE_S)
            self._not_before[row.id, replica.index] = self._clock() + pause_s
        self._recorder.write(
            partial(records.record_death, deployment=row.id, index=replica.index, reason=reason, quick=quick)
        )

    def _probe(
        self, row: RolloutRow, replica: ReplicaRow, runtime: Runtime, memory: _Memory, identity: Identity
    ) -> None:
        now = self._clock()
        if memory.condemned or (replica.healthy and now < memory.probe_at):
            return
        memory.probe_at = now + PROBE_S
        if runtime.is_ready(self._spec(row.id, replica.index)):
            memory.silent = 0
            if not replica.healthy:
                self._recorder.write(partial(records.record_ready, deployment=row.id, index=replica.index))
            return
        memory.silent += 1
        if not replica.healthy and now - memory.seen_at > START_LIMIT_S:
            memory.condemned = f"it was not ready after {START_LIMIT_S:g} s."
        elif replica.healthy and memory.silent >= SILENT_PROBES:
            memory.condemned = "it no longer answered."
        if memory.condemned:
            runtime.stop(identity, force=True)

    def _calm(self, row: RolloutRow) -> None:
        memories = [self._memory.get((row.id, index)) for index in range(row.replicas)]
        calm = all(memory is not None and self._clock() - memory.seen_at > CALM_S for memory in memories)
        if row.failed_starts and calm and all(row.replica(index).healthy for index in range(row.replicas)):
            self._recorder.write(partial(records.record_calm, deployment=row.id))

    def _remember(self, deployment: int, index: int, runtime: Runtime, identity: Identity) -> None:
        name = next(name for name, each in self._runtimes.items() if each is runtime)
        self._memory[deployment, index] = _Memory(self._clock())
        self._recorder.write(
            partial(records.record_started, deployment=deployment, index=index, runtime=name, identity=identity)
        )

    def _spec(self, deployment: int, index: int) -> ReplicaSpec:
        return replica_spec(self._home, deployment, index)


def _identity(replica: ReplicaRow) -> Identity | None:
    if replica.pid is None and replica.container is None:
        return None
    return Identity(replica.pid, replica.pid_created_at, replica.container)


def _same(identity: Identity, known: set[Identity]) -> bool:
    return any((each.pid, each.container) == (identity.pid, identity.container) for each in known)


def _will_be_adopted(rows: tuple[RolloutRow, ...], deployment: int, index: int) -> bool:
    """It was started, and not yet written down, for a deployment that wants it."""
    return any(
        row.id == deployment
        and row.status in ("starting", "ready", "live")
        and index < row.replicas
        and _identity(row.replica(index)) is None
        for row in rows
    )


def why(error: EngineError) -> str:
    """An error as a note of one or two sentences."""
    return f"{error.message} {error.hint}".strip()
