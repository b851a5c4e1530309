"""The audit chain, by page and as a live stream, and its verification."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from engine.api.context import InEngine
from engine.api.fields import PageSize, Position, RowId
from engine.api.roles import Operator, Viewer
from engine.lifecycle.verify_registry import verify_registry
from engine.registry.queries import events
from engine.wire.events import EventList, Verification

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1", tags=["events"])

PING_EVERY_S = 15
_STUCK_AFTER_S = 60.0
"""A client that takes nothing for so long is let go; it can come back and read on."""


@router.get("/events")
def list_events(
    engine: InEngine,
    caller: Viewer,
    after: Position = 0,
    limit: PageSize = 100,
    project: str | None = None,
    verb: str | None = None,
    actor: str | None = None,
    newest: bool = False,
    before: RowId | None = None,
    matching: Annotated[str, Query(max_length=500)] = "",
) -> EventList:
    """A page of the audit chain; `matching` such as `who:ada what:approved model:fraud word`."""
    return events.list_events(
        engine.parts.reader,
        after=after,
        limit=limit,
        project=project,
        verb=verb,
        actor=actor,
        newest=newest,
        before=before,
        matching=matching,
    )


@router.get("/events/stream", response_class=EventSourceResponse)
async def stream_events(
    engine: InEngine,
    caller: Viewer,
    after: Annotated[Position | None, Query()] = None,
    last_event_id: Annotated[Position | None, Header()] = None,
) -> EventSourceResponse:
    """Server-sent events: `connected`, then `event` (id and data: an `EventView`) and `progress` as they happen."""
    resume = last_event_id if last_event_id is not None else after
    return _Stream(engine.hub.follow(resume), ping=PING_EVERY_S, send_timeout=_STUCK_AFTER_S)


class _Stream(EventSourceResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except SendTimeoutError:
            log.info("a follower of the stream took nothing for %.0f s and was let go", _STUCK_AFTER_S)


@router.post("/verify")
def verify(engine: InEngine, caller: Operator) -> Verification:
    """Hash the chain and every stored file again."""
    return verify_registry(engine.parts, caller)
