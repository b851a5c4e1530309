"""Who a Unix user is here: their role, by `config.toml`, from the identity the kernel vouches for."""

from __future__ import annotations

import grp
import os
import pwd
import time
from dataclasses import dataclass

from engine.errors import Forbidden
from engine.lifecycle.caller import Caller, Role
from engine.settings import Roles

HIGHEST_FIRST: tuple[Role, ...] = ("admin", "approver", "operator", "viewer")
_REMEMBERED_S = 30.0


@dataclass(frozen=True)
class Peer:
    """The process at the other end of the socket when it connected (`SO_PEERCRED`)."""

    pid: int
    uid: int
    gid: int


class Identities:
    """Peers to callers. Names are asked of the system at most every 30 s for each user, as that may be slow."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._known: dict[tuple[int, int], tuple[float, Caller]] = {}

    def remembered(self, peer: Peer) -> Caller | None:
        """The caller, when their name was looked up just now."""
        found = self._known.get((peer.uid, peer.gid))
        return found[1] if found and time.monotonic() - found[0] < _REMEMBERED_S else None

    def caller(self, peer: Peer) -> Caller:
        """Look the caller up; may wait for the system's name service.

        Raises:
            Forbidden: the user has no role.
        """
        user, groups = _names(peer)
        role = self._role(peer.uid, user, groups)
        if role is None:
            raise Forbidden(
                f"{user} has no role in this engine.",
                "Ask its owner to add you to a role in config.toml and to start the engine again.",
                user=user,
            )
        caller = Caller(user=user, uid=peer.uid, role=role)
        self._known[(peer.uid, peer.gid)] = (time.monotonic(), caller)
        return caller

    def _role(self, uid: int, user: str, groups: set[str]) -> Role | None:
        # root can become the engine's user anyway; to refuse it would only look like protection.
        if uid in (os.getuid(), 0):
            return "admin"
        for role in HIGHEST_FIRST:
            named: tuple[str, ...] = getattr(self._roles, role)
            if user in named or any(entry[:1] == "@" and entry[1:] in groups for entry in named):
                return role
        return None


def _names(peer: Peer) -> tuple[str, set[str]]:
    try:
        user = pwd.getpwuid(peer.uid).pw_name
        gids = os.getgrouplist(user, peer.gid)
    except KeyError:
        user, gids = f"uid-{peer.uid}", [peer.gid]
    groups = set()
    for gid in gids:
        try:
            groups.add(grp.getgrgid(gid).gr_name)
        except KeyError:
            continue
    return user, groups
