"""What the engine needs of whatever runs model servers: local processes, or containers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class ReplicaSpec:
    """One model server to run. Its folder holds `serve.json`; it listens on `socket`."""

    deployment: int
    index: int
    folder: Path
    socket: Path
    log: Path


@dataclass(frozen=True)
class Identity:
    """How a started model server is found again: a process by its pid, a container by its id, and the start time."""

    pid: int | None = None
    created_at: float | None = None
    """Start of the process or container, seconds since the epoch, as the operating system or Docker tells it."""
    container: str | None = None


@dataclass(frozen=True)
class Running:
    """A model server of this home that was found running."""

    deployment: int
    index: int
    identity: Identity


@dataclass(frozen=True)
class Readiness:
    """Whether a runtime can start model servers."""

    ok: bool | None
    """None: not known yet."""
    reason: str
    """Why, in one sentence."""
    hint: str = ""


class Runtime(Protocol):
    """Runs model servers. Calls return within a few seconds, and come from one thread at a time."""

    def readiness(self) -> Readiness:
        """Whether `auto` may mean it."""

    def start(self, replica: ReplicaSpec) -> Identity | None:
        """Start it, or adopt it where it runs already: a crash may lie between a start and its record.

        None: that is under way; ask again soon.

        Raises:
            Unavailable, DiskFull: it cannot be started now.
        """

    def runs(self, identity: Identity) -> bool:
        """Whether exactly that process or container is alive; an ended one of ours is cleared away.

        Raises:
            DockerUnavailable: nobody knows.
        """

    def is_ready(self, replica: ReplicaSpec) -> bool:
        """Whether it answers that it is ready; waits at most two seconds."""

    def last_words(self, replica: ReplicaSpec) -> str:
        """The last line it wrote, made safe to show; empty when it wrote nothing."""

    def stop(self, identity: Identity, *, force: bool) -> None:
        """Ask it to end after the requests in flight, or end it now with all it started. Does not wait."""

    def ours(self) -> list[Running]:
        """Every model server of this home, whether the registry knows it or not."""

    def tidy(self, replica: ReplicaSpec) -> None:
        """Keep its log within bounds."""

    def remove_unused(self, needed: set[str]) -> None:
        """Let go of what versions other than these, told as NAME@NUMBER, were prepared with; some time later."""

    def refresh_log(self, replica: ReplicaSpec) -> None:
        """Have in `replica.log` what it wrote until now; from any thread."""
