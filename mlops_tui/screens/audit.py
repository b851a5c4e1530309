"""8 Audit: who did what, when, on what evidence; and whether everything is still as it was written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.timer import Timer
from textual.widget import AwaitMount

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EngineFound, EventCame, EventsRead
from mlops_tui.view.audit import AUDIT_COLUMNS, audit_cells
from mlops_tui.view.audit_pages import PAGE, AuditPages, FoundEvents, ListedEvents, PagedEvents
from mlops_tui.view.cell import Cell
from mlops_tui.view.link import Link
from mlops_tui.view.times import exact
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.events import EventView

SEARCH_AFTER_S = 0.2
"""The engine is asked once nobody types any more."""

_NOTHING = (
    Cell("Nothing has happened yet.", "strong"),
    Cell("`mlops add DIR` registers a project; that, and all that follows, is written here."),
)
_NONE_PASSES = (
    Cell("No event passes this filter.", "strong"),
    Cell("who:ada what:approved model:fraud to:fraud@3 and plain words; all must occur, ! in front turns it round."),
    Cell("esc clears it."),
)


def subject_of(event: EventView | None, takes: Argument) -> str:
    """What an event is about, as the argument of a command."""
    if event is None:
        return ""
    if takes == "version":
        return event.subject if "@" in event.subject else ""
    if takes == "job":
        return event.subject.removeprefix("job ") if event.subject.startswith("job ") else ""
    return event.project or "" if takes == "model" else ""


class AuditScreen(ActingScreen):
    """The whole chain, of any length; what a filter lets pass is looked for by the engine."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("audit")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "audit.tcss"]
    mode = "audit"
    place: ClassVar[Where] = "audit"
    notes: ClassVar[Sequence[str]] = (
        "/who:ada what:approved model:fraud to:fraud@3 and plain words: all must occur.",
        "Each event carries the hash of the one before, so none can be changed unseen.",
    )

    def __init__(self) -> None:
        super().__init__()
        self.pages = AuditPages()
        self.found: FoundEvents | None = None
        self._read_once = False
        self._drawn = True
        self._search: Timer | None = None
        self._asking: set[tuple[str, int | None, int | None]] = set()

    def compose_body(self) -> Iterable[Any]:
        """The table, and what to do where there is nothing."""
        yield LineTable(AUDIT_COLUMNS, id="audit")
        yield LinePane(_NOTHING, id="nothing")

    def on_mount(self) -> None:
        """Empty is said only once it is known."""
        self.query_one("#nothing").display = False

    def _link_changed(self, link: Link) -> None:
        super()._link_changed(link)
        if link.found and not self._read_once:
            self._ask_page(None)

    @on(EngineFound)
    def _engine_found(self, message: EngineFound) -> None:
        self.pages.grow_to(message.after)
        self._draw_soon()
        self._fill()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        self.pages.put(message.event)
        self._draw_soon()

    def _draw_soon(self) -> None:
        """What comes in the meantime is drawn at once."""
        if self._drawn:
            self._drawn = False
            self.set_timer(self.engine_app.pace_s, self._draw)

    def _draw(self) -> None:
        self._drawn = True
        if self.found is not None and self.found.is_begun and self.is_current:
            self._ask_newer(self.found)
        if self.is_current:
            self._show()

    def on_screen_resume(self) -> None:
        """It may have grown while another screen was seen."""
        if self._read_once:
            self._draw_soon()

    @on(LineTable.Missing)
    def _rows_missing(self) -> None:
        self._fill()

    def _fill(self) -> None:
        """Ask for what is on the screen and not here."""
        if not self.engine_app.link.found:
            return
        rows = self.query_one(LineTable).visible_rows()
        if self.found is not None:
            if not self.found.is_begun or (not self.found.is_done and rows.stop > len(self.found.events)):
                self._ask_page(self.found.next_before)
            return
        before = self.pages.wanted(rows)
        if before is not None:
            self._ask_page(before)

    def _ask_page(self, before: int | None) -> None:
        self._begin(self.found, before, None)

    def _ask_newer(self, found: FoundEvents) -> None:
        self._begin(found, None, found.newest)

    def _begin(self, found: FoundEvents | None, before: int | None, after: int | None) -> None:
        asked = (found.matching if found else "", before, after)
        if asked not in self._asking:
            self._asking.add(asked)
            self.run_worker(self._read(*asked), group="audit")

    async def _read(self, matching: str, before: int | None, after: int | None) -> None:
        engine = self.engine_app.engine
        try:
            page = await engine.events(
                limit=PAGE, newest=True, before=before, after=after, matching=matching or None
            )  # fmt: skip
        except EngineError as error:
            self.engine_app.tell_failure(error)
        else:
            self.post_message(EventsRead(page, matching, before, after))
        finally:
            self._asking.discard((matching, before, after))

    @on(EventsRead)
    def _events_read(self, message: EventsRead) -> None:
        found = self.found
        if not message.matching:
            self._read_once = True
            self.pages.add(message.page, message.before)
        elif found is not None and found.matching == message.matching:
            if message.after is None:
                found.add_earlier(message.page)
            else:
                found.add_newer(message.page)
        self._show()

    def _show(self) -> None:
        table, nothing = self.query_one(LineTable), self.query_one("#nothing", LinePane)
        source: PagedEvents | ListedEvents
        if self.found is None:
            self.pages.take_in()
            source = PagedEvents(self.pages, self.now())
            empty = self._read_once and not len(self.pages)
        else:
            source = ListedEvents(self.found.events, not self.found.is_done, self.now())
            empty = self.found.is_done and not self.found.events
        if empty:
            nothing.set_lines(_NOTHING if self.found is None else _NONE_PASSES)
        if nothing.display != empty:
            table.display, nothing.display = not empty, empty
        table.show(source)
        self.refresh_place()

    def _tick(self) -> None:
        super()._tick()
        if self.is_current and self._read_once:
            self._show()  # ages go on, also while nothing happens

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which event, of how many."""
        at = self.query_one(LineTable).cursor + 1
        if self.found is None:
            total, more = len(self.pages), ""
            told = "oldest first" if self.pages.oldest_first else "newest first"
        else:
            total, more = len(self.found.events), "" if self.found.is_done else "+"
            told = self.filter.title
        place = f"{min(at, total)}/{total}{more}" if total else ""
        self.query_one(StatusBar).place = "  ".join(part for part in (place, told) if part)

    def filter_changed(self) -> None:
        """Let the engine look, once nobody types any more."""
        self.found = None if self.filter.is_empty else FoundEvents(self.filter.text.strip())
        if self._search is not None:
            self._search.stop()
        if self.found is None:
            self._show()
        else:
            self._search = self.set_timer(SEARCH_AFTER_S, self._begin_search)

    def _begin_search(self) -> None:
        self._show()
        self._fill()

    def narrow(self, about: str) -> None:
        """Only what concerns one model."""
        self._set_filter(f"model:{about}" if about else "")

    def current(self) -> EventView | None:
        """The event under the cursor, when it has come."""
        key = self.query_one(LineTable).key
        if not isinstance(key, int):
            return None
        if self.found is None:
            return self.pages.get(key)
        return next((event for event in self.found.events if event.seq == key), None)

    def subject(self, takes: Argument) -> str:
        """Of the event under the cursor."""
        return subject_of(self.current(), takes)

    def do_open(self, _: str) -> AwaitMount | None:
        """One event whole, with its evidence."""
        from mlops_tui.screens.audit_event import AuditEventScreen

        event = self.current()
        if event is None:
            return None
        self.say(f"$ mlops audit --before {event.seq + 1} --limit 1 --json")
        return self.app.push_screen(AuditEventScreen(event))

    do_describe = do_open

    def do_sort(self, _: str) -> None:
        """Newest or oldest first; what passes a filter is newest first always."""
        if self.found is not None:
            self.say("What passes a filter stands newest first.")
            return
        self.pages.oldest_first = not self.pages.oldest_first
        self._show()
        self._fill()

    def do_copy(self, _: str) -> None:
        """The event as JSON."""
        event = self.current()
        if event is not None:
            self.engine_app.send_to_clipboard(event.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The rows on the screen, or all that pass a filter and are here, as text, each with its exact time."""
        if self.found is not None:
            events: Sequence[EventView] = self.found.events
        else:
            rows = self.query_one(LineTable).visible_rows()
            events = [event for at in rows if (event := self.pages.get(self.pages.seq_at(at))) is not None]
        shown = [audit_cells(event, self.now()) | {"when": Cell(exact(event.at))} for event in events]
        return ["\t".join(cell.text for cell in cells.values()) for cells in shown]
