"""What an order about a release would change: it is done, looked at, and taken back.

So the answer cannot differ from what happens, as long as nobody orders something else in between.
"""

from __future__ import annotations

from engine.deployment.records import switch, withdraw
from engine.errors import EngineError, GateRefused, InsufficientEvidence
from engine.lifecycle.approve_version import find_version
from engine.lifecycle.caller import Caller
from engine.lifecycle.deploy_version import want_version
from engine.lifecycle.parts import Parts
from engine.lifecycle.release import FULL, approval_of, approve
from engine.lifecycle.rollback_endpoint import want_champion_before
from engine.registry.queries.projects import no_project
from engine.registry.tables import Alias, Deployment, Endpoint, GatewayState, Project, Version
from engine.registry.tx import Tx, col
from engine.wire.base import Failure
from engine.wire.endpoints import Deploy, ReleasePreview, ReleaseStep, ReleaseVerb, Rollback

_OVER = ("stopped", "failed", "draining")
_SOME_REASON = "to be said"
"""Stands for the override that the caller would give."""


class _TakenBack(Exception):
    """Ends the operation, so that nothing of it stays, and carries what was seen."""

    def __init__(self, seen: ReleasePreview) -> None:
        super().__init__("a preview changes nothing")
        self.seen = seen


def preview_release(
    parts: Parts, caller: Caller, name: str, verb: ReleaseVerb, *, version: int | None = None, share: float = 1.0
) -> ReleasePreview:
    """As if `caller` ordered it now. A refusal is part of the answer, no error.

    Raises:
        NotFound: nobody knows the model.
    """

    def look(override: str | None) -> ReleasePreview:
        try:
            parts.writer.write_and_wait(lambda tx: _try(tx, caller, name, verb, version, share, override))
        except _TakenBack as taken_back:
            return taken_back.seen
        raise AssertionError("a preview is always taken back")

    seen = look(None)
    if seen.refusal is None or seen.refusal.code not in (GateRefused.code, InsufficientEvidence.code):
        return seen
    overridden = look(_SOME_REASON)
    return overridden if overridden.refusal is not None else overridden.model_copy(update={"needs_override": True})


def _try(
    tx: Tx, caller: Caller, name: str, verb: ReleaseVerb, number: int | None, share: float, override: str | None
) -> None:
    project = tx.first(Project, Project.name == name)
    if project is None:
        raise no_project(name)
    before, champion = _weights(tx, project), _champion(tx, project)
    approved = {row.id for row in tx.all(Version, Version.project_id == project.id) if approval_of(tx, row)}
    refusal: Failure | None = None
    meant: int | None = number
    try:
        meant = _order(tx, caller, name, verb, number, share, override)
    except EngineError as error:
        refusal = Failure(code=error.code, message=error.message, hint=error.hint)
    version = None if meant is None else tx.first(Version, Version.project_id == project.id, Version.number == meant)
    approval = None if version is None else approval_of(tx, version)
    newly = version is not None and approval is not None and version.id not in approved
    raise _TakenBack(
        ReleasePreview(
            verb=verb,
            name=name,
            version=meant,
            champion_before=champion,
            champion_after=champion if refusal else _champion(tx, project),
            steps=[] if refusal or verb == "approve" else _steps(tx, project, before),
            outcome=version.outcome if version else None,
            reasons=version.reasons if version else [],
            approved_by=approval.approved_by if approval and not newly else None,
            approves=newly,
            needs_override=False,
            refusal=refusal,
        )
    )


def _order(
    tx: Tx, caller: Caller, name: str, verb: ReleaseVerb, number: int | None, share: float, override: str | None
) -> int:
    """Do it, and what the reconciler would do once it is ready. The version that it is about."""
    if verb == "approve":
        caller.need("approver", "approve a version")
        approve(tx, caller, name, find_version(tx, name, number or 0), override=override)
        return number or 0
    if verb == "rollback":
        caller.need("operator", "roll back")
        wanted = want_champion_before(tx, caller, name, Rollback())
    else:
        share = 1.0 if verb == "promote" else share
        wanted = want_version(tx, caller, name, Deploy(version=number, share=share, override=override))
    if tx.get(GatewayState, 1) is None:
        # The first release of a home: the gateway starts once there is something to route.
        tx.add(GatewayState(host="", port=0))
    tx.flush()
    switch(tx, wanted.id)
    for row in _there(tx, name):
        if row.desired == "stopped" and row.id != wanted.id:
            withdraw(tx, row.id or 0)
    tx.flush()
    return wanted.version


def _there(tx: Tx, name: str) -> list[Deployment]:
    project = tx.first(Project, Project.name == name)
    endpoint = tx.first(Endpoint, Endpoint.project_id == project.id) if project else None
    if endpoint is None:
        return []
    over = col(Deployment.status).not_in(("stopped", "failed"))
    return tx.all(Deployment, Deployment.endpoint_id == endpoint.id, over, oldest=col(Deployment.id))


def _weights(tx: Tx, project: Project) -> dict[int, int]:
    """Parts of the traffic by deployment, of those that are not over."""
    return {row.id or 0: row.weight for row in _there(tx, project.name) if row.status not in _OVER}


def _champion(tx: Tx, project: Project) -> int | None:
    alias = tx.first(Alias, Alias.project_id == project.id, Alias.name == "champion")
    version = tx.get(Version, alias.version_id) if alias else None
    return version.number if version else None


def _steps(tx: Tx, project: Project, before: dict[int, int]) -> list[ReleaseStep]:
    steps = []
    for row in _there(tx, project.name):
        known = row.id in before
        ends = row.desired == "stopped"
        if not known and ends:
            continue  # it was on its way out already
        version = tx.get(Version, row.version_id)
        steps.append(
            ReleaseStep(
                version=version.number if version else 0,
                deployment=row.id if known else None,
                before=before.get(row.id or 0, 0) / FULL,
                after=row.weight / FULL,
                ends=ends,
                replicas=row.replicas,
                runtime=row.runtime,
            )
        )
    return steps
