"""The process: a Unix socket, uvicorn on uvloop, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from engine.serving.app import App
from engine.serving.capture import CaptureLog
from engine.serving.manifest import ServeSpec
from engine.serving.model import load_bundle
from engine.serving.problems import BadBundle
from engine.serving.rows import RowReader

SPEC_NAME = "serve.json"
KEEP_ALIVE_S = 75
"""Longer than the gateway's, so that it is never the server that closes a connection about to be used."""
READING_LIMIT_S = 60.0
"""From a request's first byte to its last."""
DRAIN_LIMIT_S = 30
HEAD_LIMIT_BYTES = 64 * 1024


def serve(folder: Path) -> None:
    """Serve the replica in `folder` until SIGTERM or SIGINT, then answer what is in flight and return.

    Listens only after the golden rows were answered as at packaging.

    Raises:
        BadBundle: it cannot be served; nothing was listened on.
    """
    spec = read_spec(folder)
    app = make_app(folder, spec)
    path = folder / spec.socket
    listener = bind_socket(path)
    gc.freeze()  # what was loaded stays for good: the collector need not walk it again
    try:
        ReplicaServer(app).run(sockets=[listener])
    finally:
        app.close()
        path.unlink(missing_ok=True)


def make_app(folder: Path, spec: ServeSpec) -> App:
    """The application of the replica in `folder`, its golden rows checked.

    Raises:
        BadBundle: it cannot be served.
    """
    bundle = load_bundle(folder / spec.bundle)
    bundle.check_golden()
    reader = RowReader(bundle.manifest)
    return App(spec, bundle, CaptureLog(folder / spec.captures, spec, reader.columns), reader)


def read_spec(folder: Path) -> ServeSpec:
    """What the replica in `folder` is to do.

    Raises:
        BadBundle: its `serve.json` is missing or wrong.
    """
    try:
        return msgspec.json.decode((folder / SPEC_NAME).read_bytes(), type=ServeSpec)
    except OSError as error:
        raise BadBundle(f"There is no {SPEC_NAME} in {folder} that can be read: {error.strerror}.") from error
    except msgspec.DecodeError as error:
        raise BadBundle(f"{SPEC_NAME} cannot be used: {error}.") from error


def bind_socket(path: Path) -> socket.socket:
    """A bound Unix socket that everybody who reaches its folder may use; a dead one in its place is replaced.

    The engine and a container's user are different users: the folder above is the protection.

    Raises:
        BadBundle: another process listens there, or it cannot be bound.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket():
            if _answers(path):
                raise BadBundle(f"Another model server already listens on {path.name}.", "End it first.")
            path.unlink()
        mask = os.umask(0o111)
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
    except OSError as error:
        listener.close()
        raise BadBundle(f"The socket {path} cannot be bound: {error}.") from error
    except BadBundle:
        listener.close()
        raise
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds it does not have: the size of a request's head, and the time it may take."""

    reading_since: float | None = None
    """When the request now coming in began; None between requests."""
    head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection that asks nothing counts as a request that does not come to its end."""
        super().connection_made(transport)
        self.reading_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Count what came before the headers were whole; one chunk more than the limit may slip in."""
        if self.head_bytes > HEAD_LIMIT_BYTES:
            self._refuse(431, "The headers are larger than 64 kB.")
            return
        self.head_bytes += len(data)
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self.reading_since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole; what follows is counted as body."""
        self.head_bytes = -(1 << 62)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self.head_bytes, self.reading_since = 0, None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so in the same shape as every other error."""
        self._refuse(400, msg)

    def _refuse(self, status: int, sentence: str) -> None:
        body = msgspec.json.encode({"error": sentence, "hint": ""})
        if not self.transport.is_closing():
            head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + head + body)
            self.transport.close()


class ReplicaServer(uvicorn.Server):
    """uvicorn that ends with code 0 on SIGTERM, and closes connections whose request does not come to its end."""

    def __init__(self, app: App) -> None:
        self._app = app
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=BoundedProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_LIMIT_S,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own raises the signal again at the end, and the process would end by it instead of with 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        yield

    def _end(self) -> None:
        self._app.ready = False
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Every 0.1 s; each 5 s look for requests that never end."""
        if counter % 50 == 0:
            too_old = asyncio.get_running_loop().time() - READING_LIMIT_S
            for connection in list(self.server_state.connections):
                if isinstance(connection, BoundedProtocol) and (connection.reading_since or too_old) < too_old:
                    connection.transport.abort()
        return await super().on_tick(counter)
