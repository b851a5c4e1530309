"""What the routers work with: the engine's parts, and what is known of the world outside the registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from engine.api.hub import EventHub
from engine.lifecycle.parts import Parts
from engine.registry.queries.endpoints import Observed


@dataclass(frozen=True)
class GatewayHealth:
    """Whether the gateway answers, and if not, why, in one sentence."""

    alive: bool
    note: str = ""


@dataclass(frozen=True)
class DockerHealth:
    """Whether containers can be started, and why, in one sentence. `ok` None: not known yet."""

    ok: bool | None = None
    reason: str = "Docker has not been looked at."
    hint: str = ""


@dataclass(frozen=True)
class Context:
    """Handed to every route. The callables may be called from any thread."""

    parts: Parts
    hub: EventHub
    started_at: datetime
    version: str
    schema_revision: str
    next_times: Callable[[], Mapping[int, datetime]]
    """When the clock runs each schedule next, by schedule id."""
    observed: Callable[[], Observed]
    """Traffic and memory of what is deployed, seconds old at most."""
    gateway: Callable[[], GatewayHealth]
    docker: Callable[[], DockerHealth] = DockerHealth


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


InEngine = Annotated[Context, Depends(_context)]
