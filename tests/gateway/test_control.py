from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fakes.model_server import FakeModelServer

from engine.gateway import control
from engine.gateway.routes import Backend, EndpointRoutes, Routes, load_routes

if TYPE_CHECKING:
    from .conftest import InProcessGateway

Servers = list[FakeModelServer]


def routes(generation: int, *backends: Backend) -> Routes:
    return Routes(generation, {"fraud": EndpointRoutes(backends)})


def full(server: FakeModelServer, weight: int = 10_000) -> Backend:
    return Backend(server.version * 10, server.version, weight, (str(server.socket),))


async def test_acknowledged_routes_are_in_force_and_stored(gateway: InProcessGateway, servers: Servers) -> None:
    wanted = routes(5, full(servers[0]))
    assert await gateway.control("PUT", "/routes", wanted) == (200, {"generation": 5})
    assert (await gateway.predict())[0] == 200
    assert load_routes(gateway.folder) == wanted


async def test_older_routes_are_refused_and_the_same_ones_are_not(gateway: InProcessGateway, servers: Servers) -> None:
    await gateway.control("PUT", "/routes", routes(5, full(servers[0])))
    assert (await gateway.control("PUT", "/routes", routes(5, full(servers[0]))))[0] == 200
    status, body = await gateway.control("PUT", "/routes", routes(5, full(servers[1])))
    assert (status, body["error"]) == (409, "Routes of generation 5 are in force; these are of 5.")
    assert (await gateway.control("PUT", "/routes", routes(4)))[0] == 409
    assert (await gateway.predict())[1] == {"version": 1}


async def test_routes_that_do_not_add_up_change_nothing(gateway: InProcessGateway, servers: Servers) -> None:
    await gateway.control("PUT", "/routes", routes(1, full(servers[0])))
    status, body = await gateway.control("PUT", "/routes", routes(2, full(servers[1], 9_999)))
    assert (status, body["error"]) == (422, "The weights of endpoint fraud add up to 9999, not to 10000.")
    assert (await gateway.control("GET", "/status"))[1]["generation"] == 1


async def test_a_full_disk_leaves_the_routes_before_in_force(
    gateway: InProcessGateway, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    await gateway.control("PUT", "/routes", routes(1, full(servers[0])))

    def no_room(folder: Path, wanted: Routes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(control, "store_routes", no_room)
    status, body = await gateway.control("PUT", "/routes", routes(2, full(servers[1])))
    assert (status, body["error"]) == (507, "The disk is full; those before stay in force.")
    assert (await gateway.predict())[1] == {"version": 1}


async def test_requests_in_flight_are_counted_exactly(gateway: InProcessGateway, servers: Servers) -> None:
    await gateway.control("PUT", "/routes", routes(1, full(servers[0])))
    servers[0].hold = asyncio.Event()
    waiting = [asyncio.create_task(gateway.predict()) for _ in range(3)]
    while len(servers[0].asked) < 3:
        await asyncio.sleep(0.001)
    assert (await gateway.control("GET", "/status"))[1]["deployments"]["10"]["in_flight"] == 3
    servers[0].hold.set()
    await asyncio.gather(*waiting)
    figures = (await gateway.control("GET", "/status"))[1]["deployments"]["10"]
    assert (figures["in_flight"], figures["requests"], figures["errors"]) == (0, 3, 0)
    assert figures["recent"]["p50_s"] > 0
    assert (await gateway.control("GET", "/status"))[1]["endpoints"]["fraud"] == figures["recent"]


async def test_draining_waits_for_the_last_answer(gateway: InProcessGateway, servers: Servers) -> None:
    await gateway.control("PUT", "/routes", routes(1, full(servers[0])))
    servers[0].hold = asyncio.Event()
    waiting = asyncio.create_task(gateway.predict())
    while not servers[0].asked:
        await asyncio.sleep(0.001)
    assert (await gateway.control("POST", "/drain/10"))[0] == 409
    await gateway.control("PUT", "/routes", routes(2, full(servers[1])))
    status, body = await gateway.control("POST", "/drain/10?timeout_s=0.05")
    assert (status, body["error"]) == (504, "1 requests are in flight to deployment 10 after 0.05 s.")
    draining = asyncio.create_task(gateway.control("POST", "/drain/10?timeout_s=30"))
    await gateway.control("GET", "/status")
    assert not draining.done()
    servers[0].hold.set()
    assert (await draining)[0] == 200
    assert await waiting == (200, {"version": 1})


async def test_draining_what_was_never_routed_is_done_at_once(gateway: InProcessGateway) -> None:
    assert (await gateway.control("POST", "/drain/99"))[0] == 200


@pytest.mark.parametrize("text", ["-1", "nan", "soon", "1e9"])
async def test_a_time_to_drain_in_is_a_number(gateway: InProcessGateway, text: str) -> None:
    assert (await gateway.control("POST", f"/drain/1?timeout_s={text}"))[0] == 422


async def test_connections_to_a_deployment_without_a_route_are_closed(
    gateway: InProcessGateway, servers: Servers
) -> None:
    await gateway.control("PUT", "/routes", routes(1, full(servers[0])))
    await gateway.predict()
    assert len(servers[0].connections) == 1
    await gateway.control("PUT", "/routes", routes(2, full(servers[1])))
    while servers[0].connections:
        await asyncio.sleep(0.001)
