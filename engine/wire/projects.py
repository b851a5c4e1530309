"""Projects and their stored code."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from engine.wire.base import Body, Line, Name, StrictBody
from engine.wire.jobs import JobView


class AddProject(StrictBody):
    """`POST /v1/projects`: register the project in `folder`, or store its code again."""

    folder: str
    """Absolute path on the engine's host, holding `mlops.toml`."""


class RevisionView(Body):
    """One stored state of a project's code."""

    id: int
    tree_sha256: str
    git_commit: str | None
    git_dirty: bool
    files: int
    size_bytes: int
    created_at: AwareDatetime
    by: str


class ProjectView(Body):
    """A registered project."""

    id: int
    name: Name
    task: str
    folder: str
    metric: str
    revision: RevisionView
    added_at: AwareDatetime
    by: str
    config: str
    """The text of the stored `mlops.toml`."""


class AddedProject(Body):
    """Answer of `POST /v1/projects`."""

    project: ProjectView
    changed: bool
    """False: this very tree was stored already."""


class TrainProject(StrictBody):
    """`POST /v1/projects/{name}/train`."""

    reason: Line = ""
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    """None: the project's own."""
    key: str | None = Field(default=None, max_length=200)
    """The same key asked for twice is the same job."""


class TrainAnswer(Body):
    """Answer of `POST /v1/projects/{name}/train`."""

    job: JobView
    stored_again: bool
    """True: the folder had changed since it was stored, and was stored again (an admin asked)."""


class ProjectList(Body):
    """`GET /v1/projects`, by name."""

    projects: list[ProjectView]
