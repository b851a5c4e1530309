"""Every failure a user can meet, as one tree.

    EngineError
    ├── InvalidInput            what was typed or written is wrong            exit 2
    │   ├── InvalidName         a name outside [a-z][a-z0-9-]{0,39}
    │   └── InvalidConfig       mlops.toml or config.toml
    ├── BadData                 a file of data that cannot be used
    ├── NotFound                nothing has that name or id
    ├── Conflict                it clashes with what is there
    │   ├── Fenced              a late worker: its attempt is over
    │   ├── EngineRunning       another engine holds this home
    │   └── PortTaken           the gateway's port belongs to someone else
    ├── Forbidden               the role does not allow it
    ├── GateRefused             the verdict is `fail`                         exit 3
    ├── InsufficientEvidence    the verdict is `insufficient`                 exit 4
    ├── TooLarge                a body or file over its limit
    ├── JobFailed               a job ended without its result
    │   ├── ProjectCodeFailed   the project's own code raised
    │   └── WorkerDied          the process ended, hung or was killed
    ├── DeploymentFailed        a version did not become ready
    ├── DamagedBlob             bytes no longer match their hash
    ├── NotThereYet             designed, not built
    └── Unavailable             something outside does not answer
        ├── DiskFull
        ├── DockerUnavailable
        ├── GatewayUnavailable
        ├── EngineUnreachable   no engine, and none may be started            exit 5
        └── VersionMismatch     client and engine speak different versions    exit 5

The API turns the tree into a status and a problem body once (`to_problem`), the client rebuilds it once
(`from_problem`), the command line and the terminal show it once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class EngineError(Exception):
    """One clear sentence about what happened, to what, and a hint: what to do next.

    `about` holds the ids and values the sentence is about, as plain JSON values.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    """HTTP status the API answers with."""
    exit_code: ClassVar[int] = 1
    """Exit code of the command line."""

    def __init__(self, message: str, hint: str = "", **about: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.about = about

    def to_problem(self) -> dict[str, Any]:
        """The body of an `application/problem+json` answer (RFC 9457)."""
        return {
            "type": f"urn:mlops:error:{self.code}",
            "title": type(self).__name__,
            "status": self.status,
            "detail": self.message,
            "code": self.code,
            "hint": self.hint,
            "about": self.about,
        }


class InvalidInput(EngineError):
    """What was typed or written is wrong."""

    code, status, exit_code = "invalid_input", 422, 2


class InvalidName(InvalidInput):
    """A name outside `[a-z][a-z0-9-]{0,39}`."""

    code = "invalid_name"


class InvalidConfig(InvalidInput):
    """`mlops.toml` or `config.toml` says something it may not."""

    code = "invalid_config"


class BadData(EngineError):
    """A file of data that cannot be used."""

    code, status = "bad_data", 422


class NotFound(EngineError):
    """Nothing has that name or id."""

    code, status = "not_found", 404


class Conflict(EngineError):
    """It clashes with what is there."""

    code, status = "conflict", 409


class Fenced(Conflict):
    """A worker reported for an attempt that is over."""

    code = "fenced"


class EngineRunning(Conflict):
    """Another engine holds this home."""

    code = "engine_running"


class PortTaken(Conflict):
    """The gateway's port belongs to another program."""

    code = "port_taken"


class Forbidden(EngineError):
    """The caller's role does not allow it."""

    code, status = "forbidden", 403


class GateRefused(EngineError):
    """The verdict is `fail`."""

    code, status, exit_code = "gate_refused", 409, 3


class InsufficientEvidence(EngineError):
    """The verdict is `insufficient`."""

    code, status, exit_code = "insufficient_evidence", 409, 4


class TooLarge(EngineError):
    """A body or a file over its limit."""

    code, status = "too_large", 413


class JobFailed(EngineError):
    """A job ended without its result."""

    code, status = "job_failed", 409


class ProjectCodeFailed(JobFailed):
    """The project's own code raised."""

    code = "project_code_failed"


class WorkerDied(JobFailed):
    """A worker's process ended, hung or was killed."""

    code = "worker_died"


class DeploymentFailed(EngineError):
    """A version did not become ready; the one before keeps the traffic."""

    code, status = "deployment_failed", 409


class DamagedBlob(EngineError):
    """Stored bytes no longer match their hash."""

    code = "damaged_blob"


class NotThereYet(EngineError):
    """Designed, but not built yet."""

    code, status, exit_code = "not_there_yet", 501, 2


class Unavailable(EngineError):
    """Something outside the engine does not answer."""

    code, status = "unavailable", 503


class DiskFull(Unavailable):
    """No room is left where the home folder lies."""

    code, status = "disk_full", 507


class DockerUnavailable(Unavailable):
    """The Docker engine does not answer."""

    code = "docker_unavailable"


class GatewayUnavailable(Unavailable):
    """The gateway does not answer."""

    code = "gateway_unavailable"


class EngineUnreachable(Unavailable):
    """No engine answers, and none may be started."""

    code, exit_code = "engine_unreachable", 5


class VersionMismatch(Unavailable):
    """Client and engine speak different versions."""

    code, status, exit_code = "version_mismatch", 426, 5


def _tree(root: type[EngineError]) -> dict[str, type[EngineError]]:
    found = {root.code: root}
    for child in root.__subclasses__():
        # A kind without a code of its own does not take the place of the one above it.
        found = _tree(child) | found
    return found


def from_problem(problem: Mapping[str, Any], status: int) -> EngineError:
    """The error a problem body tells of; an unknown code becomes a plain `EngineError`."""
    kind = _tree(EngineError).get(str(problem.get("code")), EngineError)
    message = str(problem.get("detail") or f"The engine answered with status {status}.")
    about = problem.get("about")
    return kind(message, str(problem.get("hint") or ""), **(about if isinstance(about, dict) else {}))
