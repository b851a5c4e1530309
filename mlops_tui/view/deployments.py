"""Endpoints as rows of a screen; behind one of them its deployments, each above its model servers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.cell import Cell, cell, mark, number
from mlops_tui.view.clean import clean
from mlops_tui.view.columns import Column
from mlops_tui.view.endpoints import place_of, share_of
from mlops_tui.view.figures import milliseconds, rate, share, size
from mlops_tui.view.times import age, duration, exact

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.wire.endpoints import DeploymentView, EndpointView, ReplicaView, Traffic

ENDPOINT_COLUMNS = (
    Column("endpoint", 12, widest=24),
    Column("status", 10),
    Column("weights", 22, widest=34),
    Column("servers", 8, rank=3),
    Column("requests", 8, rank=4, right=True),
    Column("p50", 8, rank=7, right=True),
    Column("p95", 8, rank=1, right=True),
    Column("p99", 8, rank=6, right=True),
    Column("errors", 6, rank=2, right=True),
    Column("memory", 8, rank=8, right=True),
    Column("note", 16, rank=5, widest=400),
)

DEPLOYMENT_COLUMNS = (
    Column("what", 6),
    Column("status", 11),
    Column("traffic", 17, widest=30),
    Column("p95", 8, rank=3, right=True),
    Column("errors", 6, rank=4, right=True),
    Column("memory", 8, rank=5, right=True),
    Column("cpu", 5, rank=6, right=True),
    Column("restarts", 8, rank=7, right=True),
    Column("requests", 8, rank=8, right=True),
    Column("p50", 8, rank=10, right=True),
    Column("p99", 8, rank=9, right=True),
    Column("since", 8, rank=2),
    Column("by", 8, rank=11),
    Column("note", 24, rank=1, widest=400),
)

ENDED = frozenset({"stopped", "failed"})
_FILLS = "█▓▒░"
_BAR = 8


def share_bar(shares: Sequence[float], width: int) -> str:
    """Parts of one as parts of a bar, the first the darkest; what is not nothing gets a column where there is one.

    >>> share_bar([0.9, 0.1], 10), share_bar([0.99, 0.01], 4), share_bar([], 4)
    ('█████████▓', '███▓', '────')
    """
    given = [max(part, 0.0) for part in shares]
    columns = [max(round(part * width), 1) if part else 0 for part in given]
    while sum(columns) > width:
        columns[columns.index(max(columns))] -= 1
    drawn = "".join(_FILLS[min(at, len(_FILLS) - 1)] * wide for at, wide in enumerate(columns))
    return drawn + "─" * (width - len(drawn))


def routed(endpoint: EndpointView) -> list[DeploymentView]:
    """What gets traffic or will, the champion first, then the largest part."""
    active = [one for one in endpoint.deployments if one.status not in ENDED]
    return sorted(active, key=lambda one: (not one.champion, -one.share, one.id))


def weights_cell(endpoint: EndpointView) -> Cell:
    """The traffic as a bar, and in words."""
    behind = routed(endpoint)
    if not behind:
        return Cell("nothing answers", "warn")
    words = "  ".join(f"@{one.version} {share_of(one).replace(' → ', '→')}" for one in behind)
    return cell(f"{share_bar([one.share for one in behind], _BAR)} {words}")


def endpoint_cells(endpoint: EndpointView) -> dict[str, Cell]:
    """The cells of one endpoint, by column."""
    behind = routed(endpoint)
    servers = [replica for one in behind for replica in one.replicas]
    healthy = sum(replica.healthy for replica in servers)
    memory = [replica.memory_bytes for replica in servers if replica.memory_bytes is not None]
    return {
        "endpoint": cell(endpoint.name, "strong"),
        "status": _status(endpoint),
        "weights": weights_cell(endpoint),
        "servers": Cell(f"{healthy}/{len(servers)} up", "plain" if healthy == len(servers) else "warn"),
        "memory": number(size(sum(memory)) if memory else "–"),
        "note": _note(endpoint),
    } | _traffic_cells(endpoint.traffic)


def endpoint_words(endpoint: EndpointView) -> str:
    """What a filter looks through."""
    versions = " ".join(f"@{one.version} {one.status} {one.by} {one.note}" for one in endpoint.deployments)
    return f"{endpoint.name} {versions}".lower()


ENDPOINT_ORDERS: dict[str, Callable[[EndpointView], tuple[float, str]]] = {
    "name": lambda one: (0.0, one.name),
    "traffic": lambda one: (-(one.traffic.requests_per_s or 0.0), one.name),
    "p95": lambda one: (-(one.traffic.p95_ms or 0.0), one.name),
    "errors": lambda one: (-(one.traffic.error_share or 0.0), one.name),
}
"""Orders that `s` walks through."""


def _status(endpoint: EndpointView) -> Cell:
    """Of the newest deployment that is not over: it is the one that somebody waits for."""
    newest = max((one for one in endpoint.deployments if one.status not in ENDED), key=lambda one: one.id, default=None)
    if newest is None:
        newest = max(endpoint.deployments, key=lambda one: one.id, default=None)
    return mark(newest.status if newest else None)


def _note(endpoint: EndpointView) -> Cell:
    notes = [f"@{one.version}: {one.note}" for one in endpoint.deployments if one.note]
    if endpoint.acknowledged < endpoint.generation:
        notes.insert(0, "! newer routes are not in force yet")
    servers = [f"@{one.version}: {each.note}" for one in endpoint.deployments for each in one.replicas if each.note]
    return cell("; ".join(notes or servers), "warn")


def _traffic_cells(seen: Traffic) -> dict[str, Cell]:
    return {
        "requests": number(rate(seen.requests_per_s)),
        "p50": number(milliseconds(seen.p50_ms)),
        "p95": number(milliseconds(seen.p95_ms)),
        "p99": number(milliseconds(seen.p99_ms)),
        "errors": number(share(seen.error_share), "bad" if seen.error_share else "plain"),
    }


def endpoint_lines(endpoint: EndpointView, now: datetime, most: int) -> list[Cell]:
    """What stands above its deployments: what is under way first, then address, routes and traffic; at most so many."""
    seen = endpoint.traffic
    told = f"{rate(seen.requests_per_s)} · p50 {milliseconds(seen.p50_ms)} · p95 {milliseconds(seen.p95_ms)}"
    lines = [
        *(rollout_cell(one, now) for one in endpoint.deployments if one.status in ("starting", "ready", "draining")),
        *([] if endpoint.url is None else [cell(endpoint.url, "strong")]),
        *([] if endpoint.url is not None else [Cell("It has no address yet: no gateway listens.", "warn")]),
        routes_cell(endpoint),
        cell(f"last 5 minutes: {told} · p99 {milliseconds(seen.p99_ms)} · errors {share(seen.error_share)}"),
    ]
    return lines[:most]


def routes_cell(endpoint: EndpointView) -> Cell:
    """Whether the gateway has taken the newest routes."""
    if endpoint.acknowledged >= endpoint.generation:
        return Cell(f"● generation {endpoint.generation} of the routes is in force", "good")
    return Cell(
        f"! generation {endpoint.generation} of the routes is not in force yet; {endpoint.acknowledged} is", "warn"
    )


def rollout_cell(one: DeploymentView, now: datetime) -> Cell:
    """How far a release is."""
    lasts = duration((now - one.created_at).total_seconds())
    glyph = mark(one.status)
    goal = "" if one.status == "draining" else f", {share_of(one)} of the traffic"
    note = f": {one.note}" if one.note else ""
    return cell(f"{glyph.text} @{one.version} for {lasts}{goal}{note}", glyph.tone)


@dataclass(frozen=True)
class Served:
    """A row behind an endpoint: a deployment, or one of its model servers."""

    deployment: DeploymentView
    replica: ReplicaView | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Deployment and replica; -1 is the deployment itself."""
        return (self.deployment.id, -1 if self.replica is None else self.replica.index)


def served_rows(deployments: Sequence[DeploymentView]) -> Iterator[Served]:
    """Each deployment above its model servers; of those that are over only themselves."""
    for one in deployments:
        yield Served(one)
        if one.status not in ENDED:
            yield from (Served(one, replica) for replica in one.replicas)


def served_cells(row: Served, now: datetime) -> dict[str, Cell]:
    """The cells of a deployment or of a model server, by column."""
    return _deployment_cells(row.deployment, now) if row.replica is None else _replica_cells(row.replica)


def served_words(one: DeploymentView) -> str:
    """What a filter looks through."""
    places = " ".join(place_of(replica) for replica in one.replicas)
    champion = "champion" if one.champion else ""
    return f"@{one.version} {one.status} {champion} {one.by} {one.reason} {one.note} {places}".lower()


def _deployment_cells(one: DeploymentView, now: datetime) -> dict[str, Cell]:
    over = one.status in ENDED
    champion = " ★" if one.champion and not over else ""
    known = [replica.memory_bytes for replica in one.replicas if replica.memory_bytes is not None]
    used = [replica.cpu_share for replica in one.replicas if replica.cpu_share is not None]
    restarts = sum(replica.restarts for replica in one.replicas)
    cells = {
        "what": cell(f"@{one.version}", "dim" if over else "strong"),
        "status": mark(one.status),
        "traffic": Cell("") if over else cell(f"{share_bar([one.share], _BAR)} {share_of(one)}{champion}"),
        "memory": number(size(sum(known)) if known else "–"),
        "cpu": number(share(sum(used)) if used else "–"),
        "restarts": number("–" if over else str(restarts), "warn" if restarts and not over else "plain"),
        "since": cell(age(one.ended_at or one.live_at or one.created_at, now)),
        "by": cell(one.by),
        "note": cell(one.note, "bad" if one.status == "failed" else "warn") if one.note else cell(one.reason, "dim"),
    }
    return cells | ({} if over else _traffic_cells(one.traffic))


def _replica_cells(replica: ReplicaView) -> dict[str, Cell]:
    up = Cell("● healthy", "good") if replica.healthy else Cell("✗ not ready", "bad")
    return {
        "what": Cell(f" └ r{replica.index}", "dim"),
        "status": up,
        "traffic": cell(place_of(replica)),
        "memory": number(size(replica.memory_bytes)),
        "cpu": number(share(replica.cpu_share)),
        "restarts": number(str(replica.restarts), "warn" if replica.restarts else "plain"),
        "note": cell(replica.note, "warn"),
    }


def endpoint_facts(endpoint: EndpointView) -> list[tuple[str, Cell]]:
    """All of one endpoint."""
    return [
        ("endpoint", cell(endpoint.name, "strong")),
        ("address", cell(endpoint.url)),
        ("open inference protocol", cell(endpoint.v2_url)),
        ("routes", routes_cell(endpoint)),
        ("weights", weights_cell(endpoint)),
        *_traffic_facts(endpoint.traffic),
        *((f"@{one.version}", cell(f"{mark(one.status).text} {one.note}".strip())) for one in endpoint.deployments),
    ]


def deployment_facts(one: DeploymentView, now: datetime) -> list[tuple[str, Cell]]:
    """All of one deployment, and of its model servers."""
    why = f": {one.runtime_reason}" if one.runtime_reason else ""
    facts = [
        ("deployment", cell(f"{one.id} · {one.endpoint}@{one.version}", "strong")),
        ("status", mark(one.status)),
        ("champion", Cell("★ yes", "good") if one.champion else Cell("no")),
        ("traffic", cell(share_of(one))),
        ("note", cell(one.note or None, "warn")),
        ("runs as", cell(f"{one.runtime}{why}" if one.runtime else None)),
        ("asked", cell(f"{exact(one.created_at)} ({age(one.created_at, now)}) by {one.by}")),
        ("reason", cell(one.reason or None)),
        ("live", cell(exact(one.live_at))),
        ("ended", cell(exact(one.ended_at))),
        *_traffic_facts(one.traffic),
    ]
    for replica in one.replicas:
        told = [
            "healthy" if replica.healthy else "not ready",
            place_of(replica),
            f"{replica.restarts} restarts",
            f"memory {size(replica.memory_bytes)}",
            f"CPU {share(replica.cpu_share)} of a core",
            clean(replica.note),
        ]
        facts.append((f"r{replica.index}", cell(" · ".join(part for part in told if part))))
    return facts


def _traffic_facts(seen: Traffic) -> list[tuple[str, Cell]]:
    return [
        ("requests", cell(rate(seen.requests_per_s))),
        ("p50, p95, p99", cell(" · ".join(map(milliseconds, (seen.p50_ms, seen.p95_ms, seen.p99_ms))))),
        ("errors", cell(share(seen.error_share))),
    ]
