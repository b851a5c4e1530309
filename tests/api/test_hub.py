from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from engine.api import hub as hub_module
from engine.api.hub import EventHub
from engine.wire.events import EventList, EventView, Progress


def event(seq: int) -> EventView:
    return EventView(
        seq=seq,
        at=datetime(2026, 1, 1, tzinfo=UTC),
        actor="anna",
        role="admin",
        verb="run.logged",
        subject=f"run {seq}",
        project=None,
        evidence={},
        hash="",
        prev_hash="",
    )


class Table:
    """Stands for the event table."""

    def __init__(self, events: int = 0) -> None:
        self.events = [event(seq) for seq in range(1, events + 1)]
        self.reads = 0

    def page(self, after: int, limit: int) -> EventList:
        self.reads += 1
        return EventList(events=[found for found in self.events if found.seq > after][:limit], next_after=None)

    def commit(self, hub: EventHub, count: int = 1) -> None:
        new = [event(len(self.events) + 1 + number) for number in range(count)]
        self.events += new
        hub.publish(new)


@pytest.fixture
def table() -> Table:
    return Table(events=3)


@pytest_asyncio.fixture(loop_scope="function")
async def hub(table: Table) -> AsyncGenerator[EventHub, None]:
    made = EventHub(asyncio.get_running_loop(), len(table.events), table.page)
    yield made
    made.close()


def read(chunk: bytes) -> list[tuple[str, int | None]]:
    """(kind, id) of each message of a chunk."""
    found = []
    for message in chunk.decode().split("\r\n\r\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in message.split("\r\n"))
        found.append((fields["event"], int(fields["id"]) if "id" in fields else None))
    return found


async def take(stream: AsyncGenerator[bytes, None], count: int) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    while len(found) < count:
        found += read(await asyncio.wait_for(anext(stream), 10))
    return found


async def test_a_follower_from_now_on_sees_only_what_comes(hub: EventHub, table: Table) -> None:
    stream = hub.follow(None)
    assert await take(stream, 1) == [("connected", 3)]
    table.commit(hub)
    assert await take(stream, 1) == [("event", 4)]
    await stream.aclose()


async def test_a_follower_that_was_away_reads_on_from_the_table(hub: EventHub, table: Table) -> None:
    stream = hub.follow(1)
    assert await take(stream, 3) == [("connected", 1), ("event", 2), ("event", 3)]
    table.commit(hub, 2)
    assert await take(stream, 2) == [("event", 4), ("event", 5)]
    await stream.aclose()


async def test_a_slow_follower_loses_no_event_and_gets_none_twice(
    hub: EventHub, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "PAGE", 7)
    stream = hub.follow(0)
    assert await take(stream, 1) == [("connected", 0)]
    for _ in range(hub_module.RECENT // 50 + 10):
        table.commit(hub, 50)
        await asyncio.sleep(0)
    last = len(table.events)
    assert await take(stream, last) == [("event", seq) for seq in range(1, last + 1)]
    await stream.aclose()


async def test_followers_who_keep_up_read_no_table(hub: EventHub, table: Table) -> None:
    streams = [hub.follow(None) for _ in range(16)]
    for stream in streams:
        await take(stream, 1)
    for _ in range(20):
        table.commit(hub, 10)
        for stream in streams:
            await take(stream, 10)
    assert table.reads == 0
    for stream in streams:
        await stream.aclose()


async def test_an_event_in_the_table_before_it_is_told_of_comes_once(hub: EventHub, table: Table) -> None:
    table.events.append(event(4))
    stream = hub.follow(2)
    assert await take(stream, 3) == [("connected", 2), ("event", 3), ("event", 4)]
    hub.publish([event(4)])
    table.commit(hub)
    assert await take(stream, 1) == [("event", 5)]
    await stream.aclose()


async def test_a_position_from_another_registry_begins_at_the_end(hub: EventHub) -> None:
    stream = hub.follow(10_000)
    assert await take(stream, 1) == [("connected", 3)]
    await stream.aclose()


async def test_of_progress_a_slow_follower_gets_the_newest_of_each_job(hub: EventHub) -> None:
    stream = hub.follow(None)
    await take(stream, 1)
    for fraction in (0.1, 0.2, 0.3):
        for job in (1, 2):
            hub.publish_progress(Progress(job_id=job, attempt=1, step="fit", fraction=fraction, note=""))
    await asyncio.sleep(0)
    chunk = await asyncio.wait_for(anext(stream), 10)
    assert read(chunk) == [("progress", None), ("progress", None)]
    assert chunk.count(b'"fraction":0.3') == 2
    await stream.aclose()


async def test_a_follower_that_leaves_is_forgotten(hub: EventHub) -> None:
    stream = hub.follow(None)
    await take(stream, 1)
    assert hub.followers == 1
    await stream.aclose()
    assert hub.followers == 0


async def test_closing_ends_every_stream(hub: EventHub) -> None:
    stream = hub.follow(None)
    await take(stream, 1)
    hub.close()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(stream), 10)
