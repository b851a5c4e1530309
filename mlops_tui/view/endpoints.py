"""Endpoints and deployments as rows."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell, mark, number
from mlops_tui.view.figures import milliseconds, rate, share, size
from mlops_tui.view.times import age

if TYPE_CHECKING:
    from engine.wire.endpoints import DeploymentView, ReplicaView

DEPLOYMENT_HEADS = (
    *("version", "status", "traffic", "champion", "requests", "p50", "p95", "p99"),
    *("errors", "replicas", "memory", "since", "note"),
)


def deployment_row(one: DeploymentView, now: datetime) -> list[Cell]:
    """One version behind an endpoint."""
    seen = one.traffic
    healthy = sum(replica.healthy for replica in one.replicas)
    known = [replica.memory_bytes for replica in one.replicas if replica.memory_bytes is not None]
    return [
        cell(f"@{one.version}", "strong"),
        mark(one.status),
        number(share_of(one)),
        Cell("★ champion", "good") if one.champion else Cell(""),
        number(rate(seen.requests_per_s)),
        number(milliseconds(seen.p50_ms)),
        number(milliseconds(seen.p95_ms)),
        number(milliseconds(seen.p99_ms)),
        number(share(seen.error_share), "bad" if seen.error_share else "plain"),
        number(f"{healthy}/{len(one.replicas)}", "plain" if healthy == len(one.replicas) else "warn"),
        number(size(sum(known)) if known else "–"),
        cell(age(one.live_at or one.created_at, now)),
        cell(one.note or "; ".join(replica.note for replica in one.replicas if replica.note)),
    ]


REPLICA_HEADS = ("version", "replica", "runs as", "memory", "cpu", "restarts", "note")


def replica_rows(one: DeploymentView) -> list[list[Cell]]:
    """The model servers of a deployment: where each runs, and what it takes of the machine."""
    return [
        [
            cell(f"@{one.version}", "strong"),
            number(str(each.index)),
            cell(place_of(each), "plain" if each.healthy else "warn"),
            number(size(each.memory_bytes)),
            number(share(each.cpu_share)),
            number(str(each.restarts), "warn" if each.restarts else "plain"),
            cell(each.note or ("" if each.healthy else "not ready")),
        ]
        for each in one.replicas
    ]


def place_of(replica: ReplicaView) -> str:
    """The container by its short id, or the process by its number."""
    if replica.container:
        return f"container {replica.container}"
    return f"process {replica.pid}" if replica.pid else f"{replica.runtime}, not running"


def share_of(one: DeploymentView) -> str:
    """The traffic it gets, and what it will get where that differs."""
    settled = one.champion and one.status == "live"  # it lends the others what they have of its traffic
    if settled or one.share == one.target_share or one.status in ("draining", "stopped", "failed"):
        return share(one.share)
    return f"{share(one.share)} → {share(one.target_share)}"
