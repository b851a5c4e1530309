from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from fakes.model_server import FakeModelServer

from engine.gateway.control import Control
from engine.gateway.front import Front
from engine.gateway.guard import Guard
from engine.gateway.proxy import Proxy
from engine.gateway.routes import Backend, EndpointRoutes, Routes, encode_routes
from engine.gateway.status import GatewayStatus
from engine.gateway.table import Table


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Unix sockets want short paths."""
    folder = Path(tempfile.mkdtemp(prefix="m", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@dataclass
class InProcessGateway:
    """The gateway's own parts in the test's loop, asked over a real port and a real control socket."""

    port: int
    folder: Path
    table: Table
    front: Front
    client: aiohttp.ClientSession
    engine: aiohttp.ClientSession
    generation: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def put(self, *backends: Backend, name: str = "fraud") -> None:
        self.generation += 1
        self.table.put(Routes(self.generation, {name: EndpointRoutes(backends)}))

    async def control(self, method: str, path: str, body: bytes | Routes = b"") -> tuple[int, dict[str, object]]:
        data = encode_routes(body) if isinstance(body, Routes) else body
        async with self.engine.request(method, f"http://gateway{path}", data=data) as answer:
            return answer.status, await answer.json()

    async def predict(self, name: str = "fraud", **options: object) -> tuple[int, dict[str, object]]:
        options.setdefault("json", {"rows": [{"amount": 1.0}]})
        async with self.client.post(f"{self.url}/predict/{name}", **options) as answer:
            return answer.status, await answer.json()

    async def raw(self, data: bytes) -> bytes:
        """Send bytes, and read until the gateway ends the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        try:
            return await reader.read()
        finally:
            writer.close()


@pytest_asyncio.fixture(loop_scope="function")
async def gateway(short_folder: Path) -> AsyncIterator[InProcessGateway]:
    loop = asyncio.get_running_loop()
    table = Table()
    about = GatewayStatus(1, "127.0.0.1", 1, 0, "2026-11-21T00:00:00+00:00", "0" * 64, "x-mlops-key")
    runner = web.AppRunner(Control(table, short_folder, about).app(), access_log=None)
    await runner.setup()
    await web.UnixSite(runner, str(short_folder / "c")).start()
    guarded: list[Proxy] = []
    front = Front(lambda request: guarded[0].answer(request), loop=loop)
    server = await loop.create_server(front, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    guarded.append(Proxy(table, "x-mlops-key", Guard("127.0.0.1", port)))
    watch = loop.create_task(front.watch())
    connector = aiohttp.UnixConnector(str(short_folder / "c"))
    async with aiohttp.ClientSession() as client, aiohttp.ClientSession(connector=connector) as engine:
        yield InProcessGateway(port, short_folder, table, front, client, engine)
    watch.cancel()
    server.close()
    await front.end(1.0)
    for deployment in table.deployments.values():
        for replica in deployment.replicas.values():
            replica.close()
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="function")
async def servers(short_folder: Path) -> AsyncIterator[list[FakeModelServer]]:
    """Three model servers, of the versions 1, 2 and 3."""
    started = [FakeModelServer(short_folder / f"s{version}", version) for version in (1, 2, 3)]
    for each in started:
        await each.start()
    yield started
    for each in started:
        await each.kill()


def backend(server: FakeModelServer, weight: int, *more: FakeModelServer) -> Backend:
    """A deployment whose number is ten times its version."""
    sockets = tuple(str(each.socket) for each in (server, *more))
    return Backend(server.version * 10, server.version, weight, sockets)
