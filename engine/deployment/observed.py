"""How deployments fare, as the gateway and the process table see it now, for whoever shows endpoints."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psutil

from engine.gateway.protocol import Figures, Gateway, GatewayStatus
from engine.registry.queries.endpoints import Observed, Usage
from engine.wire.endpoints import Traffic

FRESH_S = 1.0
"""Asked again within this time, the gateway is not."""


class Observer:
    """May be asked from any thread; keeps what it saw for a second. `containers` tells what a container uses."""

    def __init__(
        self,
        gateway: Gateway,
        clock: Callable[[], float] = time.monotonic,
        containers: Callable[[str], Usage] = lambda container: Usage(),
    ) -> None:
        self._gateway = gateway
        self._containers = containers
        self._readings: dict[int, tuple[float, float]] = {}
        """By pid: when its CPU time was read, and how much it was."""
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: GatewayStatus | None = None
        self._seen_at: float | None = None

    def look(self) -> Observed:
        """Traffic by deployment and by endpoint, and the memory of model servers."""
        status = self.status()
        if status is None:
            return Observed(usage=self.usage)
        return Observed(
            by_deployment={number: traffic_of(each.recent) for number, each in status.deployments.items()},
            by_endpoint={name: traffic_of(figures) for name, figures in status.endpoints.items()},
            usage=self.usage,
        )

    def usage(self, pid: int | None, container: str | None) -> Usage:
        """Of one model server; the share of a core since it was asked the last time, or since the process began."""
        if container is not None:
            return self._containers(container)
        if pid is None:
            return Usage()
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                times, began_at = process.cpu_times(), process.create_time()
                memory_bytes = int(process.memory_info().rss)
        except psutil.Error:
            return Usage()
        now, cpu_s = time.time(), times.user + times.system
        with self._lock:
            since, before_s = self._readings.get(pid, (began_at, 0.0))
            if now - since >= FRESH_S:
                self._readings[pid] = (now, cpu_s)
        return Usage(memory_bytes, max(0.0, cpu_s - before_s) / max(now - since, 0.01))

    def status(self) -> GatewayStatus | None:
        """The gateway's own words, at most a second old; None while it does not answer."""
        with self._lock:
            if self._seen_at is None or self._clock() - self._seen_at >= FRESH_S:
                self._seen, self._seen_at = self._gateway.status(), self._clock()
            return self._seen


def traffic_of(figures: Figures) -> Traffic:
    """The gateway's figures as the wire has them; all None where it saw no request."""
    if not figures.requests:
        return Traffic()
    return Traffic(
        requests_per_s=figures.rate_per_s,
        p50_ms=_ms(figures.p50_s),
        p95_ms=_ms(figures.p95_s),
        p99_ms=_ms(figures.p99_s),
        error_share=figures.error_share,
    )


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
