"""Keeps the gateway running at its one address, and its routes as the registry wants them."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial

import psutil

from engine.deployment import records
from engine.deployment.recorder import Recorder
from engine.deployment.rollout import routes_of
from engine.deployment.serve_folder import replica_spec
from engine.errors import DiskFull, EngineError, GatewayUnavailable, PortTaken
from engine.failpoint import failpoint
from engine.gateway.protocol import Gateway, GatewayStatus, StaleRoutes
from engine.registry.queries.rollouts import GatewayRow, RolloutRows
from engine.settings import Gateway as Settings
from engine.settings import Home

log = logging.getLogger(__name__)

FIRST_CHOICES = range(8700, 8720)
"""Ports tried, in this order, where none is set; then any free one."""

LONGEST_PAUSE_S = 15.0


class GatewayKeeper:
    """One thread. `note` says in a sentence why the gateway is not there; empty when it is, or is not needed yet."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        recorder: Recorder,
        gateway: Gateway,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._home = home
        self._settings = settings
        self._recorder = recorder
        self._gateway = gateway
        self._clock = clock
        self._retry_at = 0.0
        self._failures = 0
        self._confirmed: tuple[int, int] | None = None
        """(pid, generation) of routes that this engine itself has seen in force."""
        self.note = ""

    def keep(self, row: GatewayRow | None) -> GatewayStatus | None:
        """Have it running; None: it is not, `note` says why, and it is tried again later."""
        status = self._gateway.status()
        if status is not None and not self._is_as_set(status):
            log.info("the gateway's settings changed: starting it anew")
            self._gateway.stop()
            status = None
        if status is None:
            status = self._start(row)
            failpoint("gateway.started")
        if status is not None and (row is None or row.note or (row.host, row.port) != (status.host, status.port)):
            self._write(status)
        if status is not None:
            self._failures, self.note = 0, ""
        return status

    def bring_in_force(self, rows: RolloutRows, status: GatewayStatus | None) -> bool:
        """Whether the gateway routes as the registry wants it; it is told where it does not."""
        if rows.gateway is None or rows.gateway.generation == 0:
            return True
        if status is None:
            return False
        generation = rows.gateway.generation
        if self._confirmed == (status.pid, generation) and rows.gateway.acknowledged == generation:
            return True
        try:
            self._gateway.put_routes(routes_of(rows.deployments, generation, self._socket))
        except StaleRoutes as stale:
            log.warning("the gateway has routes of generation %d, the registry wants %d", stale.in_force, generation)
            self._recorder.write(partial(records.raise_generation, in_force=stale.in_force))
            return False
        except (GatewayUnavailable, DiskFull) as error:
            self.note = error.message
            return False
        failpoint("rollout.routed")
        self._confirmed = (status.pid, generation)
        if rows.gateway.acknowledged != generation or any(row.status == "ready" for row in rows.deployments):
            self._recorder.write(partial(records.record_in_force, generation=generation))
        return True

    def is_drained(self, deployment: int) -> bool:
        """Whether nothing is in flight to a deployment without a route; a gateway that ended took all with it."""
        try:
            return self._gateway.drain(deployment, 0.0)
        except GatewayUnavailable:
            return self._gateway.status() is None

    def end(self) -> None:
        """End it after the requests in flight."""
        self._gateway.stop()

    @property
    def pause_s(self) -> float:
        """Seconds until it is tried again."""
        return max(0.0, self._retry_at - self._clock())

    def _start(self, row: GatewayRow | None) -> GatewayStatus | None:
        if self._clock() < self._retry_at:
            return None
        try:
            return self._start_somewhere(row)
        except EngineError as error:
            self._failures += 1
            self._retry_at = self._clock() + min(0.5 * 2**self._failures, LONGEST_PAUSE_S)
            self._tell(error, row)
            return None

    def _start_somewhere(self, row: GatewayRow | None) -> GatewayStatus:
        port = self._settings.port or (row.port if row else None)
        if port is not None:
            return self._gateway.start(port)
        for candidate in self._free_ports():
            try:
                return self._gateway.start(candidate)
            except PortTaken:
                continue
        return self._gateway.start(0)

    def _free_ports(self) -> Iterator[int]:
        for port in FIRST_CHOICES:
            with socket.socket(socket.AF_INET6 if ":" in self._settings.host else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self._settings.host, port))
                except OSError:
                    continue
            yield port

    def _tell(self, error: EngineError, row: GatewayRow | None) -> None:
        if self.note != error.message:
            log.error("%s %s", error.message, error.hint)
        self.note = error.message
        port = row.port if row else self._settings.port
        told = partial(records.record_no_gateway, note=error.message, host=self._settings.host, port=port)
        self._recorder.write(told)

    def _write(self, status: GatewayStatus) -> None:
        try:
            created_at = psutil.Process(status.pid).create_time()
        except psutil.Error:
            created_at = None
        self._recorder.write(partial(records.record_gateway, status=status, created_at=created_at))

    def _is_as_set(self, status: GatewayStatus) -> bool:
        return self._settings.port in (None, status.port) and self._settings.sticky_header == status.sticky_header

    def _socket(self, deployment: int, index: int) -> str:
        return str(replica_spec(self._home, deployment, index).socket)
