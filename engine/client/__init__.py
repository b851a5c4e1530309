"""The engine's clients: over its Unix socket, in the words of `engine.wire`.

    with connect(find_home()) as engine:          # starts an engine where none runs
        job = engine.train("fraud", reason="first try").job
        for news in engine.stream():
            ...

`EngineClient` waits, `AsyncEngineClient` is awaited; both have the same calls, one for each route. Every failure is an
`engine.errors.EngineError`.
"""

from typing import TYPE_CHECKING, Any

from engine.client.launch import ensure_engine
from engine.client.stream import Connected, News
from engine.client.synchronous import EngineClient, connect

if TYPE_CHECKING:
    from engine.client.asynchronous import AsyncEngineClient

__all__ = ["AsyncEngineClient", "Connected", "EngineClient", "News", "connect", "ensure_engine"]


def __getattr__(name: str) -> Any:
    # asyncio takes 50 ms to import, a quarter of a command's start, and commands do not need it.
    if name == "AsyncEngineClient":
        from engine.client.asynchronous import AsyncEngineClient

        return AsyncEngineClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
