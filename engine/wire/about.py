"""The handshake, and the engine's own state."""

from __future__ import annotations

from pydantic import AwareDatetime

from engine.wire.base import Body, StrictBody


class About(Body):
    """`GET /v1/about`: who answers, and as whom it sees the caller."""

    version: str
    api_version: int
    schema_revision: str
    home: str
    pid: int
    started_at: AwareDatetime
    user: str
    role: str


class EngineStatus(Body):
    """`GET /v1/status`: the engine at a glance."""

    about: About
    projects: int
    jobs_running: int
    jobs_queued: int
    versions: int
    endpoints: int
    open_alarms: int = 0
    """Of all models, that nobody has answered."""
    gateway_url: str | None
    """None: nothing has been released, so nothing listens."""
    gateway_alive: bool
    gateway_note: str = ""
    """Why the gateway is not there, in one sentence; empty when all is well."""
    last_event: int


class StopEngine(StrictBody):
    """`POST /v1/down`."""

    all: bool = False
    """Also end the gateway and the model servers."""


class Finding(Body):
    """One line of `mlops doctor`."""

    what: str
    ok: bool
    detail: str
    hint: str = ""
