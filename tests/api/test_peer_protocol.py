"""The API over a real Unix socket: who is at the other end, and what a rude client can do."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import stat
import struct
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fakes.api_in_process import ApiInProcess

from engine.api import peer_protocol
from engine.api.routers import events
from engine.api.server import ApiServer, bind
from engine.wire.events import Progress


@pytest_asyncio.fixture(loop_scope="function")
async def served(api: ApiInProcess) -> AsyncIterator[ApiInProcess]:
    ready = asyncio.Event()
    server = ApiServer(api.app, ready.set)
    task = asyncio.create_task(server.serve(sockets=[bind(api.home.engine_socket)]))
    await ready.wait()
    yield api
    api.hub.close()
    server.should_exit = True
    await task


async def exchange(api: ApiInProcess, *sent: bytes) -> bytes:
    """Send raw bytes; all that is answered until the engine closes."""
    reader, writer = await asyncio.open_unix_connection(str(api.home.engine_socket))
    try:
        with contextlib.suppress(ConnectionError):
            for part in sent:
                writer.write(part)
            await writer.drain()
        try:
            return await asyncio.wait_for(reader.read(), 20)
        except ConnectionError:
            return b""
    finally:
        writer.close()


def over_socket(api: ApiInProcess) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(api.home.engine_socket), verify=False)
    return httpx.AsyncClient(transport=transport, base_url="http://engine")


async def test_the_kernel_says_who_asks(served: ApiInProcess) -> None:
    async with over_socket(served) as client:
        about = (await client.get("/v1/about")).json()
    assert about["role"] == "admin"


async def test_the_socket_is_open_to_the_folders_group_only(served: ApiInProcess) -> None:
    assert stat.S_IMODE(served.home.engine_socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(served.home.run.stat().st_mode) == 0o750


async def test_a_stale_socket_is_replaced(api: ApiInProcess) -> None:
    bind(api.home.engine_socket).close()
    assert api.home.engine_socket.exists()
    bind(api.home.engine_socket).close()


async def test_a_tcp_peer_is_no_peer(api: ApiInProcess) -> None:
    # SO_PEERCRED on a TCP socket says uid 0: taken at its word, everybody on the network would be root.
    server = ApiServer(api.app, lambda: None)
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
        answer = await client.get("/v1/about")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "The engine answers on its Unix socket only."
    server.should_exit = True
    await task


async def test_headers_that_do_not_come_are_given_up(served: ApiInProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_protocol, "HEADERS_WITHIN_S", 0.05)
    for said in (b"", b"GET /v1/about HT", b"GET /v1/about HTTP/1.1\r\nx: y\r\n", b"\r\n\r\n"):
        assert await exchange(served, said) == b""


async def test_headers_dribbling_after_an_answer_are_given_up(
    served: ApiInProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_protocol, "HEADERS_WITHIN_S", 0.2)
    reader, writer = await asyncio.open_unix_connection(str(served.home.engine_socket))
    writer.write(b"GET /v1/about HTTP/1.1\r\nhost: e\r\n\r\n")
    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
    writer.write(b"\r\n")
    assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()


async def test_endless_headers_are_refused(served: ApiInProcess) -> None:
    line = b"x-%d: " + b"y" * 1000 + b"\r\n"
    answer = await exchange(served, b"GET /v1/about HTTP/1.1\r\n", *(line % number for number in range(500)))
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET http:// HTTP/1.1\r\nhost: e\r\n\r\n",
        b"GET /v1/about HTTP/9.9\r\n\r\n",
        b"POST /v1/runs HTTP/1.1\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        b"POST /v1/runs HTTP/1.1\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}",
        b"POST /v1/runs HTTP/1.1\r\ncontent-length: -2\r\n\r\n{}",
        b"POST /v1/runs HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_http_is_refused(served: ApiInProcess, request_bytes: bytes) -> None:
    answer = await exchange(served, request_bytes)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 403", b"HTTP/1.1 404 "))


async def test_a_large_body_is_refused_before_it_is_sent(served: ApiInProcess) -> None:
    head = b"POST /v1/runs HTTP/1.1\r\nhost: e\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n"
    answer = await exchange(served, head, b"{" * 100_000)
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_endless_chunks_are_cut_off(served: ApiInProcess) -> None:
    _, writer = await asyncio.open_unix_connection(str(served.home.engine_socket))
    writer.write(b"POST /v1/runs HTTP/1.1\r\nhost: e\r\ntransfer-encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    with pytest.raises((ConnectionResetError, BrokenPipeError)):
        while True:
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def test_an_upgrade_is_not_taken(served: ApiInProcess) -> None:
    said = b"GET /v1/about HTTP/1.1\r\nhost: e\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n"
    answer = await exchange(served, said)
    assert b"101" not in answer.split(b"\r\n")[0]


async def test_a_client_that_leaves_the_stream_is_forgotten(served: ApiInProcess) -> None:
    async with over_socket(served) as client, client.stream("GET", "/v1/events/stream") as response:
        async for line in response.aiter_lines():
            if line == "event: connected":
                break
        assert served.hub.followers == 1
    while served.hub.followers:
        await asyncio.sleep(0)


async def test_a_follower_that_takes_nothing_is_let_go(
    served: ApiInProcess, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(events, "_STUCK_AFTER_S", 0.1)
    caplog.set_level(logging.INFO)
    stuck = socket.socket(socket.AF_UNIX)
    stuck.connect(str(served.home.engine_socket))
    stuck.sendall(b"GET /v1/events/stream HTTP/1.1\r\nhost: e\r\n\r\n")
    while not served.hub.followers:
        await asyncio.sleep(0)
    number = 0
    while served.hub.followers:
        number += 1
        served.hub.publish_progress(Progress(job_id=number, attempt=1, step="fit", fraction=None, note="x" * 10_000))
        await asyncio.sleep(0)
    while "was let go" not in caplog.text:
        await asyncio.sleep(0)
    stuck.close()
    assert "uvicorn.access" not in caplog.text
    assert "unexpected failure" not in caplog.text


async def test_a_client_that_resets_mid_body_leaves_nothing(served: ApiInProcess) -> None:
    for _ in range(20):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(served.home.engine_socket))
        connection.sendall(b"POST /v1/runs HTTP/1.1\r\ncontent-length: 100\r\n\r\n{")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    async with over_socket(served) as client:
        assert (await client.get("/v1/about")).status_code == 200
        assert (await client.get("/v1/events")).json()["events"] == []
