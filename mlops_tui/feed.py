"""The one line to the engine: finds it, follows its events, finds it again; loses no event."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

from engine.errors import EngineError, Unavailable
from mlops_tui.messages import EngineFound, EngineLost, EventCame, ProgressCame
from mlops_tui.view.times import utc_now

if TYPE_CHECKING:
    from textual.message import Message

    from engine.client import AsyncEngineClient, News

RETRY_S = (0.2, 0.5, 1.0, 2.0)
"""Pauses between looks for an engine that is gone; the last one goes on."""

Ensure = Callable[[bool], Awaitable[None]]
"""Sees that an engine runs. True: also one that somebody put down by `mlops down`."""


class Feed:
    """Follows the event stream of one engine and posts what comes of it."""

    def __init__(self, client: AsyncEngineClient, post: Callable[[Message], object], ensure: Ensure) -> None:
        self._client = client
        self._post = post
        self._ensure = ensure
        self._after: int | None = None
        self._lost_at: datetime | None = None

    async def run(self) -> None:
        """Until cancelled. Only the first look starts an engine that was put down on purpose."""
        put_down_too = True
        tries = 0
        while True:
            try:
                await self._ensure(put_down_too)
                put_down_too = False
                async for news in self._client.stream(self._after, patience_s=0.0):
                    tries = 0
                    self._tell(news)
                broken: EngineError = Unavailable("The engine closed the event stream.")
            except EngineError as error:
                broken = error
            if self._lost_at is None and self._after is not None:
                broken = Unavailable("It went away.")
            self._lost_at = self._lost_at or utc_now()
            self._post(EngineLost(self._lost_at, broken))
            await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1

    def _tell(self, news: News) -> None:
        from engine.wire.events import EventView, Progress

        if isinstance(news, Progress):
            self._post(ProgressCame(news))
        elif isinstance(news, EventView):
            self._after = news.seq
            self._post(EventCame(news))
        else:
            self._lost_at = None
            # After a break the engine tells where it goes on from, which is where we were.
            self._after = news.after
            self._post(EngineFound(news.after))
