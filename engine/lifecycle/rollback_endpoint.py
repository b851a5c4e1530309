"""Back to the champion before."""

from __future__ import annotations

from collections.abc import Iterable

from engine.errors import NotFound
from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.lifecycle.release import give_up, place, plan_of_version, wanted
from engine.registry.queries.endpoints import get_deployment
from engine.registry.queries.projects import no_project
from engine.registry.tables import Deployment, Endpoint, Project, Version
from engine.registry.tx import Tx, col
from engine.wire.endpoints import DeploymentView, Rollback

_UNDER_WAY = ("starting", "ready")


def rollback_endpoint(parts: Parts, caller: Caller, name: str, ask: Rollback) -> DeploymentView:
    """Undo the newest release.

    While a newer version is on its way, or has a share beside the champion, that one is taken away and the champion
    keeps all traffic: the answer is the champion's deployment. Otherwise the champion before the present one comes
    back; done again once that is live, the one before that. While such a rollback is on its way, asking again is
    answered with it and changes nothing: two rollbacks never cancel each other.

    Raises:
        NotFound: nobody knows the model, nothing of it serves, or there is no version to go back to.
    """

    answer = parts.writer.write_and_wait(lambda tx: want_champion_before(tx, caller, name, ask))
    parts.poke_deployments()
    return answer


def want_champion_before(tx: Tx, caller: Caller, name: str, ask: Rollback) -> DeploymentView:
    """What `rollback_endpoint` does in the registry; raises as it does."""
    project = tx.first(Project, Project.name == name)
    if project is None:
        raise no_project(name)
    endpoint = tx.first(Endpoint, Endpoint.project_id == project.id)
    if endpoint is None:
        raise NotFound(f"Nothing of {name} has been deployed.", f"Deploy a version: `mlops deploy {name}`.")
    there = wanted(tx, endpoint)
    if there and there[0].rollback and there[0].status in _UNDER_WAY:
        return get_deployment(tx, there[0].id or 0)
    reigning = next((row for row in there if row.promotes and row.weight), None)
    newer = [row for row in there if reigning is not None and (row.id or 0) > (reigning.id or 0)]
    if reigning is not None and newer:
        for row in newer:
            give_up(row, f"taken back by {caller.name}")
        tx.event(
            caller, "endpoint.rolled_back", name, project.id,
            taken_back=[row.id for row in newer], deployment=reigning.id, reason=ask.reason,
        )  # fmt: skip
        return get_deployment(tx, reigning.id or 0)
    version = _champion_before(tx, endpoint, name)
    plan = plan_of_version(tx, version, reason=ask.reason, rollback=True)
    return get_deployment(tx, place(tx, caller, name, version, plan).id or 0)


def _champion_before(tx: Tx, endpoint: Endpoint, name: str) -> Version:
    reigns = tx.all(
        Deployment,
        Deployment.endpoint_id == endpoint.id,
        col(Deployment.promotes).is_(True),
        oldest=Deployment.id,
    )
    # A later release that takes all traffic ends an earlier one that is still starting, so ids tell the order.
    stack = champions_stack((row.version_id, row.rollback) for row in reigns if row.live_at or row.status == "ready")
    version = tx.get(Version, stack[-2]) if len(stack) > 1 else None
    if version is None:
        raise NotFound(
            f"{name} has no version before this one to go back to.",
            f"`mlops show {name}` lists its versions; deploy one of them.",
            name=name,
        )
    return version


def champions_stack(reigns: Iterable[tuple[int, bool]]) -> list[int]:
    """Champions that can be gone back to, the present one last, from all reigns (version, rollback) oldest first.

    A rollback takes away what lay above its version, so that the next one goes further back.

    >>> champions_stack([(1, False), (2, False), (3, False), (2, True)])
    [1, 2]
    """
    stack: list[int] = []
    for version, rollback in reigns:
        if rollback and version in stack:
            while stack[-1] != version:
                stack.pop()
        elif not stack or stack[-1] != version:
            stack.append(version)
    return stack
