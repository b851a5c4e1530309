"""Who asks: a Unix user in a role, a job with its token, or the engine itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import Forbidden

Role = Literal["viewer", "operator", "approver", "admin", "job"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "approver", "admin")
"""Each may do what those before it may. `job` stands outside: it may do its own work and nothing else."""


@dataclass(frozen=True)
class Caller:
    """Whoever stands behind a request. A job's caller speaks for that attempt and for nothing else."""

    user: str
    uid: int
    role: Role
    job: tuple[int, int] | None = None
    """(job, attempt) of a worker."""

    @property
    def name(self) -> str:
        """As the audit chain names them."""
        return f"job {self.job[0]}" if self.job else self.user

    def may(self, role: Role) -> bool:
        """Has at least this role. A job has none."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)

    def need(self, role: Role, to: str) -> None:
        """Raise `Forbidden` where `may(role)` does not hold; `to` says what was tried, such as `override the gate`."""
        if not self.may(role):
            raise Forbidden(
                f"{self.name} is {self.role} here, and only an {role} may {to}.",
                f"Ask an {role}, or have the role given to you in config.toml.",
                role=self.role,
                needed=role,
            )
