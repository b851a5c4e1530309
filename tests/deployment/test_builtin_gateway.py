from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import psutil
import pytest

from engine.deployment import builtin_gateway
from engine.deployment.builtin_gateway import BuiltinGateway
from engine.errors import GatewayUnavailable, NotThereYet, PortTaken
from engine.gateway.protocol import StaleRoutes
from engine.gateway.routes import Backend, EndpointRoutes, Routes
from engine.settings import Home


@pytest.fixture
def gateway(home: Home) -> Iterator[BuiltinGateway]:
    made = BuiltinGateway(home)
    yield made
    made.stop()


def routes(generation: int, deployment: int = 1) -> Routes:
    return Routes(generation, {"fraud": EndpointRoutes((Backend(deployment, 1, 10_000, ("/nowhere",)),))})


def test_it_is_started_once_and_adopted_by_the_next_engine(gateway: BuiltinGateway, home: Home) -> None:
    first = gateway.start(0)
    assert gateway.start(0).pid == BuiltinGateway(home).start(0).pid == first.pid
    assert first.port > 0


def test_routes_are_put_again_and_older_ones_refused(gateway: BuiltinGateway) -> None:
    gateway.start(0)
    gateway.put_routes(routes(2))
    gateway.put_routes(routes(2))
    for stale in (routes(1), routes(2, deployment=9)):
        with pytest.raises(StaleRoutes) as raised:
            gateway.put_routes(stale)
        assert raised.value.in_force == 2
    status = gateway.status()
    assert status is not None
    assert status.generation == 2


def test_a_port_of_another_program_is_one_sentence(gateway: BuiltinGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as raised:
            gateway.start(port)
    assert (
        raised.value.message == f"The gateway cannot listen on 127.0.0.1 port {port}: it is taken by another program."
    )
    assert raised.value.hint
    assert gateway.status() is None


def test_one_that_dies_is_started_again_with_its_routes(gateway: BuiltinGateway) -> None:
    first = gateway.start(0)
    gateway.put_routes(routes(3))
    os.kill(first.pid, signal.SIGKILL)
    second = gateway.start(first.port)
    assert (second.port, second.generation) == (first.port, 3)
    assert second.pid != first.pid


def test_one_that_is_silent_is_given_time_and_then_replaced(
    gateway: BuiltinGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtin_gateway, "ANSWER_S", 0.2)
    first = gateway.start(0)
    os.kill(first.pid, signal.SIGSTOP)
    with pytest.raises(GatewayUnavailable, match="runs but does not answer"):
        gateway.start(first.port)
    assert psutil.Process(first.pid).is_running()
    monkeypatch.setattr(builtin_gateway, "SILENT_S", 0.0)
    second = gateway.start(first.port)
    assert second.pid != first.pid


def test_a_stopped_one_is_gone(gateway: BuiltinGateway) -> None:
    gateway.start(0)
    gateway.stop()
    assert gateway.status() is None
    gateway.stop()
    with pytest.raises(GatewayUnavailable):
        gateway.put_routes(routes(1))


def test_draining_says_whether_it_is_done(gateway: BuiltinGateway) -> None:
    gateway.start(0)
    assert gateway.drain(5, 0.0)
    gateway.put_routes(routes(1, deployment=5))
    with pytest.raises(GatewayUnavailable, match="Deployment 5 takes traffic"):
        gateway.drain(5, 0.0)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "example.org", "::"])
def test_it_listens_on_loopback_only(home: Home, host: str) -> None:
    with pytest.raises(NotThereYet, match="cannot listen on"):
        BuiltinGateway(home, host)
