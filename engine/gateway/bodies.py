"""Reading a request's body: whole before it is sent on, bounded in size, time and in memory over all requests.

Whole, because a request whose replica dies is sent again to another one, and because a slow client then holds no
connection of a model server.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp.web import BaseRequest, RequestPayloadError

BODY_LIMIT_BYTES = 32 * 1024 * 1024
BODY_S = 60.0

SMALL_BYTES = 64 * 1024
"""Bodies up to this size are not counted: their number is bounded by the connections."""

LARGE_TOTAL_BYTES = 2 * BODY_LIMIT_BYTES
"""Larger bodies held at once; who comes later waits."""


class BodyTooLarge(Exception):
    """More than 32 MB."""


class BodyTooSlow(Exception):
    """Not there in 60 s."""


class BodyBroken(Exception):
    """The client went away, or its chunks are malformed."""


class BodyBudget:
    """Memory for large bodies, shared by all requests, first come first served."""

    def __init__(self, total_bytes: int = LARGE_TOTAL_BYTES) -> None:
        self._free = total_bytes
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def hold(self, size_bytes: int) -> AsyncIterator[None]:
        """Have room for a body for as long as it is held.

        Raises:
            BodyTooSlow: there was no room for 60 s.
        """
        if size_bytes <= SMALL_BYTES:
            yield
            return
        await self._take(size_bytes)
        try:
            yield
        finally:
            self._free += size_bytes
            self._serve()

    async def _take(self, size_bytes: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._queue.append((size_bytes, turn))
        self._serve()
        try:
            async with asyncio.timeout(BODY_S):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._free += size_bytes
            else:
                turn.cancel()
            self._serve()
            if isinstance(error, TimeoutError):
                raise BodyTooSlow from error
            raise

    def _serve(self) -> None:
        while self._queue:
            size_bytes, turn = self._queue[0]
            if not turn.cancelled():
                if size_bytes > self._free:
                    return
                self._free -= size_bytes
                turn.set_result(None)
            self._queue.popleft()


def declared_bytes(request: BaseRequest) -> int:
    """How much memory a body may need: its declared length, or the limit where it comes in chunks.

    Raises:
        BodyTooLarge: it says itself that it is.
    """
    length = request.content_length
    if length is None:
        return BODY_LIMIT_BYTES
    if length > BODY_LIMIT_BYTES:
        raise BodyTooLarge
    return length


async def read_body(request: BaseRequest) -> list[bytes]:
    """All of a body, in the pieces in which it came.

    Raises:
        BodyTooLarge, BodyTooSlow, BodyBroken
    """
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        # aiohttp takes written bytes for a begun answer.
        request.writer.output_size = 0
    pieces: list[bytes] = []
    size_bytes = 0
    try:
        async with asyncio.timeout(BODY_S):
            while piece := await request.content.readany():
                size_bytes += len(piece)
                if size_bytes > BODY_LIMIT_BYTES:
                    raise BodyTooLarge
                pieces.append(piece)
    except TimeoutError as error:
        raise BodyTooSlow from error
    except (RequestPayloadError, ConnectionError) as error:
        raise BodyBroken from error
    return pieces
