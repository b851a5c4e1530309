"""uvicorn on a Unix socket that is ours: bound by us, with our protocol, and ended by us."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from engine.api.peer_protocol import PeerProtocol

CONNECTIONS = 1000
KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection, so that they close it first and never lose a request to it."""
FINISH_WITHIN_S = 10

_BACKLOG = 2048


def bind(path: Path) -> socket.socket:
    """Listen at `path`, open to the folder's group (0660). The home's lock must be held: what lies there is stale."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The process's mask keeps others out until then; to change that instead would touch files of other threads.
    listener.bind(str(path))
    path.chmod(0o660)
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


class ApiServer(uvicorn.Server):
    """Serves `app` until `should_exit`. Signals are the engine's business, not uvicorn's."""

    def __init__(self, app: ASGIApp, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            http=PeerProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=FINISH_WITHIN_S,
        )
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and say so."""
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield
