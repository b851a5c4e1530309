"""What Docker says of a container, as the runtime needs it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.deployment.container_body import DEPLOYMENT, GENERATION, OWNER, REPLICA, REPLICA_FOLDER, container_name
from engine.deployment.runtime import Identity

KILLED = 128 + 9


@dataclass(frozen=True)
class Seen:
    """One container of ours at one moment."""

    id: str
    deployment: int
    index: int
    status: str
    """Docker's: created, running, paused, restarting, removing, exited or dead."""
    started_at: float
    """Seconds since the epoch; 0.0: never."""
    pid: int = 0
    """Of its first process, on the host; 0: none."""
    exit_code: int = 0
    out_of_memory: bool = False
    """Of the last time it ended, also while it runs again."""
    error: str = ""
    """Why Docker could not start it."""
    restarts: int = 0
    memory_bytes: int = 0
    """Its limit."""
    generation: str = ""

    @property
    def key(self) -> tuple[int, int]:
        """Deployment and replica."""
        return self.deployment, self.index

    @property
    def identity(self) -> Identity:
        """A container that Docker has started again is another one."""
        return Identity(container=self.id, created_at=self.started_at)

    @property
    def lives(self) -> bool:
        """It runs, or Docker is about to start it again."""
        return self.status in ("running", "paused", "restarting")

    @property
    def has_ended(self) -> bool:
        """Docker will not start it again."""
        return self.status in ("exited", "dead", "removing")

    def why(self) -> str:
        """Why it ended last, where its own words do not tell; else empty."""
        if self.out_of_memory and self.exit_code in (0, KILLED):
            return f"out of memory: {self.memory_bytes >> 20} MB limit."
        if self.error:
            return self.error
        if self.exit_code > 128:
            return f"it was ended from outside, by signal {self.exit_code - 128}."
        if self.has_ended and not self.exit_code:
            # A model server goes on until somebody asks it to end.
            return "it was asked to end from outside."
        return ""


def labelled(brief: dict[str, Any]) -> tuple[int, int] | None:
    """Deployment and replica by its labels; None: it is no replica."""
    labels = brief.get("Labels") or {}
    try:
        return int(labels[DEPLOYMENT]), int(labels[REPLICA])
    except (KeyError, ValueError):
        return None


def is_ours(brief: dict[str, Any], mark: str) -> bool:
    """Whether it is a replica of the home with this mark.

    Labels alone do not tell: an image that somebody commits from one of our containers hands them on to what is run
    from it. That has neither our name nor a folder of ours; one of ours that was renamed still has its folder.
    """
    key = labelled(brief)
    if key is None or (brief.get("Labels") or {}).get(OWNER) != mark:
        return False
    named = f"/{container_name(mark, *key)}" in (brief.get("Names") or [])
    return named or any(mount.get("Destination") == REPLICA_FOLDER for mount in brief.get("Mounts") or [])


def seen(found: dict[str, Any]) -> Seen | None:
    """From `GET /containers/ID/json`; None: it is no replica."""
    key = labelled(found["Config"])
    if key is None:
        return None
    state = found["State"]
    return Seen(
        id=found["Id"],
        deployment=key[0],
        index=key[1],
        status=state["Status"],
        started_at=_seconds(state.get("StartedAt", "")),
        pid=state.get("Pid") or 0,
        exit_code=state.get("ExitCode") or 0,
        out_of_memory=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        restarts=found.get("RestartCount") or 0,
        memory_bytes=found["HostConfig"].get("Memory") or 0,
        generation=(found["Config"].get("Labels") or {}).get(GENERATION, ""),
    )


def _seconds(text: str) -> float:
    """Docker tells nanoseconds, and the year 1 for never."""
    whole, _, rest = text.rstrip("Z").partition(".")
    try:
        moment = datetime.fromisoformat(f"{whole}+00:00").timestamp()
    except ValueError:
        return 0.0
    return moment + float(f"0.{rest or 0}") if moment > 0 else 0.0


def memory_of(stats: dict[str, Any]) -> int | None:
    """Bytes in use without the page cache, as `docker stats` counts them (cgroup v1 and v2)."""
    memory = stats.get("memory_stats") or {}
    if "usage" not in memory:
        return None
    detail = memory.get("stats") or {}
    return int(memory["usage"]) - int(detail.get("total_inactive_file", detail.get("inactive_file", 0)))


def cpu_seconds_of(stats: dict[str, Any]) -> float | None:
    """CPU time it has used since its start."""
    used = ((stats.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
    return None if used is None else used / 1e9
