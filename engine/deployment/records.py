"""What the reconciler writes: one function an operation of the registry's writer, each safe to repeat.

Each looks at the row again: what was decided from an earlier reading may no longer hold.
"""

from __future__ import annotations

from engine.deployment.rollout import shares_with, shares_without
from engine.deployment.runtime import Identity
from engine.gateway.protocol import GatewayStatus
from engine.gateway.routes import FULL_WEIGHT
from engine.registry.alarms import close_outlived
from engine.registry.events import ENGINE
from engine.registry.tables import Alias, Deployment, Endpoint, GatewayState, Project, Replica, Version, now
from engine.registry.tx import Tx, col

CHAMPION = "champion"

_OVER = ("stopped", "failed")


def record_started(tx: Tx, deployment: int, index: int, runtime: str, identity: Identity) -> None:
    """A model server runs; whether it is ready is not known yet."""
    row = tx.get(Replica, (deployment, index)) or tx.add(
        Replica(deployment_id=deployment, index=index, runtime=runtime)
    )
    owner = tx.get(Deployment, deployment)
    if owner is not None:
        owner.runtime = runtime
    row.runtime, row.healthy, row.note = runtime, False, ""
    row.pid, row.pid_created_at, row.container = identity.pid, identity.created_at, identity.container


def record_runtime(tx: Tx, deployment: int, runtime: str, reason: str) -> None:
    """What `auto` has become for a deployment; it stays."""
    owner = tx.get(Deployment, deployment)
    if owner is not None and owner.runtime == "auto":
        owner.runtime, owner.runtime_reason = runtime, reason


def record_silent(tx: Tx, deployment: int, index: int) -> None:
    """A model server does not answer, and whether it has ended nobody knows."""
    row = tx.get(Replica, (deployment, index))
    if row is not None:
        row.healthy = False


def record_ready(tx: Tx, deployment: int, index: int) -> None:
    """A model server answers that it is ready."""
    row = tx.get(Replica, (deployment, index))
    if row is not None:
        row.healthy, row.note = True, ""


def record_death(tx: Tx, deployment: int, index: int, reason: str, *, quick: bool) -> None:
    """A model server has ended by itself; `quick`: soon after its start."""
    row, owner = tx.get(Replica, (deployment, index)), tx.get(Deployment, deployment)
    if row is None or owner is None or (row.pid is None and row.container is None):
        return
    row.pid = row.pid_created_at = row.container = None
    row.healthy, row.note = False, reason
    row.restarts += 1
    owner.failed_starts += int(quick)
    owner.note = f"Replica {index} ended: {reason}"
    name, number, project = _names(tx, owner)
    tx.event(ENGINE, "replica.ended", f"{name}@{number}", project, deployment=deployment, replica=index, reason=reason)


def record_trouble(tx: Tx, deployment: int, note: str) -> None:
    """Why a deployment does not come further, for people; empty: all is well."""
    owner = tx.get(Deployment, deployment)
    if owner is not None and owner.note != note and owner.status not in _OVER:
        owner.note = note


def record_calm(tx: Tx, deployment: int) -> None:
    """Its replicas have run for a while: earlier deaths no longer count."""
    owner = tx.get(Deployment, deployment)
    if owner is not None:
        owner.failed_starts, owner.note = 0, ""


def record_gateway(tx: Tx, status: GatewayStatus, created_at: float | None) -> None:
    """The gateway runs. Its address, chosen the first time, stays."""
    row = tx.get(GatewayState, 1)
    started = row is None or row.pid != status.pid
    if row is None:
        row = tx.add(GatewayState(host=status.host, port=status.port))
    row.host, row.port, row.note = status.host, status.port, ""
    row.pid, row.pid_created_at = status.pid, created_at
    if started:
        tx.event(ENGINE, "gateway.started", "gateway", host=status.host, port=status.port, pid=status.pid)


def record_no_gateway(tx: Tx, note: str, host: str, port: int | None) -> None:
    """The gateway is not there, and why; `port` is known where it was chosen already."""
    row = tx.get(GatewayState, 1)
    if row is None and port is not None:
        row = tx.add(GatewayState(host=host, port=port))
    if row is not None and row.note != note:
        row.note, row.pid, row.pid_created_at = note, None, None


def switch(tx: Tx, deployment: int) -> None:
    """Weights, champion and generation move at once; what the newcomer replaces drains afterwards."""
    owner = tx.get(Deployment, deployment)
    if owner is None or owner.status != "starting" or owner.desired != "running":
        return
    rows = _siblings(tx, owner)
    target = FULL_WEIGHT if owner.promotes else owner.target_weight
    shares = shares_with(deployment, target, {_id(row): row.weight for row in rows})
    replaced = [row for row in rows if row.id != deployment and row.weight and not shares[_id(row)]]
    for row in rows:
        row.weight = shares[_id(row)]
    if owner.promotes:
        replaced += [row for row in rows if _id(row) < deployment and row not in replaced]
    for row in replaced:
        _end(row)
    owner.status, owner.note = "ready", ""
    generation = _next_generation(tx)
    name, number, project = _names(tx, owner)
    if owner.promotes:
        _move_champion(tx, owner, project)
    tx.event(
        ENGINE,
        "deployment.switched",
        f"{name}@{number}",
        project,
        deployment=deployment,
        generation=generation,
        weights={str(_id(row)): row.weight for row in rows if row.weight},
        replaced=sorted(_id(row) for row in replaced if row.status == "draining"),
        rollback=owner.rollback,
    )


def withdraw(tx: Tx, deployment: int) -> None:
    """Take a deployment out of the traffic; the others of its endpoint take over its share."""
    owner = tx.get(Deployment, deployment)
    if owner is not None and owner.status in ("starting", "ready", "live"):
        _take_share(tx, owner)
        _end(owner)


def fail(tx: Tx, deployment: int, reason: str) -> None:
    """Give a deployment up; the others of its endpoint keep, or take over, the traffic."""
    owner = tx.get(Deployment, deployment)
    if owner is None or owner.status in _OVER:
        return
    _take_share(tx, owner)
    owner.status, owner.note, owner.ended_at = "failed", reason, now()
    for row in _siblings(tx, owner):
        # It was given up for the one that failed, and still has the traffic: it stays.
        if row.weight and row.desired == "stopped":
            row.desired, row.note = "running", ""
    name, number, project = _names(tx, owner)
    tx.event(ENGINE, "deployment.failed", f"{name}@{number}", project, deployment=deployment, reason=reason)


def record_in_force(tx: Tx, generation: int) -> None:
    """The gateway has taken and stored the routes of a generation: what they switched to is live."""
    state = tx.get(GatewayState, 1)
    if state is None or state.generation != generation:
        return
    state.acknowledged = generation
    for row in tx.all(Deployment, col(Deployment.status) == "ready", oldest=col(Deployment.id)):
        row.status, row.live_at = "live", row.live_at or now()
        name, number, project = _names(tx, row)
        tx.event(
            ENGINE,
            "deployment.released",
            f"{name}@{number}",
            project,
            deployment=row.id,
            generation=generation,
            share=row.weight / FULL_WEIGHT,
        )


def raise_generation(tx: Tx, in_force: int) -> None:
    """The gateway has routes that this registry does not know, from before a backup: ours count as newer."""
    state = tx.get(GatewayState, 1)
    if state is not None:
        state.generation = max(state.generation, in_force) + 1


def forget_replica(tx: Tx, deployment: int, index: int) -> None:
    """A model server that was to end has ended."""
    row = tx.get(Replica, (deployment, index))
    if row is not None:
        row.pid = row.pid_created_at = row.container = None
        row.healthy = False


def finish(tx: Tx, deployment: int) -> None:
    """Nothing of a deployment runs any more."""
    owner = tx.get(Deployment, deployment)
    if owner is None:
        return
    for row in tx.all(Replica, col(Replica.deployment_id) == deployment):
        tx.session.delete(row)
    if owner.status == "draining":
        owner.status, owner.ended_at, owner.note = "stopped", now(), ""
        name, number, project = _names(tx, owner)
        tx.event(ENGINE, "deployment.stopped", f"{name}@{number}", project, deployment=deployment)


def _end(row: Deployment) -> None:
    """Asked for no longer. One that has failed only leaves the list of what is wanted."""
    row.desired, row.weight = "stopped", 0
    if row.status not in _OVER:
        row.status = "draining"


def _take_share(tx: Tx, owner: Deployment) -> None:
    if not owner.weight:
        return
    rows = _siblings(tx, owner)
    shares = shares_without(_id(owner), {_id(row): row.weight for row in rows})
    for row in rows:
        row.weight = shares[_id(row)]
    _next_generation(tx)


def _siblings(tx: Tx, owner: Deployment) -> list[Deployment]:
    """All of its endpoint that take part, itself among them; those that failed are among them until replaced."""
    there = (col(Deployment.status).not_in(_OVER)) | (col(Deployment.desired) == "running")
    return tx.all(Deployment, col(Deployment.endpoint_id) == owner.endpoint_id, there, oldest=col(Deployment.id))


def _next_generation(tx: Tx) -> int:
    state = tx.get(GatewayState, 1)
    if state is None:
        raise LookupError("the gateway has no row yet, so nothing can be routed")
    state.generation += 1
    return state.generation


def _move_champion(tx: Tx, owner: Deployment, project: int) -> None:
    alias = tx.get(Alias, (project, CHAMPION))
    before = None if alias is None else tx.get(Version, alias.version_id)
    if alias is None:
        alias = tx.add(Alias(project_id=project, name=CHAMPION, version_id=owner.version_id, moved_at=now()))
    elif alias.version_id == owner.version_id:
        return
    alias.version_id, alias.moved_at = owner.version_id, now()
    name, number, _ = _names(tx, owner)
    told = None if before is None else before.number
    tx.event(ENGINE, "alias.moved", f"{name}@{number}", project, alias=CHAMPION, version=number, before=told)
    close_outlived(tx, project, number)


def _names(tx: Tx, owner: Deployment) -> tuple[str, int, int]:
    """Endpoint's name, version's number, project's id."""
    endpoint, version = tx.get(Endpoint, owner.endpoint_id), tx.get(Version, owner.version_id)
    assert endpoint is not None and version is not None, "foreign keys are enforced"
    project = tx.get(Project, endpoint.project_id)
    assert project is not None and project.id is not None, "foreign keys are enforced"
    return project.name, version.number, project.id


def _id(row: Deployment) -> int:
    assert row.id is not None, "it was read from the registry"
    return row.id
