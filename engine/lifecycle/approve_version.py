"""Record an approval of one version."""

from __future__ import annotations

from engine.lifecycle.caller import Caller
from engine.lifecycle.parts import Parts
from engine.lifecycle.release import approve
from engine.registry.queries.models import get_version, no_version
from engine.registry.queries.projects import no_project
from engine.registry.tables import Project, Version
from engine.registry.tx import Tx
from engine.wire.models import ApproveVersion, VersionView


def approve_version(parts: Parts, caller: Caller, name: str, number: int, ask: ApproveVersion) -> VersionView:
    """Approve; approving again changes nothing.

    Raises:
        NotFound: nobody knows the model, or it has no such version.
        GateRefused, InsufficientEvidence: it did not pass, and no override says why all the same.
        Forbidden: the caller is no approver.
    """
    caller.need("approver", "approve a version")

    def record(tx: Tx) -> VersionView:
        approve(tx, caller, name, find_version(tx, name, number), override=ask.override)
        return get_version(tx, name, number)

    return parts.writer.write_and_wait(record)


def find_version(tx: Tx, name: str, number: int) -> Version:
    """The version's row. Raises `NotFound`."""
    project = tx.first(Project, Project.name == name)
    if project is None:
        raise no_project(name)
    version = tx.first(Version, Version.project_id == project.id, Version.number == number)
    if version is None:
        raise no_version(name, number)
    return version
