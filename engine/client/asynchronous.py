"""The client that is awaited: for the terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self, TypeVar

from engine.client import wire_format
from engine.client.call import Call
from engine.client.failures import answer_lost, raise_problem, translate
from engine.client.patience import Patience
from engine.client.routes import Routes
from engine.client.stream import SILENCE_S, STREAM_PATH, Bookmark, News
from engine.errors import EngineUnreachable, Unavailable
from engine.settings import Home

T = TypeVar("T")


class AsyncEngineClient(Routes):
    """`EngineClient`, awaited. Belongs to one event loop.

    It starts no engine; `await asyncio.to_thread(ensure_engine, home)` does.
    """

    def __init__(self, home: Home, *, token: str | None = None, patience_s: float = 0.0) -> None:
        import httpx

        from engine.client.transport import awaited_transport

        self.home = home
        self._patience_s = patience_s
        self._http = httpx.AsyncClient(
            transport=awaited_transport(home),
            base_url=wire_format.BASE_URL,
            headers=wire_format.headers(token),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """As `EngineClient.send`."""
        import httpx

        patience = Patience(self._patience_s)
        timeout = httpx.Timeout(call.timeout_s, connect=wire_format.CONNECT_S)
        while True:
            asked = wire_format.request(call, timeout, awaited=True)
            try:
                return wire_format.answer(call, await self._http.request(**asked))
            except httpx.TransportError as error:
                told = translate(error, self.home)
                if not isinstance(told, EngineUnreachable):
                    raise told from error
                pause_s = patience.pause_s(told, call)
            await asyncio.sleep(pause_s)

    async def stream(
        self,
        after: int | None = None,
        *,
        patience_s: float | None = None,
        lost: Callable[[Unavailable], None] | None = None,
    ) -> AsyncIterator[News]:
        """As `EngineClient.stream`."""
        bookmark = Bookmark(after)
        patience_s = self._patience_s if patience_s is None else patience_s
        patience = Patience(patience_s)
        while True:
            try:
                async for news in self._stream_once(bookmark):
                    patience = Patience(patience_s)
                    yield news
                broken: Unavailable = answer_lost("The engine closed the event stream.")
            except Unavailable as error:
                broken = error
            if lost is not None:
                lost(broken)
            await asyncio.sleep(patience.pause_s(broken))

    async def _stream_once(self, bookmark: Bookmark) -> AsyncIterator[News]:
        import httpx
        from httpx_sse import EventSource

        timeout = httpx.Timeout(SILENCE_S, connect=wire_format.CONNECT_S)
        try:
            async with self._http.stream("GET", STREAM_PATH, params=bookmark.params(), timeout=timeout) as response:
                if response.status_code != 200:
                    await response.aread()
                    raise_problem(response)
                async for sent in EventSource(response).aiter_sse():
                    if (news := bookmark.read(sent)) is not None:
                        yield news
        except httpx.TransportError as error:
            raise translate(error, self.home) from error
