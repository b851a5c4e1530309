"""Two streams: durable events, and progress that may be lost."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

from engine.wire.base import Body


class EventView(Body):
    """One fact of the audit chain."""

    seq: int
    at: AwareDatetime
    actor: str
    role: str
    verb: str
    """`noun.past`, such as `version.approved`."""
    subject: str
    """What it is about: `fraud`, `fraud@3`, `job 12`."""
    project: str | None
    evidence: dict[str, Any]
    hash: str
    prev_hash: str


class EventList(Body):
    """`GET /v1/events`."""

    events: list[EventView]
    next_after: int | None
    next_before: int | None = None
    """Of a page of the newest: pass as `before` for the earlier ones; None: there are none."""


class Progress(Body):
    """How far a job is; not durable."""

    job_id: int
    attempt: int
    step: str | None
    fraction: float | None
    note: str


class Verification(Body):
    """`POST /v1/verify`: the chain of events and every stored file, hashed again."""

    events: int
    broken_event: int | None
    """Sequence number of the first event whose hash does not fit."""
    blobs: int
    damaged: list[str]
    """Blobs whose bytes no longer match their name."""
    missing: list[str]
    """Blobs the registry speaks of and the disk has not."""
