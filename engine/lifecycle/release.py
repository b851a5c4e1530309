"""What approving and releasing a version means in the registry; the reconciler makes it so."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import Conflict, Forbidden, GateRefused, InsufficientEvidence
from engine.lifecycle.caller import Caller
from engine.project import Project, parse_project
from engine.registry.events import Actor
from engine.registry.tables import Approval, Deployment, Endpoint, Revision, Version, now
from engine.registry.tx import Tx, col

FULL = 10_000
"""Weight of all traffic."""


@dataclass(frozen=True)
class Plan:
    """How a version is to serve."""

    runtime: str
    """`process`, `docker`, or `auto`, which the reconciler resolves when it starts it."""
    replicas: int
    weight: int
    reason: str
    rollback: bool = False


def release_plan(project: Project, *, reason: str, share: float = 1.0, rollback: bool = False) -> Plan:
    """By the project file; a share, however small, is at least one part of the traffic."""
    release = project.release
    return Plan(release.runtime, release.replicas, max(1, round(share * FULL)), reason, rollback)


def plan_of_version(tx: Tx, version: Version, *, reason: str, share: float = 1.0, rollback: bool = False) -> Plan:
    """By the project file of the code that the version was made with."""
    revision = tx.get(Revision, version.revision_id)
    if revision is None:
        raise Conflict(f"The code of version {version.number} is not stored.", "Train again.")
    return release_plan(parse_project(revision.config), reason=reason, share=share, rollback=rollback)


def approval_of(tx: Tx, version: Version) -> Approval | None:
    """The recorded approval, if there is one."""
    return tx.first(Approval, Approval.version_id == version.id)


def approve(
    tx: Tx, actor: Actor, name: str, version: Version, *, override: str | None, automatic: bool = False
) -> Approval:
    """Record the approval of a version. One that did not pass needs an override; a second approval is the first.

    Raises:
        GateRefused, InsufficientEvidence: it did not pass, and nobody says why it is approved all the same.
    """
    if (known := approval_of(tx, version)) is not None:
        return known
    if version.outcome != "pass" and override is None:
        raise refusal(name, version)
    override = override if version.outcome != "pass" else None
    approval = tx.add(
        Approval(
            version_id=version.id or 0,
            approved_by=actor.name,
            approved_at=now(),
            override=override,
            automatic=automatic,
        )
    )
    tx.event(
        actor, "version.approved", f"{name}@{version.number}", version.project_id,
        version=version.number, verdict=version.outcome, reasons=version.reasons, override=override,
        automatic=automatic,
    )  # fmt: skip
    return approval


def refusal(name: str, version: Version) -> GateRefused | InsufficientEvidence:
    """Why a version that did not pass is not released."""
    why = version.reasons[0] if version.reasons else "No reason is recorded."
    kind = GateRefused if version.outcome == "fail" else InsufficientEvidence
    return kind(
        f"The verdict on {name}@{version.number} is `{version.outcome}`: {why}",
        "An approver may release it all the same, and says why: `--override REASON`.",
        name=name,
        version=version.number,
        verdict=version.outcome,
    )


def need_approval(tx: Tx, caller: Caller, name: str, version: Version, override: str | None) -> None:
    """Make sure a version may be released by this caller; an approver's release is the approval.

    Raises:
        GateRefused, InsufficientEvidence: the verdict, and no override.
        Forbidden: it is not approved, and the caller is no approver.
    """
    if approval_of(tx, version) is not None:
        return
    if override is not None:
        caller.need("approver", "override the gate")
    if version.outcome != "pass" and override is None:
        raise refusal(name, version)
    if not caller.may("approver"):
        raise Forbidden(
            f"{name}@{version.number} passed and is not approved yet.",
            f"Ask an approver: `mlops approve {name}@{version.number}`.",
            name=name,
            version=version.number,
        )
    approve(tx, caller, name, version, override=override)


def place(tx: Tx, actor: Actor, name: str, version: Version, plan: Plan) -> Deployment:
    """Want a version behind its endpoint. A version that is still on its way there is given up for the newer one.

    The same version that serves, or comes to serve, at the same weight already is left alone.
    """
    endpoint = tx.first(Endpoint, Endpoint.project_id == version.project_id)
    if endpoint is None:
        endpoint = tx.add(Endpoint(project_id=version.project_id, created_at=now()))
        tx.event(actor, "endpoint.created", name, version.project_id)
    there = wanted(tx, endpoint)
    newest = there[0] if there else None
    if newest is not None and (newest.version_id, newest.target_weight) == (version.id, plan.weight):
        return newest
    if plan.weight < FULL and not any(row.weight and row.version_id != version.id for row in there):
        raise Conflict(
            f"Nothing else serves {name}, so {name}@{version.number} cannot take a share.",
            "Deploy it without a share first.",
            name=name,
        )
    for row in there:
        # One that has traffic already keeps it until the newer one is ready.
        if row.status == "starting" and not row.weight:
            give_up(row, f"given up for version {version.number}")
    deployment = tx.add(
        Deployment(
            endpoint_id=endpoint.id or 0,
            version_id=version.id or 0,
            desired="running",
            status="starting",
            target_weight=plan.weight,
            promotes=plan.weight == FULL,
            rollback=plan.rollback,
            runtime=plan.runtime,
            replicas=plan.replicas,
            reason=plan.reason,
            created_by=actor.name,
            created_at=now(),
        )
    )
    verb = "endpoint.rolled_back" if plan.rollback else "version.deployed"
    tx.event(
        actor, verb, f"{name}@{version.number}", version.project_id,
        deployment=deployment.id, version=version.number, share=plan.weight / FULL, runtime=plan.runtime,
        replicas=plan.replicas, reason=plan.reason,
    )  # fmt: skip
    return deployment


def wanted(tx: Tx, endpoint: Endpoint) -> list[Deployment]:
    """The deployments behind an endpoint that are to run, newest first."""
    return tx.all(
        Deployment,
        Deployment.endpoint_id == endpoint.id,
        Deployment.desired == "running",
        col(Deployment.status).not_in(("stopped", "failed")),
        newest=Deployment.id,
    )


def give_up(deployment: Deployment, note: str) -> None:
    """Want it stopped; the reconciler ends it once nothing is routed to it."""
    deployment.desired = "stopped"
    deployment.note = note
