"""A request's body, read whole within its limits of size and time before the application sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from engine.api.json_limits import check_json
from engine.api.problems import Refused
from engine.errors import InvalidInput, TooLarge

BODY_LIMIT_BYTES = 1_000_000
WORK_LIMIT_BYTES = 8_000_000
"""A worker's: curves, and figures with their evidence."""
BODY_WITHIN_S = 60.0

_CHECKED_AT_ONCE_BYTES = 65_536
"""Longer bodies are checked in a thread, so that nobody else waits."""


class Disconnected(Exception):
    """The client went away while it sent."""


async def read_body(headers: Headers, receive: Receive, limit_bytes: int) -> bytes:
    """The whole body, which is JSON or empty.

    Raises:
        TooLarge: more than `limit_bytes`, said or sent.
        Refused: it took longer than a minute.
        InvalidInput: not JSON within the limits.
        Disconnected: nobody is there any more.
    """
    said = headers.get("content-length", "0")
    if not (said.isascii() and said.isdigit()) or int(said[:20]) > limit_bytes:
        raise _too_large(limit_bytes)
    try:
        async with asyncio.timeout(BODY_WITHIN_S):
            body = await _gather(receive, limit_bytes)
    except TimeoutError:
        slow = InvalidInput(f"The body did not come to its end within {BODY_WITHIN_S:.0f} s.")
        raise Refused(slow, 408) from None
    if not body:
        return body
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise InvalidInput("A body must be JSON.", "Send it with `content-type: application/json`.")
    if len(body) > _CHECKED_AT_ONCE_BYTES:
        await asyncio.to_thread(check_json, body)
    else:
        check_json(body)
    return body


def replay(body: bytes, receive: Receive) -> Callable[[], Awaitable[Message]]:
    """A `receive` that gives the body once, and then whatever comes: the news that the client went away."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def within_limit(headers: Headers, receive: Receive, limit_bytes: int) -> Receive:
    """A `receive` for a route that takes its body piece by piece: never more than `limit_bytes`, nor a long silence.

    Raises:
        TooLarge: more is announced; in `receive`, more has come.
        Refused: in `receive`, nothing came for a minute.
        Disconnected: in `receive`, nobody is there any more.
    """
    said = headers.get("content-length", "0")
    if not (said.isascii() and said.isdigit()) or int(said[:20]) > limit_bytes:
        raise _too_large(limit_bytes, "Give it in parts.")
    come = 0
    ended = False

    async def next_piece() -> Message:
        nonlocal come, ended
        if ended:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), BODY_WITHIN_S)
        except TimeoutError:
            slow = InvalidInput(f"Nothing more of the body came for {BODY_WITHIN_S:.0f} s.")
            raise Refused(slow, 408, {"connection": "close"}) from None
        if message["type"] != "http.request":
            raise Disconnected
        come += len(message.get("body", b""))
        if come > limit_bytes:
            raise _too_large(limit_bytes, "Give it in parts.")
        ended = not message.get("more_body", False)
        return message

    return next_piece


async def _gather(receive: Receive, limit_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Disconnected
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(limit_bytes: int, hint: str = "Files are named by path, not sent.") -> TooLarge:
    return TooLarge(f"The body is larger than {limit_bytes // 1_000_000:,} MB.", hint)
