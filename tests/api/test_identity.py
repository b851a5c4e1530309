from __future__ import annotations

import grp
import os
import pwd

import pytest

from engine.api.identity import Identities, Peer
from engine.errors import Forbidden
from engine.settings import Roles

OTHERS = [user for user in pwd.getpwall() if user.pw_uid not in (0, os.getuid())]
OTHER = OTHERS[0]


def peer(user: pwd.struct_passwd) -> Peer:
    return Peer(pid=1, uid=user.pw_uid, gid=user.pw_gid)


def test_the_engines_own_user_is_admin() -> None:
    caller = Identities(Roles()).caller(Peer(pid=1, uid=os.getuid(), gid=os.getgid()))
    assert (caller.role, caller.uid) == ("admin", os.getuid())


def test_root_is_admin_as_it_could_become_the_engines_user_anyway() -> None:
    assert Identities(Roles()).caller(Peer(pid=1, uid=0, gid=0)).role == "admin"


def test_an_unknown_user_is_refused() -> None:
    with pytest.raises(Forbidden, match=OTHER.pw_name):
        Identities(Roles()).caller(peer(OTHER))


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "admin"])
def test_a_user_has_the_role_that_the_config_names(role: str) -> None:
    caller = Identities(Roles(**{role: (OTHER.pw_name,)})).caller(peer(OTHER))
    assert (caller.role, caller.user) == (role, OTHER.pw_name)


def test_a_user_has_the_role_of_a_group() -> None:
    group = grp.getgrgid(OTHER.pw_gid).gr_name
    assert Identities(Roles(operator=(f"@{group}",))).caller(peer(OTHER)).role == "operator"


def test_a_user_named_like_a_group_is_not_its_member() -> None:
    group = grp.getgrgid(OTHER.pw_gid).gr_name
    with pytest.raises(Forbidden):
        Identities(Roles(operator=(f"@not-{group}", f"@@{group}"))).caller(peer(OTHER))


def test_of_two_roles_the_higher_one_counts() -> None:
    roles = Roles(viewer=(OTHER.pw_name,), approver=(OTHER.pw_name,))
    assert Identities(roles).caller(peer(OTHER)).role == "approver"


def test_a_uid_without_a_name_has_no_role() -> None:
    free = next(uid for uid in range(50_000, 60_000) if uid not in {user.pw_uid for user in pwd.getpwall()})
    with pytest.raises(Forbidden, match=f"uid-{free}"):
        Identities(Roles(admin=("root",))).caller(Peer(pid=1, uid=free, gid=free))


def test_a_refusal_is_not_remembered_as_a_caller() -> None:
    identities = Identities(Roles())
    with pytest.raises(Forbidden):
        identities.caller(peer(OTHER))
    assert identities.remembered(peer(OTHER)) is None
