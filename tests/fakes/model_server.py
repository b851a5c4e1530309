"""A model server that says nothing true, but misbehaves on demand: on a Unix socket, in the test's own loop."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httptools


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for each, value in self.headers if each.lower() == name), None)


@dataclass
class FakeModelServer:
    """`mode`: `answer`, `drop` (close instead of answering), `drop_kept` (close when a connection is used a second
    time) or `garbage`. While `hold` is set to an event, answers wait for it."""

    socket: Path
    version: int = 1
    mode: str = "answer"
    status: int = 200
    body: bytes | None = None
    chunked: bool = False
    hold: asyncio.Event | None = None
    extra: bytes = b""
    asked: list[Asked] = field(default_factory=list)
    connections: set[_Connection] = field(default_factory=set)
    accepted: int = 0
    _server: Any = None

    async def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _Connection(self), str(self.socket))

    async def kill(self) -> None:
        """As kill -9 does it: every connection ends, the socket's file stays."""
        self._server.close()
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        self.socket.touch()

    def answer(self) -> bytes:
        body = self.body if self.body is not None else json.dumps({"version": self.version}).encode()
        head = f"HTTP/1.1 {self.status} X\r\ncontent-type: application/json\r\nx-mlops-version: {self.version}\r\n"
        if not self.chunked:
            return f"{head}content-length: {len(body)}\r\n".encode() + self.extra + b"\r\n" + body
        pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
        told = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        return head.encode() + b"transfer-encoding: chunked\r\n\r\n" + told + b"0\r\n\r\n"


class _Connection(asyncio.Protocol):
    def __init__(self, server: FakeModelServer) -> None:
        self.server = server
        self.parser = httptools.HttpRequestParser(self)
        self.uses = 0
        self.url = b""
        self.headers: list[tuple[str, str]] = []
        self.body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.server.accepted += 1
        self.server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_begin(self) -> None:
        self.url, self.headers, self.body = b"", [], []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.uses += 1
        method = self.parser.get_method().decode()
        self.server.asked.append(Asked(method, self.url.decode(), self.headers, b"".join(self.body)))
        if self.server.mode == "drop" or (self.server.mode == "drop_kept" and self.uses > 1):
            self.transport.abort()
        elif self.server.mode == "garbage":
            self.transport.write(b"\x00\x01 this is not HTTP\r\n\r\n")
        elif self.server.hold is not None:
            asyncio.get_running_loop().create_task(self._later(self.server.hold))
        else:
            self.transport.write(self.server.answer())

    async def _later(self, hold: asyncio.Event) -> None:
        await hold.wait()
        self.transport.write(self.server.answer())
