"""What `auto` means here and now. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from engine.deployment.runtime import Readiness


@dataclass(frozen=True)
class Choice:
    """A runtime by its name, and why it."""

    runtime: str
    reason: str


def choose_runtime(docker: Readiness | None) -> Choice | None:
    """Docker where it can start containers, else the local process; None: not known yet.

    `docker` None: there is no such runtime here.

    >>> choose_runtime(Readiness(False, "Docker has no image base."))
    Choice(runtime='process', reason='A process: Docker has no image base.')
    """
    if docker is None:
        return Choice("process", "A process: there is nothing else here.")
    if docker.ok is None:
        return None
    if docker.ok:
        return Choice("docker", f"A container: {docker.reason}")
    return Choice("process", f"A process: {docker.reason}")
