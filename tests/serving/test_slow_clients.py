"""Requests that never come to their end."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.serving import server
from engine.serving.server import ReplicaServer, bind_socket, make_app, read_spec

ASK = b"GET /v2/health/live HTTP/1.1\r\nhost: x\r\n\r\n"
HALF = b"POST /predict/shop HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"


async def test_only_connections_in_the_middle_of_a_request_are_closed_when_their_time_is_over(
    short_folder: Path, replica_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = replica_folder(short_folder)
    app = make_app(folder, read_spec(folder))
    replica = ReplicaServer(app)
    serving = asyncio.create_task(replica.serve(sockets=[bind_socket(folder / "s")]))
    while not replica.started:
        await asyncio.sleep(0)

    idle_reader, idle = await asyncio.open_unix_connection(str(folder / "s"))
    half_reader, half = await asyncio.open_unix_connection(str(folder / "s"))
    silent_reader, silent = await asyncio.open_unix_connection(str(folder / "s"))
    idle.write(ASK)
    half.write(ASK + HALF)
    assert b"200 OK" in await idle_reader.read(1000)
    assert b"200 OK" in await half_reader.read(1000)

    await replica.on_tick(0)  # closes nothing: the limit is a minute
    monkeypatch.setattr(server, "READING_LIMIT_S", -1.0)
    await replica.on_tick(0)

    assert await half_reader.read() == b""
    assert await silent_reader.read() == b""
    idle.write(ASK)
    assert b"200 OK" in await idle_reader.read(1000)

    replica.should_exit = True
    await serving
    app.close()
    for writer in (idle, half, silent):
        writer.close()
