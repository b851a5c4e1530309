"""What the engine needs of a gateway, whichever program it is."""

from __future__ import annotations

from typing import Protocol

from engine.gateway.program import program_sha256
from engine.gateway.routes import Routes
from engine.gateway.status import Figures, GatewayStatus

__all__ = ["Figures", "Gateway", "GatewayStatus", "StaleRoutes", "program_sha256"]


class StaleRoutes(Exception):
    """Other routes of this generation or a later one are in force."""

    def __init__(self, in_force: int) -> None:
        super().__init__(f"routes of generation {in_force} are in force")
        self.in_force = in_force


class Gateway(Protocol):
    """One stable address for all endpoints. Calls block, and may come from any thread.

    Each but `status` raises `engine.errors.GatewayUnavailable` where the gateway does not answer.
    """

    def start(self, port: int) -> GatewayStatus:
        """Adopt the gateway that runs for this home, or start one on `port`; 0 takes any free one.

        Raises:
            PortTaken: another program listens there.
        """

    def status(self) -> GatewayStatus | None:
        """What it tells of itself; None while it does not answer."""

    def put_routes(self, routes: Routes) -> None:
        """Bring routes in force and have them stored. The same ones may be put again.

        Raises:
            StaleRoutes: nothing has changed.
            DiskFull: they cannot be stored; those before stay in force.
        """

    def drain(self, deployment: int, timeout_s: float) -> bool:
        """Wait until no request is in flight to a deployment that the routes no longer name; False: not in time."""

    def stop(self) -> None:
        """End it after the requests in flight; nothing happens where none runs."""
