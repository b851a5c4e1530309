"""What has happened, as messages: posted by the feed and by screens' workers, handled with `@on`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from engine.errors import EngineError
    from engine.wire.events import EventView, Progress
    from engine.wire.fleet import Fleet
    from engine.wire.jobs import LogPage


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
class PageRead(Message):
    """A page of a list of numbered things."""

    things: Sequence[Any]
    """Newest first."""
    next_before: int | None
    before: int | None
    """As it was asked for; None: the newest."""
    about: str
    """The model that the list was narrowed to when it was asked for; empty: all."""


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
