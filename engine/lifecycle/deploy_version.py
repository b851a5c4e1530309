"""Put a version behind its model's endpoint."""

from __future__ import annotations

from engine.errors import Forbidden, NotFound
from engine.lifecycle.approve_version import find_version
from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.lifecycle.release import need_approval, place, plan_of_version, refusal
from engine.registry.queries.endpoints import get_deployment
from engine.registry.queries.models import newest_version
from engine.registry.queries.projects import no_project
from engine.registry.tables import Project, Version
from engine.registry.tx import Tx
from engine.wire.endpoints import Deploy, DeploymentView


def deploy_version(parts: Parts, caller: Caller, name: str, ask: Deploy) -> DeploymentView:
    """Want it to serve, and answer at once: the reconciler starts it and moves the traffic when it is ready.

    Raises:
        NotFound: nobody knows the model or version, or no version may be released.
        GateRefused, InsufficientEvidence: the version did not pass, and no override says why all the same.
        Forbidden: the caller is no operator; or it is not approved and the caller is no approver, who alone may
            override.
        Conflict: a share was asked for, and nothing else serves.
    """
    answer = parts.writer.write_and_wait(lambda tx: want_version(tx, caller, name, ask))
    parts.poke_deployments()
    return answer


def want_version(tx: Tx, caller: Caller, name: str, ask: Deploy) -> DeploymentView:
    """What `deploy_version` does in the registry; raises as it does."""
    caller.need("operator", "deploy a version")
    if ask.override is not None:
        caller.need("approver", "override the gate")
    version = find_version(tx, name, ask.version) if ask.version is not None else _newest(tx, caller, name, ask)
    need_approval(tx, caller, name, version, ask.override)
    plan = plan_of_version(tx, version, reason=ask.reason, share=ask.share)
    deployment = place(tx, caller, name, version, plan)
    return get_deployment(tx, deployment.id or 0)


def promote_version(parts: Parts, caller: Caller, name: str, ask: Deploy) -> DeploymentView:
    """Deploy at full weight: it replaces everything else and becomes the champion.

    The same role as `deploy_version` needs, for it is nothing else; raises as that does.
    """
    return deploy_version(parts, caller, name, ask.model_copy(update={"share": 1.0}))


def _newest(tx: Tx, caller: Caller, name: str, ask: Deploy) -> Version:
    """The newest approved version; for an approver also one that passed, and with an override the newest of all."""
    project = tx.first(Project, Project.name == name)
    if project is None:
        raise no_project(name)
    newest = tx.get(Version, newest_version(tx, project.id or 0) or 0)
    if newest is None:
        raise NotFound(f"{name} has no version yet.", f"Train it: `mlops train {name}`.", name=name)
    if ask.override is not None:
        return newest
    releasable = newest_version(tx, project.id or 0, "approved or passed" if caller.may("approver") else "approved")
    found = tx.get(Version, releasable or 0)
    if found is not None:
        return found
    if newest.outcome != "pass":
        raise refusal(name, newest)
    raise Forbidden(
        f"No version of {name} is approved.",
        f"Ask an approver: `mlops approve {name}@{newest.number}`.",
        name=name,
    )
