from __future__ import annotations

import os
import re

import pytest
from starlette.types import Message, Receive, Scope, Send

from engine.api.guard import Guard, GuardedRoute
from engine.api.identity import Identities, Peer
from engine.api.tokens import Tokens
from engine.errors import Unavailable
from engine.settings import Roles


@pytest.mark.parametrize("error", [ValueError("lost"), Unavailable("The registry is busy.")])
async def test_an_answer_that_breaks_off_is_begun_once_and_logged(
    caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    async def breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    guard = Guard(
        breaks_off,
        [GuardedRoute(re.compile("/v1/stream"), frozenset({"GET"}), "viewer")],
        Identities(Roles()),
        Tokens(lambda _: None),
    )
    sent: list[str] = []

    async def send(message: Message) -> None:
        sent.append(message["type"])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    peer = Peer(os.getpid(), os.getuid(), os.getgid())
    scope = {"type": "http", "method": "GET", "path": "/v1/stream", "query_string": b"", "headers": []}
    await guard(scope | {"mlops.peer": peer}, receive, send)
    assert sent == ["http.response.start"]
    assert "/v1/stream broke off" in caplog.text
    assert str(error) in caplog.text
