"""uvicorn's HTTP over a Unix socket, knowing who is at the other end, with patience and memory for headers bounded."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from engine.api.identity import Peer

HEADERS_WITHIN_S = 10.0
HEADERS_LIMIT_BYTES = 65_536

_CREDENTIALS = struct.Struct("3i")


class PeerProtocol(HttpToolsProtocol):
    """Puts `Peer` into every request's scope as `mlops.peer`; None for a socket that tells of no peer."""

    _peer: Peer | None = None
    _head_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn goes by whether anybody listens to its access log, and our root logger listens to everything.
        self.access_log = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there: ask the kernel who."""
        super().connection_made(transport)
        self._peer = _peer_of(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._head_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes; those of headers are counted."""
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
                self._await_head()
        super().data_received(data)
        if self._in_head and self._head_bytes > HEADERS_LIMIT_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers are too large.")

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        scope: dict[str, Any] = self.scope  # type: ignore[assignment]
        scope["mlops.peer"] = self._peer

    def on_headers_complete(self) -> None:
        """Its headers are whole."""
        self._in_head = False
        self._head_came()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Its body is whole; what follows are the next one's headers."""
        self._in_head = True
        self._head_bytes = 0
        super().on_message_complete()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEADERS_WITHIN_S, self._give_up)

    def _head_came(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def _peer_of(transport: asyncio.Transport) -> Peer | None:
    connection = transport.get_extra_info("socket")
    # A TCP socket answers this question too, with 0 for the uid: root's.
    if connection is None or connection.family != socket.AF_UNIX:
        return None
    said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return Peer(*_CREDENTIALS.unpack(said))
