"""Endpoints, what is deployed behind them, and how it fares."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from engine.wire.base import Body, Failure, Line, StrictBody

ReleaseVerb = Literal["approve", "deploy", "promote", "rollback"]
DeploymentStatus = Literal["starting", "ready", "live", "draining", "stopped", "failed"]


class ReplicaView(Body):
    """One model server."""

    index: int
    runtime: str
    pid: int | None
    healthy: bool
    restarts: int
    memory_bytes: int | None
    note: str = ""
    container: str | None = None
    """The first twelve characters of its id."""
    cpu_share: float | None = None
    """Of one core, lately."""


class Traffic(Body):
    """The last five minutes as the gateway saw them; all None when it saw nothing or does not answer."""

    requests_per_s: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    error_share: float | None = None
    """Answers with a 5xx status, of all."""


class DeploymentView(Body):
    """One version behind an endpoint."""

    id: int
    endpoint: str
    version: int
    status: DeploymentStatus
    share: float
    """Part of the traffic, 0 to 1, as routed now."""
    target_share: float
    """Part it gets once it is ready."""
    reason: str
    by: str
    note: str
    """Why it failed or waits, in one sentence; empty when all is well."""
    runtime: str = ""
    """`docker` or `process`; `auto` until its first model server is started."""
    runtime_reason: str = ""
    """Why `auto` became this runtime."""
    created_at: AwareDatetime
    live_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    replicas: list[ReplicaView]
    traffic: Traffic = Traffic()
    champion: bool = False


class DeploymentList(Body):
    """`GET /v1/endpoints/{name}/deployments`, newest first, ended ones too."""

    deployments: list[DeploymentView]
    next_before: int | None
    """Pass as `before` for the earlier ones; None: there are none."""


class EndpointView(Body):
    """A stable name that answers predictions. `deployments` holds those that are not stopped, newest first."""

    name: str
    url: str | None
    """Where rows are posted: `http://HOST:PORT/predict/NAME`. None while no gateway has an address."""
    v2_url: str | None
    generation: int
    acknowledged: int
    """The newest generation of routes in force at the gateway."""
    deployments: list[DeploymentView]
    traffic: Traffic = Traffic()


class ReleaseStep(Body):
    """What a release means for one deployment."""

    version: int
    deployment: int | None
    """None: it is made by this."""
    before: float
    """Part of the traffic it has now."""
    after: float
    """Part it has once this is done."""
    ends: bool
    replicas: int
    runtime: str


class ReleasePreview(Body):
    """`GET /v1/endpoints/{name}/preview`: what an order would change, found by doing it and taking it back."""

    verb: ReleaseVerb
    name: str
    version: int | None
    """Which version it is about; None: none could be found."""
    champion_before: int | None
    champion_after: int | None
    steps: list[ReleaseStep]
    """All deployments that have or get traffic, or end; empty for an approval."""
    outcome: str | None
    """The verdict on the version."""
    reasons: list[str]
    approved_by: str | None
    """Who has approved it; None: nobody yet."""
    approves: bool
    """It is recorded as an approval by the caller."""
    needs_override: bool
    """The version did not pass: the order is refused without a reason to do it all the same."""
    refusal: Failure | None
    """Why the caller may not, or it cannot be; None: it can be ordered (with the override, where one is needed)."""


class EndpointList(Body):
    """`GET /v1/endpoints`."""

    endpoints: list[EndpointView]


class Deploy(StrictBody):
    """`POST /v1/endpoints/{name}/deploy`."""

    version: int | None = None
    """None: the newest approved version, or for an approver the newest one that passed."""
    share: float = Field(default=1.0, gt=0.0, le=1.0)
    """1.0 is a promotion: it replaces everything else and becomes the champion."""
    override: Line | None = Field(default=None, min_length=3)
    """An approver's reason to release a version that did not pass."""
    reason: Line = ""


class Rollback(StrictBody):
    """`POST /v1/endpoints/{name}/rollback`: back to the champion before."""

    reason: Line = ""
