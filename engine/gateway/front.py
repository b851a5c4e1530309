"""aiohttp's low-level server, with what it lacks: a limit on header time, problems as JSON, a clean end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp.web import BaseRequest, RequestHandler, Server, StreamResponse

from engine.gateway.answers import Problem, problem_answer, problem_body

log = logging.getLogger("mlops.gateway")

_NO_ACCESS_LOG = logging.getLogger("mlops.gateway.access")
_NO_ACCESS_LOG.disabled = True

HEADER_S = 10.0
KEEP_ALIVE_S = 75.0

LINGER_S = 2.0
"""After an early answer the rest of a body is read for this long, so that the answer is not lost in a reset."""

Handler = Callable[[BaseRequest], Awaitable[StreamResponse]]


class FrontConnection(RequestHandler):
    """One client's connection."""

    busy = False
    """A request is being answered."""
    begun_at: float | None = None
    """When a request began to come whose head is not complete, by the loop's clock."""

    def data_received(self, data: bytes) -> None:
        """Called by the loop."""
        if self.begun_at is None and not self.busy:
            self.begun_at = self._loop.time()
        super().data_received(data)

    def end_if_slow(self, now: float) -> None:
        """Close it when a request's head takes too long."""
        if self.begun_at is None or self.busy or now - self.begun_at < HEADER_S or self.transport is None:
            return
        body = msgspec.json.encode(
            problem_body(f"The request's head was not there after {HEADER_S:g} s.", "Send it in one piece.")
        )
        head = "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nConnection: close\r\n"
        self.transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        self.force_close()

    def end_if_idle(self) -> None:
        """Close it unless a request is coming or being answered."""
        if not self.busy and self.begun_at is None:
            self.force_close()

    def handle_error(
        self, request: BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> StreamResponse:
        """The answer to what is not HTTP, or to a fault of our own."""
        if request.writer.output_size > 0:
            raise ConnectionResetError("an answer had begun")
        if status < 500:
            problem = Problem(
                status, "This is not HTTP as this gateway reads it.", "One length, and header lines of at most 8 kB."
            )
        else:
            log.error("fault while answering", exc_info=exc)
            problem = Problem(status, "The gateway itself failed at this request.", "Its log says how.")
        answer = problem_answer(problem)
        answer.force_close()
        return answer


class Front(Server):
    """The listening side. `handler` must not raise for what a client can cause."""

    def __init__(self, handler: Handler, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(self._answer, loop=loop)
        self._handler = handler
        self._ending = False

    def __call__(self) -> FrontConnection:
        """A protocol for a new connection."""
        return FrontConnection(
            self,
            loop=self._loop,
            logger=log,
            access_log=_NO_ACCESS_LOG,
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE_S,
            lingering_time=LINGER_S,
        )

    async def watch(self) -> None:
        """End connections whose heads take too long, for ever."""
        while True:
            await asyncio.sleep(1.0)
            now = self._loop.time()
            for connection in self._fronts():
                connection.end_if_slow(now)

    async def end(self, timeout_s: float) -> None:
        """Let requests that have begun finish, and close every connection after them."""
        self._ending = True
        give_up_at = self._loop.time() + timeout_s
        while self.connections and self._loop.time() < give_up_at:
            for connection in self._fronts():
                connection.end_if_idle()
            await asyncio.sleep(0.02)
        await self.shutdown(0.1)

    def _fronts(self) -> list[FrontConnection]:
        return [connection for connection in self.connections if isinstance(connection, FrontConnection)]

    async def _answer(self, request: BaseRequest) -> StreamResponse:
        connection = request.protocol
        assert isinstance(connection, FrontConnection)
        connection.busy, connection.begun_at = True, None
        try:
            answer = await self._handler(request)
            if self._ending and not answer.prepared:
                answer.force_close()
            return answer
        finally:
            connection.busy = False
