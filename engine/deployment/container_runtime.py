"""Model servers in containers.

A thread looks at Docker every two seconds, and at once when a container's process ends; what it saw answers every
question, so that nobody waits for a daemon that hangs. Whatever takes time (building, starting, ending) is done by a
thread of its own.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.deployment.base_image import Base, find_base, probe_base
from engine.deployment.container_body import IMAGE_OWNER, OWNER, Limits, container_name, replica_body
from engine.deployment.container_log import ContainerLogs
from engine.deployment.container_view import Seen, cpu_seconds_of, is_ours, memory_of, seen
from engine.deployment.docker_runtime import DockerDaemon
from engine.deployment.image_builder import RUNTIME_LABEL, VERSION_LABEL, Image, ImageBuilder
from engine.deployment.image_context import own_tags
from engine.deployment.marked import home_mark
from engine.deployment.process_log import last_line
from engine.deployment.runtime import Identity, Readiness, ReplicaSpec, Running
from engine.deployment.serve_folder import replica_spec
from engine.deployment.unix_http import ask
from engine.deployment.waker import Waker
from engine.errors import Conflict, DockerUnavailable, EngineError, NotFound, Unavailable
from engine.failpoint import failpoint
from engine.registry.queries.endpoints import Usage
from engine.settings import Docker, Home

log = logging.getLogger(__name__)

Key = tuple[int, int]

FAILPOINTS = ("container.created", "container.started")
"""Places between what Docker does and what is recorded, for `engine.failpoint`."""

EVERY_S = 2.0
CLOSELY_S = 0.25
"""While a container is young or comes back, so that no death of it is overlooked."""
ENDED_S = 0.05
"""From the end of a container's process until Docker has noticed it; a tenth of a second later it may run again."""
YOUNG_S = 15.0
FIRST_LOOK_S = 5.0
"""How long the first question waits for the first look."""
FIGURES_S = 5.0
BASE_S = 10.0
READY_S = 2.0
AT_ONCE = 2
"""Containers brought up at the same time."""
REMOVAL_S = 10.0
CLOSE_S = 2.0
"""How long what is under way may take to end with the engine."""
UNUSED_S = 3600.0
"""An image that nothing needs is removed after this long."""


@dataclass
class _Task:
    """One replica on its way up."""

    done: bool = False
    identity: Identity | None = None
    error: EngineError | None = None


@dataclass
class _Sample:
    at: float
    cpu_s: float | None
    usage: Usage


@dataclass
class _State:
    """What the last look saw. Guarded by the runtime's lock."""

    containers: dict[str, Seen] = field(default_factory=dict)
    known_at: dict[str, float] = field(default_factory=dict)
    """When a container was last looked at alone: a list asked for earlier does not count against it."""
    unreachable: DockerUnavailable | None = None
    readiness: Readiness = field(default_factory=lambda: Readiness(None, "Docker is being looked at."))
    base: Base | None = None
    reasons: dict[Key, str] = field(default_factory=dict)
    samples: dict[str, _Sample] = field(default_factory=dict)


class Builder(Protocol):
    """Gives a replica its image; a test may run a program of its own."""

    def ensure(self, replica: ReplicaSpec, base: Base) -> Image:
        """See `ImageBuilder.ensure`."""

    def find(self, replica: ReplicaSpec) -> Image | None:
        """See `ImageBuilder.find`."""


class ContainerRuntime:
    """Runs the image of a replica's bundle. `start_looking` begins, `close` ends; containers go on.

    `poke` is called, from any thread, when something changed.
    """

    def __init__(
        self,
        home: Home,
        settings: Docker,
        daemon: DockerDaemon | None,
        poke: Callable[[], None] = lambda: None,
        builder: Builder | None = None,
    ) -> None:
        self._home = home
        self._settings = settings
        self._daemon = daemon
        self._poke = poke
        self._mark = home_mark(home)
        self._limits = Limits.of(settings)
        self._state = _State()
        self._lock = threading.Lock()
        self._looked = threading.Event()
        self._looked_at_base = float("-inf")
        self._sampled_at = float("-inf")
        self._tasks: dict[Key, _Task] = {}
        self._ending: set[str] = set()
        self._workers: set[threading.Thread] = set()
        self._unneeded: dict[str, float] = {}
        self._slots = threading.Semaphore(AT_ONCE)
        self._waker = Waker()
        self._closing = False
        self._thread = threading.Thread(target=self._look_on, name="docker", daemon=True)
        if daemon is not None:
            self._logs = ContainerLogs(daemon)
            self._builder = builder or ImageBuilder(home, daemon, self._mark)

    def start_looking(self) -> None:
        """Begin; the first look comes at once."""
        self._thread.start()

    def close(self) -> None:
        """End the looking. What is under way may take two seconds; the next engine finds the rest by its labels."""
        self._closing = True
        self._waker.poke()
        if self._thread.is_alive():
            self._thread.join()
        give_up_at = time.monotonic() + CLOSE_S
        for worker in list(self._workers):
            worker.join(max(0.0, give_up_at - time.monotonic()))
        self._waker.close()
        if self._daemon is not None:
            self._daemon.close()

    def readiness(self) -> Readiness:
        """Whether containers can be started, as last seen."""
        self._looked.wait(FIRST_LOOK_S)
        return self._state.readiness

    def start(self, replica: ReplicaSpec) -> Identity | None:
        """Start it, or adopt the container that runs; see `Runtime`."""
        self._need()
        key = (replica.deployment, replica.index)
        with self._lock:
            for each in self._state.containers.values():
                if each.key == key and each.status == "running":
                    self._tasks.pop(key, None)
                    return each.identity
            task = self._tasks.get(key)
            if task is None and self._state.readiness.ok is None:
                return None
            if task is None:
                task = self._tasks[key] = _Task()
                self._background(f"up-{key[0]}-{key[1]}", lambda: self._bring_up(replica, task))
                return None
            if not task.done:
                return None
            del self._tasks[key]
        if task.error is not None:
            raise task.error
        return task.identity

    def runs(self, identity: Identity) -> bool:
        """Whether exactly that container lives, and was not started again meanwhile.

        Raises:
            DockerUnavailable: nobody knows.
        """
        self._need()
        with self._lock:
            found = self._state.containers.get(identity.container or "")
        return found is not None and found.lives and found.identity == identity

    def is_ready(self, replica: ReplicaSpec) -> bool:
        """Whether it answers 200 at `/v2/health/ready`; Docker is not asked."""
        try:
            return ask(replica.socket, "GET", "/v2/health/ready", timeout_s=READY_S)[0] == 200
        except OSError:
            return False

    def last_words(self, replica: ReplicaSpec) -> str:
        """Why it ended: what Docker says of it, else its last line."""
        with self._lock:
            reason = self._state.reasons.get((replica.deployment, replica.index), "")
        return reason or last_line(replica.log)

    def stop(self, identity: Identity, *, force: bool) -> None:
        """SIGTERM, or removal; by another thread."""
        container = identity.container
        assert container is not None, "a container is known by its id"
        with self._lock:
            found = self._state.containers.get(container)
            if found is None or found.identity != identity or container in self._ending:
                return
            self._ending.add(container)
        gentle = not force and found.status == "running"
        self._background(f"end-{container[:12]}", lambda: self._end(container, gentle=gentle))

    def ours(self) -> list[Running]:
        """Every container of this home that is there and has not ended; empty where nobody knows."""
        self._looked.wait(FIRST_LOOK_S)
        with self._lock:
            if self._state.unreachable is not None:
                return []
            there = [each for each in self._state.containers.values() if not each.has_ended]
        return [Running(each.deployment, each.index, each.identity) for each in there]

    def tidy(self, replica: ReplicaSpec) -> None:
        """Docker keeps a container's log within bounds itself."""

    def refresh_log(self, replica: ReplicaSpec) -> None:
        """Bring what it has written since into its log; where Docker does not answer, nothing."""
        with self._lock:
            there = [each.id for each in self._state.containers.values()
                     if each.key == (replica.deployment, replica.index)]  # fmt: skip
            away = self._state.unreachable is not None
        for container in there:
            if not away:
                with contextlib.suppress(EngineError):
                    self._logs.bring(container, replica.log)

    def usage(self, container: str) -> Usage:
        """Memory and CPU as last sampled, seconds ago."""
        with self._lock:
            sample = self._state.samples.get(container)
        return sample.usage if sample else Usage()

    def remove_unused(self, needed: set[str]) -> None:
        """Remove images of ours that no version among `needed` has been run from for an hour."""
        if self._daemon is not None and self._state.unreachable is None:
            self._background("images", lambda: self._remove_images(needed))

    def _need(self) -> DockerDaemon:
        """The daemon, where it answered the last time.

        Raises:
            DockerUnavailable
        """
        self._looked.wait(FIRST_LOOK_S)
        if self._daemon is None:
            raise DockerUnavailable(self._state.readiness.reason, self._state.readiness.hint)
        if not self._looked.is_set():
            raise _hangs(self._daemon)
        if self._state.unreachable is not None:
            error = self._state.unreachable
            raise DockerUnavailable(error.message, error.hint)
        return self._daemon

    def _look_on(self) -> None:
        while not self._closing:
            try:
                pause_s = self._look()
            except Exception:
                log.exception("a look at Docker failed")
                pause_s = EVERY_S
            self._looked.set()
            if not self._closing:
                self._waker.sleep(pause_s)

    def _look(self) -> float:
        """Look at everything once; seconds until the next look."""
        if self._daemon is None:
            self._state.readiness = Readiness(
                False, "Docker is switched off in config.toml.", "Say enabled = true there."
            )
            return 3600.0
        began_at = time.monotonic()
        try:
            found = self._find(self._daemon)
        except DockerUnavailable as error:
            self._lost(error)
            return EVERY_S
        self._keep_words(found)
        changed = self._publish(found, began_at)
        for each in found:
            if each.has_ended:
                self.stop(each.identity, force=True)
        self._look_at_base(self._daemon)
        self._sample(self._daemon, found)
        if changed:
            self._poke()
        self._waker.watch({each.pid for each in found if each.pid})
        return self._pause_s(found)

    def _find(self, daemon: DockerDaemon) -> list[Seen]:
        found = []
        for brief in daemon.containers(f"{OWNER}={self._mark}"):
            if is_ours(brief, self._mark):
                with contextlib.suppress(NotFound):
                    each = seen(daemon.inspect(brief["Id"]))
                    found += [each] if each else []
        return found

    def _lost(self, error: DockerUnavailable) -> None:
        if self._state.unreachable is None or self._state.unreachable.message != error.message:
            log.warning("%s", error.message)
            with self._lock:
                self._state.unreachable = error
                self._state.readiness = Readiness(False, error.message, error.hint)
                self._state.samples = {}
            self._looked_at_base = float("-inf")
            self._poke()

    def _publish(self, found: list[Seen], began_at: float) -> bool:
        """Take over what was seen; whether something is otherwise than before."""
        with self._lock:
            before, known_at = self._state.containers, self._state.known_at
            after = {each.id: each for each in found}
            for container, at in known_at.items():
                if at > began_at and container in before:
                    after[container] = before[container]
            for each in after.values():
                self._note(before.get(each.id), each)
            for container in before.keys() - after.keys() - self._ending:
                if before[container].lives:
                    self._state.reasons[before[container].key] = "its container was removed."
            was_lost = self._state.unreachable is not None
            if was_lost:
                self._state.readiness = Readiness(None, "Docker is being looked at.")
            self._state.containers, self._state.unreachable = after, None
            self._state.known_at = {container: at for container, at in known_at.items() if at > began_at}
            return was_lost or after != before

    def _note(self, before: Seen | None, now: Seen) -> None:
        """Remember why a container ended, before anybody learns that it did."""
        restarted = before is not None and before.started_at not in (0.0, now.started_at)
        if now.has_ended or now.status == "restarting":
            if before != now:
                self._state.reasons[now.key] = now.why()
        elif restarted and before is not None and before.status != "restarting":
            # It went too fast to be seen; what is left to tell is whether it was the memory.
            self._state.reasons[now.key] = now.why()
        elif before is None:
            self._state.reasons.pop(now.key, None)

    def _keep_words(self, found: list[Seen]) -> None:
        """Bring over what was said by those that ended, before anybody learns that they did."""
        for each in found:
            before = self._state.containers.get(each.id)
            if before != each and (each.has_ended or each.status == "restarting"):
                # Of one that is being removed Docker tells no more.
                with contextlib.suppress(NotFound, Conflict, Unavailable):
                    self._logs.bring(each.id, replica_spec(self._home, each.deployment, each.index).log)

    def _look_at_base(self, daemon: DockerDaemon) -> None:
        """Whether containers could be started, every ten seconds."""
        if time.monotonic() - self._looked_at_base < BASE_S:
            return
        self._looked_at_base = time.monotonic()
        name = self._settings.base_image
        try:
            image_id = find_base(daemon, name)
        except DockerUnavailable as error:
            self._lost(error)
            return
        except Unavailable as error:
            self._tell(None, Readiness(False, error.message, error.hint))
            return
        base = self._state.base
        if base is None or base.id != image_id:
            self._background("base", lambda: self._probe(daemon, name, image_id))
        else:
            self._tell(base, _is_ready(name))

    def _probe(self, daemon: DockerDaemon, name: str, image_id: str) -> None:
        try:
            base = probe_base(daemon, name, image_id, self._mark, self._limits)
        except EngineError as error:
            self._tell(None, Readiness(False, error.message, error.hint))
        else:
            self._tell(base, _is_ready(name))

    def _tell(self, base: Base | None, readiness: Readiness) -> None:
        with self._lock:
            changed = self._state.readiness != readiness
            self._state.base, self._state.readiness = base, readiness
        if changed:
            log.info("%s", readiness.reason)
            self._poke()

    def _sample(self, daemon: DockerDaemon, found: list[Seen]) -> None:
        """Memory and CPU of each, every five seconds."""
        if time.monotonic() - self._sampled_at < FIGURES_S:
            return
        self._sampled_at = time.monotonic()
        samples = {}
        for each in found:
            if each.status == "running":
                with contextlib.suppress(NotFound, Conflict):
                    samples[each.id] = _next(self._state.samples.get(each.id), daemon.stats(each.id))
        with self._lock:
            self._state.samples = samples

    def _pause_s(self, found: list[Seen]) -> float:
        if self._waker.has_seen_an_end:
            return ENDED_S
        now = time.time()
        closely = any(
            each.status in ("restarting", "created", "exited") or (each.started_at and now - each.started_at < YOUNG_S)
            for each in found
        )
        return CLOSELY_S if closely else EVERY_S

    def _bring_up(self, replica: ReplicaSpec, task: _Task) -> None:
        try:
            with self._slots:
                task.identity = self._run(self._need(), replica)
        except (Conflict, NotFound) as error:
            # A name that is taken, an image that somebody removed just now: it may go another time.
            task.error = Unavailable(error.message, error.hint)
        except EngineError as error:
            task.error = error
        except Exception as error:
            log.exception("replica %d of deployment %d cannot be brought up", replica.index, replica.deployment)
            task.error = Unavailable(
                f"Replica {replica.index} of deployment {replica.deployment} cannot be brought up: an unforeseen "
                f"{type(error).__name__}.",
                "`logs/engine.log` has the trace.",
            )
        task.done = True
        self._waker.poke()
        self._poke()

    def _run(self, daemon: DockerDaemon, replica: ReplicaSpec) -> Identity:
        base = self._state.base
        # One that was built already needs no base any more.
        image = self._builder.ensure(replica, base) if base else self._builder.find(replica)
        if image is None:
            raise Unavailable(self._state.readiness.reason, self._state.readiness.hint)
        body = replica_body(
            image.tag, image.key, self._mark, replica.deployment, replica.index, self._limits, replica.folder
        )
        name = container_name(self._mark, replica.deployment, replica.index)
        container = self._there(daemon, name, body["Labels"]) or self._create(daemon, name, body)
        daemon.start(container)
        failpoint("container.started")
        found = seen(daemon.inspect(container))
        assert found is not None, "it was made with our labels"
        with self._lock:
            self._state.containers[found.id] = found
            self._state.known_at[found.id] = time.monotonic()
            self._state.reasons.pop(found.key, None)
        return found.identity

    def _create(self, daemon: DockerDaemon, name: str, body: dict[str, Any]) -> str:
        """A new container, once the one before of that name is gone: its removal takes a moment."""
        give_up_at = time.monotonic() + REMOVAL_S
        while True:
            try:
                container = daemon.create(name, body)
            except Conflict:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.05)
                continue
            failpoint("container.created")
            return container

    def _there(self, daemon: DockerDaemon, name: str, labels: dict[str, str]) -> str | None:
        """A container of that name which an engine that died has made or started; another of ours makes room.

        Raises:
            Conflict: the name belongs to somebody else's container.
        """
        try:
            found = daemon.inspect(name)
        except NotFound:
            return None
        if (found["Config"].get("Labels") or {}).get(OWNER) != self._mark:
            raise Conflict(
                f"A container named {name} is there, and is not of this home.", "Remove or rename it yourself."
            )
        if found["State"]["Status"] in ("created", "running") and found["Config"]["Labels"] == labels:
            return str(found["Id"])
        daemon.remove(found["Id"])
        return None

    def _end(self, container: str, *, gentle: bool) -> None:
        assert self._daemon is not None, "there is a container"
        try:
            if gentle:
                self._daemon.kill(container, "SIGTERM")
            else:
                self._daemon.remove(container)
        except EngineError as error:
            # It is looked at again, and whoever wants it ended asks again.
            log.warning("container %s: %s", container[:12], error.message)
        finally:
            with self._lock:
                self._ending.discard(container)
            self._waker.poke()

    def _remove_images(self, needed: set[str]) -> None:
        assert self._daemon is not None, "it was asked for images"
        # Whoever builds on an image of ours has its labels, and not its name. One without a name goes with `docker
        # image prune`: whose it is, nobody can tell.
        found = self._daemon.images(f"{IMAGE_OWNER}={self._mark}")
        images = [each for each in found if own_tags(each, self._mark)]
        labels = {each["Id"]: each.get("Labels") or {} for each in images}
        used = {each.get(RUNTIME_LABEL) for each in labels.values() if each.get(VERSION_LABEL) in needed}
        unneeded = {}
        for each in images:
            version, tags = labels[each["Id"]].get(VERSION_LABEL), own_tags(each, self._mark)
            if version in needed or (version is None and used & set(tags)):
                continue
            unneeded[each["Id"]] = self._unneeded.get(each["Id"], time.monotonic())
            if time.monotonic() - unneeded[each["Id"]] >= UNUSED_S:
                for name in tags:
                    with contextlib.suppress(Conflict, NotFound):
                        self._daemon.remove_image(name)
                        log.info("removed the image %s", name)
        self._unneeded = unneeded

    def _background(self, name: str, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except EngineError as error:
                log.warning("%s: %s", name, error.message)
            except Exception:
                log.exception("%s failed", name)

        worker = threading.Thread(target=run, name=f"docker-{name}", daemon=True)
        self._workers = {each for each in self._workers if each.is_alive()} | {worker}
        worker.start()


def _is_ready(base_image: str) -> Readiness:
    return Readiness(True, f"Docker answers, and has the base image {base_image}.")


def _hangs(daemon: DockerDaemon) -> DockerUnavailable:
    return DockerUnavailable(f"Docker at {daemon.socket} has not answered yet.", "Start it again.")


def _next(before: _Sample | None, stats: dict[str, object]) -> _Sample:
    now, cpu_s = time.monotonic(), cpu_seconds_of(stats)
    share = None
    if before is not None and before.cpu_s is not None and cpu_s is not None and cpu_s >= before.cpu_s:
        share = (cpu_s - before.cpu_s) / (now - before.at)
    return _Sample(now, cpu_s, Usage(memory_of(stats), share))
