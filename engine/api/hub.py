"""The event stream's fan-out: each committed event is encoded once and handed to everybody who follows.

Who follows has a position in the event table, not a queue of events: one that is slow, or was away, reads on from the
table, so nothing durable is ever dropped for it and it costs no memory. Of progress it keeps the newest per job.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from itertools import islice

from engine.wire.events import EventList, EventView, Progress

RECENT = 2048
"""Encoded events kept at hand; who is further behind reads the table."""
PAGE = 500
JOBS_AT_ONCE = 256
"""Jobs whose newest progress waits for one follower; more are dropped."""


class EventHub:
    """Lives in the event loop's thread; `publish` and `publish_progress` may be called from any."""

    def __init__(self, loop: asyncio.AbstractEventLoop, newest: int, page: Callable[[int, int], EventList]) -> None:
        """`newest`: the last event there is. `page(after, limit)`: events of the table; called in a thread."""
        self._loop = loop
        self._newest = newest
        self._page = page
        self._recent: deque[tuple[int, bytes]] = deque(maxlen=RECENT)
        self._followers: set[_Follower] = set()
        self._closed = False

    def publish(self, events: list[EventView]) -> None:
        """Committed events, in order."""
        self._in_loop(self._take_events, events)

    def publish_progress(self, progress: Progress) -> None:
        """How far a job is; may be lost."""
        self._in_loop(self._take_progress, progress)

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._wake()

    @property
    def followers(self) -> int:
        """How many follow now."""
        return len(self._followers)

    async def follow(self, after: int | None) -> AsyncGenerator[bytes, None]:
        """Encoded messages: first `connected`, then the events after `after` (None: from now on), and progress."""
        follower = _Follower(self._newest if after is None else await self._known(after))
        self._followers.add(follower)
        try:
            yield _message("connected", "{}", follower.position)
            while not self._closed:
                follower.woken.clear()
                if sent := await self._next(follower):
                    yield sent
                else:
                    await follower.woken.wait()
        finally:
            self._followers.discard(follower)

    async def _known(self, after: int) -> int:
        """A position in this table: one beyond its end comes from another registry, or from before a restore."""
        if after <= self._newest:
            return max(after, 0)
        return after if (await asyncio.to_thread(self._page, after - 1, 1)).events else self._newest

    async def _next(self, follower: _Follower) -> bytes:
        events = self._from_recent(follower.position)
        if events is None:
            found = await asyncio.to_thread(self._page, follower.position, PAGE)
            events = [(event.seq, _encode(event)) for event in found.events]
        if events:
            follower.position = events[-1][0]
        progress = list(follower.progress.values())
        follower.progress.clear()
        return b"".join([encoded for _, encoded in events] + progress)

    def _from_recent(self, position: int) -> list[tuple[int, bytes]] | None:
        """What follows `position`, at most a page; None: it is no longer, or not yet, at hand."""
        if position >= self._newest:
            return []
        if not self._recent or self._recent[0][0] > position + 1:
            return None
        start = position + 1 - self._recent[0][0]
        return list(islice(self._recent, start, start + PAGE))

    def _take_events(self, events: list[EventView]) -> None:
        self._recent.extend((event.seq, _encode(event)) for event in events)
        self._newest = events[-1].seq
        self._wake()

    def _take_progress(self, progress: Progress) -> None:
        encoded = _message("progress", progress.model_dump_json())
        for follower in self._followers:
            if progress.job_id in follower.progress or len(follower.progress) < JOBS_AT_ONCE:
                follower.progress[progress.job_id] = encoded
                follower.woken.set()

    def _wake(self) -> None:
        for follower in self._followers:
            follower.woken.set()

    def _in_loop(self, take: Callable[..., None], value: object) -> None:
        try:
            self._loop.call_soon_threadsafe(take, value)
        except RuntimeError:
            # The loop has ended before the writer: nobody follows any more.
            return


class _Follower:
    def __init__(self, position: int) -> None:
        self.position = position
        self.progress: dict[int, bytes] = {}
        self.woken = asyncio.Event()


def _encode(event: EventView) -> bytes:
    return _message("event", event.model_dump_json(), event.seq)


def _message(kind: str, data: str, number: int | None = None) -> bytes:
    head = "" if number is None else f"id: {number}\r\n"
    return f"{head}event: {kind}\r\ndata: {data}\r\n\r\n".encode()
