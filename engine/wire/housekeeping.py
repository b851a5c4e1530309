"""Copies of everything, and what nobody needs any more."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, StringConstraints

from engine.wire.base import Body, StrictBody

FolderPath = Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class MakeBackup(StrictBody):
    """`POST /v1/backups`: copy everything that cannot be made again into a new folder below `folder`."""

    folder: FolderPath
    """Absolute path on the engine's host, outside the home; made where it is missing."""
    full: bool = False
    """Copy every stored file, instead of sharing those of the newest backup there by hard links."""
    allow_damaged: bool = False
    """Leave damaged and missing stored files out, naming them, instead of failing."""


class BackupMade(Body):
    """A backup that is complete: every hash in it was found right."""

    folder: str
    made_at: AwareDatetime
    schema_revision: str
    last_event: int
    """Newest event in it; what was acknowledged before the backup began is in it."""
    blobs: int
    shared: int
    """Of these, hard links to an earlier backup's."""
    captures: int
    """Files of captures and labels."""
    size_bytes: int
    written_bytes: int
    """Without what is shared."""
    left_out: list[str]
    """Stored files that are damaged or missing here already."""


class BackupRestored(Body):
    """What `mlops restore` prints."""

    backup: str
    home: str
    made_at: AwareDatetime
    """When the backup was made."""
    last_event: int
    blobs: int
    captures: int
    size_bytes: int
    retried_jobs: list[int]
    """They ran when the backup was made, and wait again."""
    left_out: list[str]
    """Stored files that the backup has not."""


class CollectGarbage(StrictBody):
    """`POST /v1/gc`."""

    dry_run: bool = False


class GarbageLine(Body):
    """Things of one kind, and why they go or stay."""

    what: str
    count: int
    size_bytes: int
    why: str


class Garbage(Body):
    """What nobody speaks of any more, and what is kept."""

    dry_run: bool
    """True: nothing was removed."""
    gone: list[GarbageLine]
    """With `dry_run`, what would go."""
    kept: list[GarbageLine]
    freed_bytes: int
