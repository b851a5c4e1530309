"""Who asks for something: a Unix user with a role, or a job with its token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import Forbidden

Role = Literal["viewer", "operator", "approver", "admin", "job"]

RANK: dict[Role, int] = {"viewer": 1, "operator": 2, "approver": 3, "admin": 4, "job": 0}
"""Each of the people's roles may do what the lower ones may; a job stands outside and may do its own work only."""


@dataclass(frozen=True)
class Caller:
    """One caller of one request. `job` is (job id, attempt) for a worker; its role is then `job`."""

    user: str
    uid: int
    role: Role
    job: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        """As events tell of it."""
        return self.user if self.job is None else f"job {self.job[0]}"

    def may(self, role: Role) -> bool:
        """Whether the caller's role is `role` or a higher one."""
        return RANK[self.role] >= RANK[role] and (self.role == "job") == (role == "job")

    def need(self, role: Role, what: str) -> None:
        """Refuse a caller of a lower role.

        Raises:
            Forbidden: naming `what` it takes the role for.
        """
        if not self.may(role):
            article = "an" if role[0] in "aeiou" else "a"
            raise Forbidden(
                f"{self.name} is {self.role} here; to {what} takes {article} {role}.",
                "Ask an admin, or have yourself put into that role in config.toml.",
                role=self.role,
                needed=role,
            )
