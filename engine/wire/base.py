"""What all bodies share: frozen, and deaf to fields that a newer peer adds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

API_VERSION = 1
"""Raised when a body changes so that an older peer would misread it; client and engine must have the same."""

API_HEADER = "x-mlops-api"
"""Carries `API_VERSION` in every request and every answer."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Line = Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True)]
"""A reason or note by a person."""


class Body(BaseModel):
    """A body that crosses the socket.

    Its validator is built at first use: all of them together cost 80 ms, which every start of a client would pay.
    (FastAPI wants those of requests' bodies, `StrictBody`, ready when it reads a route.)
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class StrictBody(BaseModel):
    """A request's body: a field nobody knows is refused, so that a typing mistake is not silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(Body):
    """One file of a code tree, a bundle or a work folder; `path` is relative, with forward slashes."""

    path: str
    sha256: Sha256
    size_bytes: int


class Failure(Body):
    """Why something ended badly, as a person reads it."""

    code: str
    message: str
    hint: str = ""


class Actor(Body):
    """Who did it: a Unix user, a job, or the engine itself (`engine`)."""

    name: str
    role: str
    at: AwareDatetime
