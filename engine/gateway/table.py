"""The routes in force, with what lives as long as a deployment does: counts, connections, requests in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

from engine.gateway.metrics import Meter
from engine.gateway.routes import Backend, EndpointRoutes, Routes
from engine.gateway.split import choose
from engine.gateway.upstream import Replica

REMEMBER_S = 300.0
"""Figures of a deployment that is routed no more are told for this long."""


class Deployment:
    """One deployment, from its first route until nothing more is to be told of it."""

    def __init__(self, number: int, endpoint: str, version: int) -> None:
        self.id = number
        self.endpoint = endpoint
        self.version = version
        self.meter = Meter()
        self.in_flight = 0
        self.replicas: dict[str, Replica] = {}
        self.left_at: float | None = None
        """When its last route went, by the loop's clock."""
        self._idle: list[asyncio.Future[None]] = []

    def enter(self) -> None:
        """A request is about to be sent to it."""
        self.in_flight += 1

    def leave(self) -> None:
        """That request's answer has come, or will not."""
        self.in_flight -= 1
        if not self.in_flight:
            for waiter in self._idle:
                if not waiter.done():
                    waiter.set_result(None)
            self._idle.clear()

    async def idle(self) -> None:
        """Wait until nothing is in flight to it."""
        while self.in_flight:
            waiter = asyncio.get_running_loop().create_future()
            self._idle.append(waiter)
            await waiter


class Place:
    """One deployment's place behind an endpoint."""

    def __init__(self, backend: Backend, deployment: Deployment) -> None:
        self.deployment = deployment
        self.weight = backend.weight
        self.version = backend.version
        self.replicas = [deployment.replicas[socket] for socket in backend.sockets]
        self._turn = count()

    def order(self) -> list[Replica]:
        """Replicas to try: those that answer before those that refused, the least busy first, ties in turn."""
        if len(self.replicas) == 1:
            return self.replicas
        start = next(self._turn) % len(self.replicas)
        turned = self.replicas[start:] + self.replicas[:start]
        return sorted(turned, key=lambda replica: (replica.down, replica.in_flight))


class Service:
    """One endpoint."""

    def __init__(self, places: list[Place]) -> None:
        self._places = places
        self._weights = [place.weight for place in places]
        self._taking = [place for place in places if place.weight]

    @property
    def versions(self) -> list[int]:
        """Versions that can be asked for by number."""
        return sorted({place.version for place in self._places})

    @property
    def takes_traffic(self) -> bool:
        """Whether any deployment has a share."""
        return bool(self._taking)

    def candidates(self, version: int | None, bucket: int) -> Iterator[tuple[Deployment, Replica]]:
        """Where a request may go, best first: its own version's replicas, then the other versions' with a share.

        A request for one version by its number stays with that version.
        """
        for place in self._order(version, bucket):
            for replica in place.order():
                yield place.deployment, replica

    def _order(self, version: int | None, bucket: int) -> list[Place]:
        if version is not None:
            return [place for place in self._places if place.version == version]
        if len(self._taking) < 2:
            return self._taking
        first = self._places[choose(self._weights, bucket)]
        return [first, *(place for place in self._taking if place is not first)]


class Table:
    """All routes in force, and every deployment that is or was routed."""

    def __init__(self) -> None:
        self.routes = Routes()
        self.services: dict[str, Service] = {}
        self.deployments: dict[int, Deployment] = {}
        self._news: asyncio.Future[None] | None = None

    def put(self, routes: Routes) -> None:
        """Bring routes in force at once; requests in flight stay where they are."""
        now = asyncio.get_running_loop().time()
        self.routes = routes
        self.services = {name: self._service(name, endpoint) for name, endpoint in routes.endpoints.items()}
        routed = {backend.deployment for endpoint in routes.endpoints.values() for backend in endpoint.backends}
        for deployment in self.deployments.values():
            if deployment.id in routed:
                deployment.left_at = None
            elif deployment.left_at is None:
                deployment.left_at = now
        self.forget()
        self.tell()

    def takes_traffic(self, deployment: int) -> bool:
        """Whether the routes in force send new requests to a deployment."""
        backends = (backend for endpoint in self.routes.endpoints.values() for backend in endpoint.backends)
        return any(backend.deployment == deployment and backend.weight for backend in backends)

    def down_replicas(self) -> list[Replica]:
        """Routed replicas that refused their last connection."""
        routed = (deployment for deployment in self.deployments.values() if deployment.left_at is None)
        return [replica for deployment in routed for replica in deployment.replicas.values() if replica.down]

    def forget(self) -> None:
        """Close connections to replicas that are routed no more, and drop old deployments."""
        now = asyncio.get_running_loop().time()
        for deployment in list(self.deployments.values()):
            if deployment.left_at is None or deployment.in_flight:
                continue
            for replica in deployment.replicas.values():
                replica.close()
            if now - deployment.left_at > REMEMBER_S:
                del self.deployments[deployment.id]

    def tell(self) -> None:
        """Wake the requests that wait for another route or a replica that answers."""
        news, self._news = self._news, None
        if news is not None and not news.done():
            news.set_result(None)

    async def wait_for_news(self, seconds: float) -> None:
        """Wait until `tell`, or this long."""
        if self._news is None:
            self._news = asyncio.get_running_loop().create_future()
        await asyncio.wait([self._news], timeout=seconds)

    def _service(self, name: str, endpoint: EndpointRoutes) -> Service:
        return Service([Place(backend, self._deployment(name, backend)) for backend in endpoint.backends])

    def _deployment(self, name: str, backend: Backend) -> Deployment:
        deployment = self.deployments.get(backend.deployment)
        if deployment is None:
            deployment = Deployment(backend.deployment, name, backend.version)
            self.deployments[backend.deployment] = deployment
        for socket in set(deployment.replicas) - set(backend.sockets):
            deployment.replicas.pop(socket).close()
        for socket in backend.sockets:
            deployment.replicas.setdefault(socket, Replica(socket))
        return deployment
