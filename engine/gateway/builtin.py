"""The built-in gateway as one process: sockets, signals, and the order in which it starts and ends."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import resource
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from engine.gateway.control import Control
from engine.gateway.front import Front
from engine.gateway.guard import Guard
from engine.gateway.program import program_sha256
from engine.gateway.proxy import Proxy
from engine.gateway.routes import BadRoutes, load_routes
from engine.gateway.status import GatewayStatus
from engine.gateway.table import Table

log = logging.getLogger("mlops.gateway")

END_S = 30.0
"""Requests in flight get this long when the gateway is ended."""

BACKLOG = 1024

FILES = 65_536
"""Open files to ask the system for: a client and a model server's connection each."""


class AddressTaken(Exception):
    """The address cannot be listened on; the message says why in one sentence."""


class AlreadyRunning(Exception):
    """Another gateway holds this folder."""


@dataclass(frozen=True)
class Options:
    """What the process is told. `port` 0 takes any free one."""

    folder: Path
    control: Path
    host: str
    port: int
    sticky_header: str = "x-mlops-key"


async def run(options: Options) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are answered first.

    Raises:
        AlreadyRunning, AddressTaken
    """
    with _hold(options.folder):
        listener = _listen(options.host, options.port)
        await _serve(options, listener)


async def _serve(options: Options, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    port = int(listener.getsockname()[1])
    _raise_file_limit()
    table = Table()
    _start_from_stored(table, options.folder)
    started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    about = GatewayStatus(
        pid=os.getpid(),
        host=options.host,
        port=port,
        generation=0,
        started_at=started_at,
        program_sha256=program_sha256(),
        sticky_header=options.sticky_header,
    )
    control = await _open_control(Control(table, options.folder, about).app(), options.control)
    front = Front(Proxy(table, options.sticky_header, Guard(options.host, port)).answer, loop=loop)
    server = await loop.create_server(front, sock=listener, backlog=BACKLOG)
    watch = loop.create_task(_watch(front, table))
    log.info("listening on %s port %d, pid %d", options.host, port, os.getpid())
    await _until_told()
    log.info("ending")
    server.close()
    await front.end(END_S)
    watch.cancel()
    await control.cleanup()
    options.control.unlink(missing_ok=True)


def _start_from_stored(table: Table, folder: Path) -> None:
    """With damaged routes it starts empty: the engine puts them again, and generation 0 refuses none."""
    try:
        table.put(load_routes(folder))
    except (BadRoutes, OSError) as error:
        log.error("the stored routes cannot be read, so there are none until the engine puts them: %s", error)


async def _watch(front: Front, table: Table) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(front.watch())
        group.create_task(_tidy(table))


async def _tidy(table: Table) -> None:
    while True:
        await asyncio.sleep(5.0)
        table.forget()


async def _until_told() -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


async def _open_control(app: web.Application, path: Path) -> web.AppRunner:
    """Serve on a socket of mode 0600 from its first moment; one left by a dead gateway is replaced."""
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    await runner.setup()
    path.unlink(missing_ok=True)
    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    umask = os.umask(0o177)
    try:
        control.bind(os.fspath(path))
    finally:
        os.umask(umask)
    await web.SockSite(runner, control).start()
    return runner


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        # Also where connections of a gateway that has just ended linger in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        why = "it is taken by another program" if error.errno == errno.EADDRINUSE else str(error.strerror).lower()
        raise AddressTaken(f"The gateway cannot listen on {host} port {port}: {why}.") from error
    return listener


@contextlib.contextmanager
def _hold(folder: Path) -> Iterator[None]:
    """One gateway a folder: two would answer for one set of routes."""
    descriptor = os.open(folder / "gateway.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise AlreadyRunning(f"Another gateway serves from {folder}.") from error
    try:
        yield
    finally:
        os.close(descriptor)


def _raise_file_limit() -> None:
    """A connection is a file, and the usual soft limit of 1,024 is soon reached."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
