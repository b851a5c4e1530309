"""How a route states who may call it: by the type of its `caller`.

    @router.post("/v1/verify")
    def verify(caller: Operator) -> Verification: ...

The guard reads these before the application sees a request; a route that states none is closed to everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from fastapi import Depends, Request

from engine.lifecycle.caller import Caller, Role


def _guarded_caller(request: Request) -> Caller:
    caller: Caller = request.scope["mlops.caller"]
    return caller


async def _caller(request: Request) -> Caller:
    return _guarded_caller(request)


@dataclass(frozen=True)
class Allowed:
    """Marks a parameter: callers of this role and higher."""

    role: Role


Viewer = Annotated[Caller, Depends(_caller), Allowed("viewer")]
Operator = Annotated[Caller, Depends(_caller), Allowed("operator")]
Approver = Annotated[Caller, Depends(_caller), Allowed("approver")]
Admin = Annotated[Caller, Depends(_caller), Allowed("admin")]
JobItself = Annotated[Caller, Depends(_caller), Allowed("job")]
"""Only the job that the path names, by its token."""


@dataclass(frozen=True)
class Pieces:
    """Marks a parameter of a route that reads its own body, of at most so many bytes, as it comes."""

    limit_bytes: int


def stated_limit(endpoint: Callable[..., Any]) -> int | None:
    """The most bytes that a route reads itself; None: the guard reads its body, as JSON."""
    for hint in get_type_hints(endpoint, include_extras=True).values():
        for mark in getattr(hint, "__metadata__", ()):
            if isinstance(mark, Pieces):
                return mark.limit_bytes
    return None


def stated_role(endpoint: Callable[..., Any]) -> Role | None:
    """The role that the endpoint's parameters state; None: none, so nobody may."""
    for hint in get_type_hints(endpoint, include_extras=True).values():
        for mark in getattr(hint, "__metadata__", ()):
            if isinstance(mark, Allowed):
                return mark.role
    return None
