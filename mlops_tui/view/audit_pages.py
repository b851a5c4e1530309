"""The audit chain, of any length, of which only what was looked at is here.

Events are numbered from 1 on without a gap and never change, so the place of one in the whole list follows from its
number, and what was read once is never asked for again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mlops_tui.view.audit import audit_cells, no_event_cells
from mlops_tui.view.cell import Cell

if TYPE_CHECKING:
    from engine.wire.events import EventList, EventView

PAGE = 200
"""Events asked for at once."""
MOST_KEPT = 10_000
"""Events kept; what was looked at longest ago leaves first, and is asked for again when it is looked at."""


class AuditPages:
    """The whole chain, newest or oldest first."""

    def __init__(self) -> None:
        self.newest = 0
        """Number of the newest event in the list. Those that have come since are in it after `take_in`: a row must not
        move under the cursor before it is drawn where it is."""
        self._come = 0
        self.oldest_first = False
        self._events: OrderedDict[int, EventView] = OrderedDict()
        self._missing: set[int] = set()

    def __len__(self) -> int:
        return self.newest

    def add(self, page: EventList, before: int | None) -> None:
        """A page that was asked for: the events below `before`; None: the newest there are."""
        for event in page.events:
            self.put(event)
        highest = before - 1 if before is not None else max((event.seq for event in page.events), default=0)
        lowest = 1 if page.next_before is None else page.events[0].seq
        # A page's worth, and no more: a cut that is wider than a page shows as one wherever it is looked at.
        asked = range(max(lowest, highest - PAGE + 1), highest + 1)
        self._missing |= {seq for seq in asked if seq not in self._events}

    def put(self, event: EventView) -> None:
        """One event."""
        self._events[event.seq] = event
        self._missing.discard(event.seq)
        self._come = max(self._come, event.seq)
        while len(self._events) > MOST_KEPT:
            self._events.popitem(last=False)

    def grow_to(self, newest: int) -> None:
        """There are as many, whether they are here or not."""
        self._come = max(self._come, newest)

    def take_in(self) -> None:
        """What has come is in the list from now on."""
        self.newest = self._come

    def get(self, seq: int) -> EventView | None:
        """An event that is here."""
        return self._events.get(seq)

    def is_missing(self, seq: int) -> bool:
        """The engine was asked for it and has none."""
        return seq in self._missing

    def wanted(self, rows: range) -> int | None:
        """What to ask for so that these rows can be drawn, as `before`; None: all are here."""
        absent = [seq for at in rows if (seq := self.seq_at(at)) not in self._events and seq not in self._missing]
        if not absent:
            return None
        if not self.oldest_first:
            return max(absent) + 1
        # Scrolled downwards the numbers grow: ask for the page that begins with the first that is absent.
        return min(min(absent) + PAGE, self.newest + 1)

    def seq_at(self, index: int) -> int:
        """The number of the event in a row."""
        return index + 1 if self.oldest_first else self.newest - index

    def row_of(self, seq: int) -> int:
        """The row of an event."""
        return seq - 1 if self.oldest_first else self.newest - seq


class FoundEvents:
    """What passes a filter, as far as it was asked for, newest first."""

    def __init__(self, matching: str) -> None:
        self.matching = matching
        self.events: list[EventView] = []
        self.next_before: int | None = None
        self.is_begun = False
        self._here: set[int] = set()

    @property
    def is_done(self) -> bool:
        """All that pass are here."""
        return self.is_begun and self.next_before is None

    @property
    def newest(self) -> int:
        """Number of the newest that passes; 0: none so far."""
        return self.events[0].seq if self.events else 0

    def add_earlier(self, page: EventList) -> None:
        """The first page, or the one below the last."""
        self.is_begun = True
        self.next_before = page.next_before
        self.events += self._unknown(page)

    def add_newer(self, page: EventList) -> None:
        """What has happened since."""
        self.events[:0] = self._unknown(page)

    def _unknown(self, page: EventList) -> list[EventView]:
        fresh = [event for event in reversed(page.events) if event.seq not in self._here]
        self._here |= {event.seq for event in fresh}
        return fresh


class PagedEvents:
    """The whole chain as the table reads it."""

    def __init__(self, pages: AuditPages, now: datetime) -> None:
        self._pages = pages
        self._now = now

    def __len__(self) -> int:
        return len(self._pages)

    def cells(self, index: int) -> Mapping[str, Cell] | None:
        """An event's cells."""
        seq = self._pages.seq_at(index)
        event = self._pages.get(seq)
        if event is not None:
            return audit_cells(event, self._now)
        return no_event_cells(seq) if self._pages.is_missing(seq) else None

    def key(self, index: int) -> int | None:
        """The event's number."""
        return self._pages.seq_at(index) if index < len(self._pages) else None

    def index_of(self, key: Hashable) -> int | None:
        """Where the event stands now."""
        return self._pages.row_of(key) if isinstance(key, int) and 1 <= key <= self._pages.newest else None


class ListedEvents:
    """What passes a filter, as the table reads it; one more row stands for those that were not asked for yet."""

    def __init__(self, events: Sequence[EventView], more: bool, now: datetime) -> None:
        self._events = events
        self._more = more
        self._now = now
        self._index = {event.seq: at for at, event in enumerate(events)}

    def __len__(self) -> int:
        return len(self._events) + self._more

    def cells(self, index: int) -> Mapping[str, Cell] | None:
        """An event's cells."""
        return audit_cells(self._events[index], self._now) if index < len(self._events) else None

    def key(self, index: int) -> int | None:
        """The event's number."""
        return self._events[index].seq if index < len(self._events) else None

    def index_of(self, key: Hashable) -> int | None:
        """Where the event stands now."""
        return self._index.get(key) if isinstance(key, int) else None
