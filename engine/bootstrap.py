"""The one place where the parts of an engine are joined."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version

import anyio.to_thread
import uvloop

from engine.api.app import build_api
from engine.api.context import Context, GatewayHealth
from engine.api.hub import EventHub
from engine.api.server import ApiServer, bind
from engine.blobs.store import BlobStore
from engine.lifecycle.parts import Parts
from engine.registry.migrate import bring_up_to_date
from engine.registry.queries.endpoints import Observed
from engine.registry.queries.events import last_event, list_events
from engine.registry.queries.jobs import attempt_of_token
from engine.registry.reader import Reader
from engine.registry.writer import Writer
from engine.settings import Config, Home

log = logging.getLogger("engine")

_THREADS = 64
"""Requests that read, write or hash at once; each waits in a thread, and the writer takes what waits in one commit."""


def build(home: Home, config: Config) -> Engine:
    """An engine for a home that is prepared and locked.

    Raises:
        EngineError: why there can be none, such as a registry that a newer program wrote.
    """
    return Engine(home, config)


class Engine:
    """The joined parts, from the first connection to the last."""

    def __init__(self, home: Home, config: Config) -> None:
        self._home = home
        self._config = config
        self._schema = bring_up_to_date(home.database)
        self._end_all = False

    def run(self, ready: Callable[[], None]) -> None:
        """Serve until told to end; calls `ready` once requests are answered."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(ready))

    async def _serve(self, ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        started_at = datetime.now(UTC)
        with ExitStack() as ends:
            writer = Writer(self._home.database)
            writer.start()
            ends.callback(writer.stop)
            reader = Reader(self._home.database)
            ends.callback(reader.close)
            hub = EventHub(loop, last_event(reader), lambda after, limit: list_events(reader, after=after, limit=limit))
            writer.on_commit(hub.publish)
            parts = Parts(
                home=self._home,
                config=self._config,
                writer=writer,
                reader=reader,
                blobs=BlobStore(self._home.blobs),
                publish_progress=hub.publish_progress,
                stop=self._stop_from_anywhere,
            )
            context = Context(
                parts=parts,
                hub=hub,
                started_at=started_at,
                version=version("mlops-tui"),
                schema_revision=self._schema,
                next_times=dict,
                observed=Observed,
                gateway=lambda: GatewayHealth(alive=False),
            )
            api = build_api(context, lambda digest: _attempt(reader, digest))
            listener = bind(self._home.engine_socket)
            ends.callback(self._home.engine_socket.unlink, missing_ok=True)
            # Whoever starts an engine wants it up again.
            self._home.stopped_mark.unlink(missing_ok=True)
            self._server = ApiServer(api, ready)
            self._hub = hub
            self._loop = loop
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stop, False)
            await self._server.serve(sockets=[listener])

    def _stop_from_anywhere(self, everything: bool) -> None:
        self._loop.call_soon_threadsafe(self._stop, everything)

    def _stop(self, everything: bool) -> None:
        self._end_all = self._end_all or everything
        self._hub.close()
        self._server.should_exit = True


def _attempt(reader: Reader, digest: str) -> tuple[int, int] | None:
    found = attempt_of_token(reader, digest)
    return (found.job_id, found.attempt) if found else None
