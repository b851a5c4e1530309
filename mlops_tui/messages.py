"""What has happened, as messages: posted by the feed and by screens' workers, handled with `@on`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from engine.errors import EngineError
    from engine.wire.events import EventView, Progress
    from engine.wire.fleet import Fleet
    from engine.wire.jobs import JobList, LogPage


@dataclass
class EngineFound(Message, bubble=False):
    """The event stream stands, for the first time or again."""

    after: int
    """Sequence number of the newest event."""


@dataclass
class EngineLost(Message, bubble=False):
    """No engine answers."""

    since: datetime
    error: EngineError


@dataclass
class EventCame(Message, bubble=False):
    """A durable event."""

    event: EventView


@dataclass
class ProgressCame(Message, bubble=False):
    """A job has moved on."""

    progress: Progress


@dataclass
class FleetRead(Message):
    """A newer fleet."""

    fleet: Fleet


@dataclass
class JobsRead(Message):
    """A page of jobs."""

    page: JobList
    before: int | None
    """As it was asked for; None: the newest."""


@dataclass
class LogRead(Message):
    """More of a job's log."""

    page: LogPage


@dataclass
class ActionDone(Message):
    """The engine did what was asked."""

    line: str
    """The same on the command line."""
    said: str


@dataclass
class ActionFailed(Message):
    """The engine did not do what was asked, or could not be asked."""

    line: str
    error: EngineError
