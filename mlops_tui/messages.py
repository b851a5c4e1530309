"""What has happened, as messages: posted by the feed and by screens' workers, handled with `@on`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from engine.errors import EngineError
    from engine.wire.about import About
    from engine.wire.endpoints import DeploymentList, EndpointList, EndpointView, ReleasePreview
    from engine.wire.events import EventList, EventView, Progress
    from engine.wire.fleet import Fleet
    from engine.wire.jobs import JobView, LogPage
    from engine.wire.looks import LookView
    from engine.wire.models import VersionView
    from engine.wire.monitoring import AlarmView, CheckView, DriftView, PerformanceView, RetrainView, WhyView
    from engine.wire.projects import AddedProject
    from engine.wire.runs import RunView, SnapshotProfile, SnapshotView
    from mlops_tui.view.cell import Cell
    from mlops_tui.view.curves import Curves
    from mlops_tui.view.files import Listing


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
class EndpointsRead(Message):
    """All endpoints."""

    found: EndpointList


@dataclass
class EndpointRead(Message):
    """One endpoint, and all that ever was behind it."""

    endpoint: EndpointView
    history: DeploymentList


@dataclass
class CurlMade(Message):
    """A line that asks an endpoint."""

    line: str


@dataclass
class EventsRead(Message):
    """A page of the audit chain."""

    page: EventList
    matching: str
    """The filter it was asked for with; empty: all events."""
    before: int | None
    after: int | None
    """As it was asked for."""


@dataclass
class ListRead(Message):
    """A list that came whole."""

    things: Sequence[Any]


@dataclass
class VersionRead(Message):
    """A version as it is now."""

    version: VersionView


@dataclass
class PreviewRead(Message):
    """What an order about a release would change."""

    preview: ReleasePreview


@dataclass
class PreviewFailed(Message):
    """What it would change could not be asked."""

    error: EngineError


@dataclass
class CallerKnown(Message, bubble=False):
    """As whom the engine sees whoever sits here."""

    caller: About


@dataclass
class SnapshotRead(Message):
    """A snapshot and the one before it of the same data, with their profiles where they can be read."""

    snapshot: SnapshotView
    profile: SnapshotProfile | None
    before: SnapshotView | None
    profile_before: SnapshotProfile | None


@dataclass
class RunRead(Message):
    """A run with its candidates and curves, as they are now."""

    run: RunView
    curves: Curves
    version: VersionView | None
    """What came of it; None: nothing yet."""


@dataclass
class WatchedRead(Message):
    """A model in production: its newest check and alarms, and a page of what is looked at."""

    drift: DriftView
    alarms: Sequence[AlarmView]
    pane: str
    things: Sequence[Any]
    next_before: int | None
    before: int | None
    """As it was asked for; None: the newest."""


@dataclass
class AlarmRead(Message):
    """An alarm with what it is about and what came of it; None: there is none, or it is not known."""

    alarm: AlarmView | None
    drift: DriftView | None = None
    performance: PerformanceView | None = None
    retrain: RetrainView | None = None
    version: VersionView | None = None
    others: Sequence[AlarmView] = ()
    """What else is not closed about the model."""


@dataclass
class CheckRead(Message):
    """One check, column by column."""

    check: CheckView


@dataclass
class WhyRead(Message):
    """How a version came to be."""

    why: WhyView


@dataclass
class FolderRead(Message):
    """What is in a folder of the server."""

    listing: Listing
    came_from: str
    """The folder in it that was left for it; empty: none."""


@dataclass
class LookMoved(Message):
    """A look at data goes on."""

    job: JobView


@dataclass
class LookEnded(Message):
    """What was seen."""

    look: LookView


@dataclass
class LookFailed(Message):
    """A step of adding a project could not be done."""

    error: EngineError


@dataclass
class FileWritten(Message):
    """The project's file is there."""


@dataclass
class ProjectAdded(Message):
    """The engine knows it."""

    added: AddedProject


@dataclass
class TrainingBegun(Message):
    """A job trains a new project."""

    job_id: int


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
    waits: bool = False
    """Taken, and not begun: something stands before it."""


@dataclass
class Verified(Message):
    """A verification is over."""

    line: str
    found: Cell | None
    """What it came to; None: it could not be done, which `ActionFailed` tells."""


@dataclass
class ActionFailed(Message):
    """The engine did not do what was asked, or could not be asked."""

    line: str
    error: EngineError
