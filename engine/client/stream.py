"""The event stream as a client sees it: events in order, none lost, none twice, across engine restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.wire.events import EventView, Progress

if TYPE_CHECKING:
    from httpx_sse import ServerSentEvent

STREAM_PATH = "/v1/events/stream"
SILENCE_S = 45.0
"""The engine says something every 15 s; after three of those it is taken for gone."""


@dataclass(frozen=True)
class Connected:
    """The stream stands (again); what follows are the events after `after`."""

    after: int


News = Connected | EventView | Progress


class Bookmark:
    """Where a stream is, so that it goes on there after a break."""

    def __init__(self, after: int | None) -> None:
        self.after = after

    def params(self) -> dict[str, str]:
        """None yet: from now on."""
        return {} if self.after is None else {"after": str(self.after)}

    def read(self, sent: ServerSentEvent) -> News | None:
        """One message; None for one that a newer engine sends and this client does not know."""
        if sent.event == "progress":
            return Progress.model_validate_json(sent.data)
        if sent.event == "connected":
            self.after = int(sent.id)
            return Connected(self.after)
        if sent.event == "event":
            event = EventView.model_validate_json(sent.data)
            self.after = event.seq
            return event
        return None
