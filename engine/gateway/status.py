"""What a gateway tells of itself."""

from __future__ import annotations

import msgspec


class DeploymentStatus(msgspec.Struct, frozen=True):
    """One deployment as the gateway saw it. Windows hold at most the time since its first route."""

    in_flight: int
    requests: int
    """Since the gateway's start."""
    errors: int
    """Answers with a 5xx status, and requests that got none, since the gateway's start."""
    rate_per_s: float
    """Over the last minute."""
    requests_5m: int
    error_share: float | None
    """Over the last five minutes, like the percentiles; None without a request."""
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None


class GatewayStatus(msgspec.Struct, frozen=True):
    """`GET /status` on the control socket."""

    pid: int
    host: str
    port: int
    generation: int
    """Of the routes in force."""
    started_at: str
    """RFC 3339, UTC."""
    program_sha256: str
    sticky_header: str
    deployments: dict[int, DeploymentStatus] = {}
