"""What the reconciler brings together: deployments that are there, wanted or left behind, and the gateway's row."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from engine.registry.core import DEPLOYMENT, ENDPOINT, GATEWAY_STATE, PROJECT, REPLICA, VERSION
from engine.registry.reader import Source


@dataclass(frozen=True)
class ReplicaRow:
    """One model server as the registry knows it."""

    index: int
    runtime: str = ""
    pid: int | None = None
    pid_created_at: float | None = None
    container: str | None = None
    healthy: bool = False
    restarts: int = 0


@dataclass(frozen=True)
class RolloutRow:
    """One deployment with what it takes to run it."""

    id: int
    endpoint: str
    project_id: int
    version: int
    version_id: int
    desired: str
    status: str
    weight: int
    target_weight: int
    promotes: bool
    runtime: str
    replicas: int
    failed_starts: int = 0
    note: str = ""
    manifest_sha256: str = ""
    bundle: tuple[dict[str, Any], ...] = ()
    started: tuple[ReplicaRow, ...] = ()

    def replica(self, index: int) -> ReplicaRow:
        """What is known of one replica; one that was never started is a row without identity."""
        return next((each for each in self.started if each.index == index), ReplicaRow(index))


@dataclass(frozen=True)
class GatewayRow:
    """The gateway as the registry knows it."""

    host: str
    port: int
    generation: int
    acknowledged: int
    note: str


@dataclass(frozen=True)
class RolloutRows:
    """All of it at one moment, oldest deployment first."""

    deployments: tuple[RolloutRow, ...] = ()
    gateway: GatewayRow | None = None


def get_rollouts(source: Source) -> RolloutRows:
    """Deployments that have not ended, those asked for, and those that still have a model server."""
    with source.connection() as connection:
        replicas = _replicas(connection)
        gateway = connection.execute(select(GATEWAY_STATE)).first()
        found = (
            select(
                DEPLOYMENT,
                PROJECT.c.name.label("endpoint"),
                PROJECT.c.id.label("project_id"),
                VERSION.c.number.label("version"),
                VERSION.c.manifest_sha256,
                VERSION.c.bundle,
            )
            .join_from(DEPLOYMENT, ENDPOINT, ENDPOINT.c.id == DEPLOYMENT.c.endpoint_id)
            .join(PROJECT, PROJECT.c.id == ENDPOINT.c.project_id)
            .join(VERSION, VERSION.c.id == DEPLOYMENT.c.version_id)
            .where(
                DEPLOYMENT.c.status.not_in(("stopped", "failed"))
                | (DEPLOYMENT.c.desired == "running")
                | DEPLOYMENT.c.id.in_(list(replicas))
            )
            .order_by(DEPLOYMENT.c.id)
        )
        rows = [
            RolloutRow(
                id=row.id,
                endpoint=row.endpoint,
                project_id=row.project_id,
                version=row.version,
                version_id=row.version_id,
                desired=row.desired,
                status=row.status,
                weight=row.weight,
                target_weight=row.target_weight,
                promotes=row.promotes,
                runtime=row.runtime,
                replicas=row.replicas,
                failed_starts=row.failed_starts,
                note=row.note,
                manifest_sha256=row.manifest_sha256,
                bundle=tuple(row.bundle),
                started=tuple(replicas[row.id]),
            )
            for row in connection.execute(found)
        ]
    if gateway is None:
        return RolloutRows(tuple(rows))
    told = GatewayRow(gateway.host, gateway.port, gateway.generation, gateway.acknowledged, gateway.note)
    return RolloutRows(tuple(rows), told)


def get_reigns(source: Source) -> dict[str, list[int]]:
    """By endpoint: the versions that had all its traffic, each once, the latest first."""
    with source.connection() as connection:
        found: dict[str, list[int]] = defaultdict(list)
        for name, number in connection.execute(
            select(PROJECT.c.name, VERSION.c.number)
            .join_from(DEPLOYMENT, ENDPOINT, ENDPOINT.c.id == DEPLOYMENT.c.endpoint_id)
            .join(PROJECT, PROJECT.c.id == ENDPOINT.c.project_id)
            .join(VERSION, VERSION.c.id == DEPLOYMENT.c.version_id)
            .where(DEPLOYMENT.c.promotes, DEPLOYMENT.c.live_at.is_not(None))
            .order_by(DEPLOYMENT.c.id.desc())
        ):
            if number not in found[name]:
                found[name].append(number)
    return dict(found)


def _replicas(connection: Connection) -> dict[int, list[ReplicaRow]]:
    found: dict[int, list[ReplicaRow]] = defaultdict(list)
    for row in connection.execute(select(REPLICA).order_by(REPLICA.c.deployment_id, REPLICA.c.index)):
        # `index` is a method of a row, so this column is asked for by its name.
        index = row._mapping["index"]
        found[row.deployment_id].append(
            ReplicaRow(index, row.runtime, row.pid, row.pid_created_at, row.container, row.healthy, row.restarts)
        )
    return found
