"""What the engine needs of a gateway, whichever program it is."""

from __future__ import annotations

from typing import Protocol

from engine.gateway.routes import Routes
from engine.gateway.status import GatewayStatus


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

    def put_routes(self, routes: Routes) -> int:
        """Bring routes in force and have them stored; the generation that is in force then.

        The same routes may be put again. Where newer ones are in force nothing changes, and their generation is
        the answer.
        """

    def drain(self, deployment: int, timeout_s: float) -> bool:
        """Wait until no request is in flight to a deployment that the routes no longer name; False: not in time."""

    def stop(self) -> None:
        """End it after the requests in flight; nothing happens where none runs."""
