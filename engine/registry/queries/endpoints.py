"""Endpoints and what is deployed behind them. How it fares is not in the registry: callers hand in what they saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from engine.errors import NotFound
from engine.registry.core import ALIAS, DEPLOYMENT, ENDPOINT, GATEWAY_STATE, PROJECT, REPLICA, VERSION
from engine.registry.queries.models import WEIGHTS
from engine.registry.queries.paging import bounded, next_before
from engine.registry.queries.projects import project_id
from engine.registry.reader import Source
from engine.wire.endpoints import DeploymentList, DeploymentView, EndpointList, EndpointView, ReplicaView, Traffic


@dataclass(frozen=True)
class Usage:
    """What a model server takes of the machine; None: not known."""

    memory_bytes: int | None = None
    cpu_share: float | None = None
    """Of one core, lately."""


@dataclass(frozen=True)
class Observed:
    """What is seen outside the registry."""

    by_deployment: Mapping[int, Traffic] = field(default_factory=dict)
    by_endpoint: Mapping[str, Traffic] = field(default_factory=dict)
    usage: Callable[[int | None, str | None], Usage] = lambda pid, container: Usage()
    """Of a model server, by the pid of its process or the id of its container."""


NOTHING_SEEN = Observed()


def list_endpoints(source: Source, seen: Observed = NOTHING_SEEN) -> EndpointList:
    """All endpoints, by name."""
    with source.connection() as connection:
        return EndpointList(endpoints=_endpoints(connection, None, seen))


def get_endpoint(source: Source, name: str, seen: Observed = NOTHING_SEEN) -> EndpointView:
    """One endpoint. Raises `NotFound`: nobody knows the project, or nothing of it has been deployed."""
    with source.connection() as connection:
        project_id(connection, name)
        found = _endpoints(connection, name, seen)
    if not found:
        raise NotFound(f"Nothing of {name} has been deployed.", f"Deploy a version: `mlops deploy {name}`.", name=name)
    return found[0]


def get_deployment(source: Source, deployment_id: int, seen: Observed = NOTHING_SEEN) -> DeploymentView:
    """One deployment, ended ones too. Raises `NotFound`."""
    with source.connection() as connection:
        found = _deployments(connection, _selected().where(DEPLOYMENT.c.id == deployment_id), seen)
    if not found:
        raise NotFound(f"There is no deployment {deployment_id}.", "`mlops endpoints` lists what there is.")
    return found[0]


def list_deployments(
    source: Source, name: str, seen: Observed = NOTHING_SEEN, *, limit: int = 100, before: int | None = None
) -> DeploymentList:
    """All that ever was behind an endpoint, newest first. Raises `NotFound`: nobody knows the project."""
    limit = bounded(limit)
    with source.connection() as connection:
        project_id(connection, name)
        wanted = _selected().where(PROJECT.c.name == name).limit(limit)
        if before is not None:
            wanted = wanted.where(DEPLOYMENT.c.id < before)
        found = _deployments(connection, wanted, seen)
    return DeploymentList(deployments=found, next_before=next_before(found, limit))


def _endpoints(connection: Connection, name: str | None, seen: Observed) -> list[EndpointView]:
    endpoints = select(PROJECT.c.name).join_from(ENDPOINT, PROJECT, PROJECT.c.id == ENDPOINT.c.project_id)
    active = _selected().where((DEPLOYMENT.c.desired == "running") | DEPLOYMENT.c.status.not_in(("stopped", "failed")))
    if name is not None:
        endpoints, active = endpoints.where(PROJECT.c.name == name), active.where(PROJECT.c.name == name)
    behind: dict[str, list[DeploymentView]] = defaultdict(list)
    for deployment in _deployments(connection, active, seen):
        behind[deployment.endpoint].append(deployment)
    gateway = connection.execute(select(GATEWAY_STATE)).first()
    address = f"http://{gateway.host}:{gateway.port}" if gateway else None
    return [
        EndpointView(
            name=found,
            url=address and f"{address}/predict/{found}",
            v2_url=address and f"{address}/v2/models/{found}",
            generation=gateway.generation if gateway else 0,
            acknowledged=gateway.acknowledged if gateway else 0,
            deployments=behind[found],
            traffic=seen.by_endpoint.get(found, Traffic()),
        )
        for found in connection.execute(endpoints.order_by(PROJECT.c.name)).scalars()
    ]


def _selected() -> Select[Any]:
    return (
        select(
            *DEPLOYMENT.c,
            PROJECT.c.name.label("endpoint"),
            VERSION.c.number.label("version"),
            (ALIAS.c.version_id == DEPLOYMENT.c.version_id).label("champion"),
        )
        .join_from(DEPLOYMENT, ENDPOINT, ENDPOINT.c.id == DEPLOYMENT.c.endpoint_id)
        .join(PROJECT, PROJECT.c.id == ENDPOINT.c.project_id)
        .join(VERSION, VERSION.c.id == DEPLOYMENT.c.version_id)
        .outerjoin(ALIAS, (ALIAS.c.project_id == PROJECT.c.id) & (ALIAS.c.name == "champion"))
        .order_by(DEPLOYMENT.c.id.desc())
    )


def _deployments(connection: Connection, found: Select[Any], seen: Observed) -> list[DeploymentView]:
    rows = list(connection.execute(found))
    replicas: dict[int, list[ReplicaView]] = defaultdict(list)
    wanted = select(REPLICA).where(REPLICA.c.deployment_id.in_([row.id for row in rows]))
    for row in connection.execute(wanted.order_by(REPLICA.c.deployment_id, REPLICA.c.index)):
        replicas[row.deployment_id].append(_replica(row, seen))
    return [_deployment(row, replicas[row.id], seen.by_deployment.get(row.id, Traffic())) for row in rows]


def _replica(row: Row[Any], seen: Observed) -> ReplicaView:
    usage = seen.usage(row.pid, row.container) if row.healthy else Usage()
    # `index` and `count` are methods of a row, so this column is asked for by its name.
    return ReplicaView(
        index=row._mapping["index"],
        runtime=row.runtime,
        pid=row.pid,
        healthy=row.healthy,
        restarts=row.restarts,
        container=row.container and row.container[:12],
        memory_bytes=usage.memory_bytes,
        cpu_share=usage.cpu_share,
        note=row.note,
    )


def _deployment(row: Row[Any], replicas: list[ReplicaView], traffic: Traffic) -> DeploymentView:
    return DeploymentView(
        id=row.id,
        endpoint=row.endpoint,
        version=row.version,
        status=row.status,
        share=row.weight / WEIGHTS,
        target_share=row.target_weight / WEIGHTS,
        reason=row.reason,
        by=row.created_by,
        note=row.note,
        runtime=row.runtime,
        runtime_reason=row.runtime_reason,
        created_at=row.created_at,
        live_at=row.live_at,
        ended_at=row.ended_at,
        replicas=replicas,
        traffic=traffic,
        champion=bool(row.champion),
    )
