"""The engine itself: who answers, how it fares, and its end."""

from __future__ import annotations

import os
from typing import Any

from fastapi import APIRouter, Request, Response

from engine.api.context import Context, InEngine
from engine.api.doctor import examine
from engine.api.roles import Admin, Viewer
from engine.lifecycle.caller import Caller
from engine.lifecycle.stop_engine import stop_engine
from engine.registry.queries.status import get_figures
from engine.wire.about import About, EngineStatus, Finding, StopEngine
from engine.wire.base import API_VERSION

router = APIRouter(prefix="/v1", tags=["engine"])


@router.get("/about")
async def about(engine: InEngine, caller: Viewer) -> About:
    """Who answers, and as whom it sees the caller."""
    return _about(engine, caller)


@router.get("/status")
def status(engine: InEngine, caller: Viewer) -> EngineStatus:
    """The engine at a glance."""
    figures = get_figures(engine.parts.reader)
    gateway = engine.gateway()
    return EngineStatus(
        about=_about(engine, caller),
        projects=figures.projects,
        jobs_running=figures.jobs_running,
        jobs_queued=figures.jobs_queued,
        versions=figures.versions,
        endpoints=figures.endpoints,
        open_alarms=figures.open_alarms,
        gateway_url=figures.gateway_url,
        gateway_alive=gateway.alive,
        gateway_note=gateway.note,
        last_event=figures.last_event,
    )


@router.get("/doctor")
def doctor(engine: InEngine, caller: Viewer) -> list[Finding]:
    """What is well and what is not."""
    return examine(engine)


@router.post("/down", status_code=202)
def down(engine: InEngine, caller: Admin, body: StopEngine) -> Response:
    """End the engine once this is answered, and remember it: only a new command of the owner starts it again."""
    stop_engine(engine.parts, caller, body)
    return Response(status_code=202)


@router.get("/openapi.json")
def openapi(request: Request, caller: Viewer) -> dict[str, Any]:
    """This description."""
    schema: dict[str, Any] = request.app.openapi()
    return schema


def _about(engine: Context, caller: Caller) -> About:
    return About(
        version=engine.version,
        api_version=API_VERSION,
        schema_revision=engine.schema_revision,
        home=str(engine.parts.home.root),
        pid=os.getpid(),
        started_at=engine.started_at,
        user=caller.user,
        role=caller.role,
    )
