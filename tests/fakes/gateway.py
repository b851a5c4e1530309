"""A gateway in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from engine.errors import GatewayUnavailable, PortTaken
from engine.gateway.protocol import GatewayStatus, StaleRoutes
from engine.gateway.routes import Routes, decode_routes, encode_routes


@dataclass
class FakeGateway:
    """Routes outlive its end, as stored ones do."""

    routes: Routes = field(default_factory=Routes)
    history: list[Routes] = field(default_factory=list)
    taken: set[int] = field(default_factory=set)
    busy: set[int] = field(default_factory=set)
    """Deployments with requests in flight for ever."""
    refuses: bool = False
    """It runs, and takes no routes."""
    pid: int | None = None
    port: int = 0
    _pids: count[int] = field(default_factory=lambda: count(5_000_001))

    def start(self, port: int) -> GatewayStatus:
        if self.pid is None:
            if port in self.taken:
                raise PortTaken(f"The gateway cannot listen on 127.0.0.1 port {port}.", "End the other program.")
            self.pid, self.port = next(self._pids), port or 49_152
        status = self.status()
        assert status is not None
        return status

    def status(self) -> GatewayStatus | None:
        if self.pid is None:
            return None
        started_at = "2026-11-21T00:00:00+00:00"
        return GatewayStatus(
            self.pid, "127.0.0.1", self.port, self.routes.generation, started_at, "0" * 64, "x-mlops-key"
        )

    def put_routes(self, routes: Routes) -> None:
        if self.pid is None or self.refuses:
            raise GatewayUnavailable("The gateway does not answer.")
        if routes == self.routes:
            return
        if routes.generation <= self.routes.generation:
            raise StaleRoutes(self.routes.generation)
        self.routes = decode_routes(encode_routes(routes))
        self.history.append(self.routes)

    def drain(self, deployment: int, timeout_s: float) -> bool:
        if self.pid is None:
            raise GatewayUnavailable("The gateway does not answer.")
        backends = [each for endpoint in self.routes.endpoints.values() for each in endpoint.backends]
        assert all(each.deployment != deployment or not each.weight for each in backends), "it still takes traffic"
        return deployment not in self.busy

    def stop(self) -> None:
        self.pid = None

    def die(self) -> None:
        self.pid = None

    def weights(self, name: str) -> dict[int, int]:
        return {each.deployment: each.weight for each in self.routes.endpoints[name].backends}
