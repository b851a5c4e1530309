"""The gateway as the process that it is."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest_asyncio
from fakes.model_server import FakeModelServer

from engine.gateway.routes import Backend, EndpointRoutes, Routes, encode_routes, store_routes

Servers = list[FakeModelServer]


class Started:
    """Processes of one test, ended with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.control = folder / "control"
        self.processes: list[Process] = []

    async def start(self, port: int = 0) -> Process:
        arguments = [str(self.folder), str(self.control), "127.0.0.1", str(port), "--log", str(self.folder / "log")]
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "engine.gateway", *arguments, stderr=PIPE)
        self.processes.append(process)
        return process

    async def ready(self, process: Process) -> dict[str, object]:
        """Its status, once it answers."""
        while process.returncode is None:
            try:
                status = await self.ask("GET", "/status")
            except (aiohttp.ClientConnectionError, OSError):
                await asyncio.sleep(0.02)
                continue
            if status["pid"] == process.pid:
                return status
        raise AssertionError(f"it ended: {process.returncode}")

    async def ask(self, method: str, path: str, routes: Routes | None = None) -> dict[str, object]:
        connector = aiohttp.UnixConnector(str(self.control))
        data = None if routes is None else encode_routes(routes)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"http://gateway{path}", data=data) as answer,
        ):
            return dict(await answer.json())


@pytest_asyncio.fixture(loop_scope="function")
async def started(short_folder: Path) -> AsyncIterator[Started]:
    all_of_it = Started(short_folder)
    yield all_of_it
    for process in all_of_it.processes:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def routes(server: FakeModelServer, generation: int = 1) -> Routes:
    return Routes(generation, {"fraud": EndpointRoutes((Backend(1, 1, 10_000, (str(server.socket),)),))})


async def predict(port: object) -> int:
    async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{port}/predict/fraud") as answer:
        await answer.read()
        return answer.status


async def test_it_serves_from_its_stored_routes_when_nobody_tells_it_any(started: Started, servers: Servers) -> None:
    store_routes(started.folder, routes(servers[0], 7))
    status = await started.ready(await started.start())
    assert status["generation"] == 7
    assert await predict(status["port"]) == 200


async def test_acknowledged_routes_survive_kill_9(started: Started, servers: Servers) -> None:
    process = await started.start()
    await started.ready(process)
    assert await started.ask("PUT", "/routes", routes(servers[0], 3)) == {"generation": 3}
    process.kill()
    await process.wait()
    status = await started.ready(await started.start())
    assert status["generation"] == 3
    assert await predict(status["port"]) == 200


async def test_damaged_routes_are_said_and_replaced_by_the_next(started: Started, servers: Servers) -> None:
    (started.folder / "routes.json").write_text('{"generation": 3, "endp')
    status = await started.ready(await started.start())
    assert status["generation"] == 0
    assert "the stored routes cannot be read" in (started.folder / "log").read_text()
    await started.ask("PUT", "/routes", routes(servers[0], 1))
    assert await predict(status["port"]) == 200


async def test_a_port_taken_is_one_sentence_and_exit_code_3(started: Started) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await started.start(port)
        _, told = await process.communicate()
    assert process.returncode == 3
    assert told.decode() == f"The gateway cannot listen on 127.0.0.1 port {port}: it is taken by another program.\n"


async def test_a_second_gateway_on_the_folder_ends_at_once(started: Started) -> None:
    first = await started.start()
    await started.ready(first)
    second = await started.start()
    _, told = await second.communicate()
    assert second.returncode == 4
    assert told.decode().startswith("Another gateway serves from ")
    assert (await started.ask("GET", "/status"))["pid"] == first.pid


async def test_only_the_owner_can_open_the_control_socket(started: Started) -> None:
    await started.ready(await started.start())
    assert stat.S_IMODE(started.control.stat().st_mode) == 0o600


async def test_sigterm_answers_what_is_in_flight_and_exits_0(started: Started, servers: Servers) -> None:
    store_routes(started.folder, routes(servers[0]))
    servers[0].hold = asyncio.Event()
    process = await started.start()
    status = await started.ready(process)
    waiting = asyncio.create_task(predict(status["port"]))
    idle = await asyncio.open_connection("127.0.0.1", int(str(status["port"])))
    while not servers[0].asked:
        await asyncio.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    assert await idle[0].read() == b""
    idle[1].close()
    servers[0].hold.set()
    assert await waiting == 200
    assert await process.wait() == 0
    assert not started.control.exists()


async def test_the_same_port_can_be_taken_again_at_once(started: Started, servers: Servers) -> None:
    store_routes(started.folder, routes(servers[0]))
    process = await started.start()
    port = int(str((await started.ready(process))["port"]))
    assert await predict(port) == 200
    process.terminate()
    assert await process.wait() == 0
    assert (await started.ready(await started.start(port)))["port"] == port


def test_the_gateway_stands_alone() -> None:
    script = (
        "import sys, json, engine.gateway.__main__;"
        "print(json.dumps([m for m in sys.modules if m.startswith('engine.') and not m.startswith('engine.gateway')"
        " or m in ('numpy', 'pydantic', 'sqlalchemy')]))"
    )
    with os.popen(f'{sys.executable} -c "{script}"') as pipe:
        assert json.load(pipe) == []
