"""The awaited client against a real engine."""

from __future__ import annotations

import asyncio
import math

import pytest
from fakes.engine_process import EngineProcess

from engine.client import AsyncEngineClient, Connected
from engine.errors import EngineUnreachable, NotFound
from engine.settings import Home
from engine.wire.events import EventView


async def test_it_answers_as_the_waiting_client_does(engine: EngineProcess) -> None:
    async with AsyncEngineClient(engine.home) as client:
        with engine.client() as waiting:
            assert await client.about() == waiting.about()
            assert await client.projects() == waiting.projects()


async def test_it_raises_what_the_engine_told_of(engine: EngineProcess) -> None:
    async with AsyncEngineClient(engine.home) as client:
        with pytest.raises(NotFound, match="no job 99"):
            await client.job(99)


async def test_it_asks_many_things_at_once(engine: EngineProcess) -> None:
    async with AsyncEngineClient(engine.home) as client:
        answers = await asyncio.gather(*(client.status() for _ in range(32)))
    assert {answer.about.pid for answer in answers} == {engine.pid}


async def test_an_absent_engine_is_unreachable(home: Home) -> None:
    async with AsyncEngineClient(home) as client:
        with pytest.raises(EngineUnreachable, match="No engine answers"):
            await client.about()
        with pytest.raises(EngineUnreachable, match="No engine answers"):
            await anext(client.stream())


async def test_its_stream_goes_on_after_a_restart(engine: EngineProcess) -> None:
    broken: list[str] = []
    async with AsyncEngineClient(engine.home) as client:
        stream = client.stream(0, patience_s=math.inf, lost=lambda error: broken.append(error.message))
        assert await anext(stream) == Connected(0)
        await client.verify()
        first = await anext(stream)
        assert isinstance(first, EventView)
        await asyncio.to_thread(engine.kill)
        await asyncio.to_thread(engine.start)
        await client.verify()
        assert await anext(stream) == Connected(first.seq)
        second = await anext(stream)
        assert isinstance(second, EventView)
        assert (second.seq, second.verb) == (first.seq + 1, "registry.verified")
        await stream.aclose()
    assert broken


async def test_a_stream_that_is_cancelled_lets_its_connection_go(engine: EngineProcess) -> None:
    async with AsyncEngineClient(engine.home) as client:
        connected = asyncio.Event()

        async def follow() -> None:
            async for _ in client.stream():
                connected.set()

        following = asyncio.create_task(follow())
        await connected.wait()
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        assert (await client.about()).pid == engine.pid
