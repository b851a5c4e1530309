"""The one place where the parts of an engine are joined."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

import anyio.to_thread
import uvloop

from engine.api.app import build_api
from engine.api.context import Context, DockerHealth, GatewayHealth
from engine.api.hub import EventHub
from engine.api.server import ApiServer, bind
from engine.blobs.store import BlobStore
from engine.deployment.builtin_gateway import BuiltinGateway
from engine.deployment.container_runtime import ContainerRuntime
from engine.deployment.docker_runtime import DockerDaemon
from engine.deployment.docker_socket import docker_socket
from engine.deployment.observed import Observer
from engine.deployment.process_runtime import ProcessRuntime
from engine.deployment.reconcile import Reconciler
from engine.deployment.runtime import Readiness, Runtime
from engine.deployment.serve_folder import replica_spec
from engine.jobs.clock import HOUSEKEEPING, Clock, next_time
from engine.jobs.supervisor import Supervisor
from engine.lifecycle.advance_retrains import advance_retrains
from engine.lifecycle.keep_house import keep_house
from engine.lifecycle.lay_out_work import lay_out_work
from engine.lifecycle.parts import Parts
from engine.lifecycle.retrain_on_schedule import retrain_on_schedule
from engine.lifecycle.sync_schedules import sync_all_schedules
from engine.lifecycle.watch_models import watch, watch_again
from engine.registry.migrate import bring_up_to_date
from engine.registry.queries.events import last_event, list_events
from engine.registry.queries.jobs import attempt_of_token
from engine.registry.reader import Reader
from engine.registry.writer import Writer
from engine.settings import Config, Home
from engine.wire.events import EventView

log = logging.getLogger(__name__)

_THREADS = 64
"""Requests that read, write or hash at once; each waits in a thread, and the writer takes what waits in one commit."""
_OPEN_FILES = 4096


def build(home: Home, config: Config) -> Engine:
    """An engine for a home that is prepared and locked; its registry is brought to this program's schema.

    Raises:
        EngineError: why there can be none, such as a registry that a newer program wrote.
    """
    return Engine(home, config, bring_up_to_date(home.database))


@dataclass
class Engine:
    """The joined parts, from the first connection to the last."""

    home: Home
    config: Config
    schema_revision: str
    _ends: ExitStack = field(default_factory=ExitStack)
    _end_all: bool = False

    def run(self, ready: Callable[[], None]) -> None:
        """Serve until told to end; calls `ready` once requests are answered."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: Callable[[], None]) -> None:
        _allow_many_connections()
        loop = asyncio.get_running_loop()
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        log.info("starting in %s, schema %s", self.home.root, self.schema_revision)
        with self._ends:
            writer, reader = self._open_registry()
            hub = EventHub(loop, last_event(reader), lambda after, limit: list_events(reader, after=after, limit=limit))
            writer.on_commit(hub.publish)
            context = self._join(writer, reader, hub, lambda everything: loop.call_soon_threadsafe(end, everything))
            server = ApiServer(build_api(context, partial(_attempt, reader)), ready)

            def end(everything: bool) -> None:
                log.info("ending%s", ", with gateway, model servers and workers" if everything else "")
                self._end_all = self._end_all or everything
                hub.close()
                server.should_exit = True

            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, end, False)
            listener = bind(self.home.engine_socket)
            self._ends.callback(self.home.engine_socket.unlink, missing_ok=True)
            # Whoever starts an engine wants it up again.
            self.home.stopped_mark.unlink(missing_ok=True)
            await server.serve(sockets=[listener])
        log.info("ended")

    def _open_registry(self) -> tuple[Writer, Reader]:
        writer = Writer(self.home.database)
        writer.start()
        self._ends.callback(writer.stop)
        reader = Reader(self.home.database)
        self._ends.callback(reader.close)
        return writer, reader

    def _join(self, writer: Writer, reader: Reader, hub: EventHub, stop: Callable[[bool], object]) -> Context:
        """Everything that works beside the API, begun; it ends in the opposite order."""
        blobs = BlobStore(self.home.blobs)
        blobs.start()
        gateway = BuiltinGateway(self.home, self.config.gateway.host, self.config.gateway.sticky_header)
        socket = docker_socket(self.config.docker, os.environ)
        containers = ContainerRuntime(
            self.home, self.config.docker, DockerDaemon(socket) if socket else None, lambda: reconciler.poke()
        )
        runtimes: dict[str, Runtime] = {"process": ProcessRuntime(self.home), "docker": containers}
        reconciler = Reconciler(self.home, self.config, writer, reader, blobs, runtimes, gateway)
        parts = Parts(
            home=self.home,
            config=self.config,
            writer=writer,
            reader=reader,
            blobs=blobs,
            poke_jobs=lambda: supervisor.poke(),
            poke_deployments=reconciler.poke,
            refresh_log=lambda deployment, index: containers.refresh_log(replica_spec(self.home, deployment, index)),
            publish_progress=hub.publish_progress,
            stop=lambda everything: _and_nothing(stop(everything)),
        )
        supervisor = Supervisor(parts, lay_out=partial(lay_out_work, parts), silent_s=parts.pulse.silent_s)
        clock = Clock(
            writer,
            reader,
            {
                HOUSEKEEPING: lambda tx, row, nominal_at: partial(keep_house, parts),
                "check": partial(watch, parts),
                "retrain": partial(retrain_on_schedule, parts, next_time),
            },
        )
        writer.on_commit(partial(_mind_schedules, clock, parts))
        observer = Observer(gateway, containers=containers.usage)

        containers.start_looking()
        self._ends.callback(containers.close)
        reconciler.start()
        self._ends.callback(lambda: reconciler.stop(everything=self._end_all))
        supervisor.start()
        self._ends.callback(lambda: supervisor.stop(end_workers=self._end_all))
        sync_all_schedules(parts)
        clock.start()
        self._ends.callback(clock.stop)
        clock.soon(partial(watch_again, parts), "watch again")
        clock.soon(partial(advance_retrains, parts), "retrains")
        return Context(
            parts=parts,
            hub=hub,
            started_at=datetime.now(UTC),
            version=version("mlops-tui"),
            schema_revision=self.schema_revision,
            next_times=clock.next_times,
            observed=observer.look,
            docker=lambda: _health(containers.readiness()),
            gateway=lambda: GatewayHealth(alive=observer.status() is not None, note=reconciler.gateway_note),
        )


def _allow_many_connections() -> None:
    """As many open files as the host allows without being asked, at most enough for every client and then some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))


_CHANGES_SCHEDULES = frozenset({"deployment.released", "deployment.stopped", "deployment.failed", "project.stored"})


_MOVES_RETRAINS = frozenset(
    {
        "alarm.opened", "alarm.closed", "check.done", "labels.stored", "alias.moved", "retrain.wished", "retrain.done",
        "retrain.given_up", "job.succeeded", "job.failed", "job.cancelled", "project.stored",
    }
)  # fmt: skip
"""What a wish to train again may have waited for."""


def _mind_schedules(clock: Clock, parts: Parts, events: Sequence[EventView]) -> None:
    """What schedules depend on has changed, or they themselves have."""
    verbs = {event.verb for event in events}
    if verbs & _CHANGES_SCHEDULES:
        clock.soon(partial(sync_all_schedules, parts), "schedules")
    if "schedule.changed" in verbs:
        clock.soon(clock.reload, "reload")
    if verbs & _MOVES_RETRAINS:
        clock.soon(partial(advance_retrains, parts), "retrains")


def _attempt(reader: Reader, token_sha256: str) -> tuple[int, int] | None:
    found = attempt_of_token(reader, token_sha256)
    return (found.job_id, found.attempt) if found else None


def _health(docker: Readiness) -> DockerHealth:
    return DockerHealth(docker.ok, docker.reason, docker.hint)


def _and_nothing(_: object) -> None:
    return None
