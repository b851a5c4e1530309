"""What `mlops init` saw in a file of data."""

from __future__ import annotations

from typing import Any

from engine.wire.base import Body, Name, StrictBody


class AskLook(StrictBody):
    """`POST /v1/looks`: an admin asks a worker to look at a file."""

    path: str
    """Absolute path or glob on the engine's host."""
    target: str
    name: Name | None = None
    """None: made from the file's name."""
    relative_to: str | None = None
    """Folder the project file will lie in; the source is written relative to it where it lies below."""


class LookView(Body):
    """The result of a `look` job (in `JobView.result`)."""

    name: Name
    task: str
    rows: int
    columns: list[dict[str, Any]]
    """Each: name, type, role (feature, target, id, time, ignored), nulls, distinct, why."""
    notes: list[str]
    """Sentences on what was decided and why."""
    project_file: str
    """Text of a commented `mlops.toml`."""
