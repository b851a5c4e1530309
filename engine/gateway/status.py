"""What a gateway tells of itself."""

from __future__ import annotations

import msgspec


class Figures(msgspec.Struct, frozen=True):
    """Traffic over the last five minutes, or since its first route where that is less."""

    rate_per_s: float
    """Over the last minute."""
    requests: int
    error_share: float | None
    """Answers with a 5xx status, and requests that got none, of all; None without a request, like the percentiles."""
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None


class DeploymentStatus(msgspec.Struct, frozen=True):
    """One deployment as the gateway saw it."""

    in_flight: int
    requests: int
    """Since the gateway's start, like `errors`."""
    errors: int
    recent: Figures


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
    endpoints: dict[str, Figures] = {}
