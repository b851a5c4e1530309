"""What Jobs, Runs and Data share: a list of numbered things, of any length, of which only what is seen is asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel
from textual import on
from textual.timer import Timer

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.messages import EngineFound, EventCame, PageRead
from mlops_tui.view.cell import Cell
from mlops_tui.view.columns import Column
from mlops_tui.view.filter import Filter
from mlops_tui.view.link import Link
from mlops_tui.view.listed_rows import ListedRows
from mlops_tui.view.numbered_pages import PAGE, SEARCH_PAGE, Matches, NumberedPages, PagedRows
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

SEARCH_AFTER_S = 0.2
"""The whole list is looked through once nobody types any more."""

T = TypeVar("T", bound=BaseModel)


class NumberedScreen(ActingScreen, Generic[T]):
    """The whole list by number; or, with a filter or narrowed to one model, what passes, looked through from the
    newest down.
    """

    columns: ClassVar[Sequence[Column]] = ()
    noun: ClassVar[str] = ""
    """What one of them is called."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: NumberedPages[T] = self.new_pages()
        self.matches: Matches[T] | None = None
        self.about = ""
        """The one model it is narrowed to."""
        self._began = False
        self._missed = False
        self._waiting = False
        self._search: Timer | None = None
        self._asking: set[int | None] = set()

    @abstractmethod
    async def ask(self, limit: int, before: int | None) -> tuple[Sequence[T], int | None]:
        """A page from the engine, newest first, of `self.about` where it is set; and its `next_before`."""

    @abstractmethod
    def cells(self, thing: T) -> Mapping[str, Cell]:
        """Its row."""

    @abstractmethod
    def words(self, thing: T) -> str:
        """What a filter looks through, in lower case."""

    @abstractmethod
    def nothing(self) -> Sequence[Cell]:
        """What to do where there is none."""

    def spoiled(self, message: EventCame) -> Iterable[int]:
        """Numbers of those that an event has changed."""
        return ()

    def new_pages(self) -> NumberedPages[T]:
        """An empty list."""
        return NumberedPages()

    def compose_body(self) -> Iterable[Any]:
        """The table, and what to do where there is nothing."""
        yield LineTable(self.columns)
        yield LinePane(id="nothing")

    def on_mount(self) -> None:
        """Read as soon as there is an engine."""
        self.query_one("#nothing").display = False

    def _link_changed(self, link: Link) -> None:
        super()._link_changed(link)
        if link.found and not self._began:
            self._began = True
            self._ask_page(None)

    @on(EngineFound)
    def _engine_found(self) -> None:
        self.pages.spoil(None)
        self.read()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        for number in self.spoiled(message):
            self.pages.spoil(number)
        self.read()

    def on_screen_resume(self) -> None:
        """What happened while another screen was seen is read now."""
        if self._missed:
            self.read()

    @on(LineTable.Missing)
    def _rows_missing(self) -> None:
        self._fill()

    def narrow(self, about: str) -> None:
        """Show those of one model only; empty: of all."""
        if about != self.about:
            self.about = about
            self.pages = self.new_pages()
            self._begin_search()
            self._ask_page(None)

    def do_back(self, argument: str) -> Any:
        """A filter is cleared first, then the narrowing; then one level back."""
        if self.filter.is_empty and self.about:
            self.narrow("")
            return None
        return super().do_back(argument)

    def read(self) -> None:
        """Ask for the newest, soon; what happens in the meantime is one question, and nothing is asked unseen."""
        self._missed = not self.is_current
        if self.is_current and not self._waiting:
            self._waiting = True
            self.set_timer(self.engine_app.pace_s, self._begin_reading)

    def _begin_reading(self) -> None:
        self._waiting = False
        self._ask_page(None)

    def _fill(self) -> None:
        """Ask for what is on the screen and not here."""
        if self.matches is not None:
            if not self.matches.is_done:
                self._ask_page(self.matches.looked_down_to)
            return
        before = self.pages.wanted(self.query_one(LineTable).visible_rows())
        if before is not None:
            self._ask_page(before)

    def _ask_page(self, before: int | None) -> None:
        if before not in self._asking:
            self._asking.add(before)
            self.run_worker(self._read(before, self.about), group=self.noun)

    async def _read(self, before: int | None, about: str) -> None:
        try:
            things, next_before = await self.ask(PAGE if self.matches is None else SEARCH_PAGE, before)
        except EngineError as error:
            self.engine_app.tell_failure(error)
        else:
            self.post_message(PageRead(things, next_before, before, about))
        finally:
            self._asking.discard(before)

    @on(PageRead)
    def _page_read(self, message: PageRead) -> None:
        if message.about != self.about:
            self._ask_page(None)  # asked for before it was narrowed
            return
        was_empty = not len(self.pages)
        self.pages.add(message.things, message.next_before, message.before)
        if was_empty and not self.filter.is_empty and not self.about:
            self._begin_search()
        found = self.matches is None or self.matches.add(message.things, message.next_before, message.before)
        if found or message.before is None or (self.matches is not None and self.matches.is_done):
            self.show_rows()
        else:
            self.refresh_place()
        self._fill()

    def show_rows(self) -> None:
        """Draw what is here."""
        table, nothing = self.query_one(LineTable), self.query_one("#nothing", LinePane)
        empty = self._is_empty()
        if empty:
            nothing.set_lines(self.nothing())
        if nothing.display != empty:
            table.display, nothing.display = not empty, empty
        if self.matches is None:
            table.show(PagedRows(self.pages, self.cells, self._nobody))
        else:
            found = ListedRows(self.listed(self.matches.newest_first()), self.pages.number, self.cells)
            table.show(found, self.none_passes() if self.matches.is_done else "")
        self.refresh_place()

    def _is_empty(self) -> bool:
        if self.about and self.matches is not None:
            return self.matches.is_done and self.filter.is_empty and not self.matches.newest_first()
        return self._began and not len(self.pages)

    def _nobody(self, number: int) -> Mapping[str, Cell]:
        first, last = self.columns[0].name, self.columns[-1].name
        return {first: Cell(str(number), "dim", right=True), last: Cell(f"no such {self.noun}", "dim")}

    def _tick(self) -> None:
        super()._tick()
        if self.is_current and len(self.pages):
            self.show_rows()

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which one, of how many; how far a filter has looked."""
        table = self.query_one(LineTable)
        if self.matches is None:
            total, looked = len(self.pages), ""
        else:
            total, looked = len(self.matches.newest_first()), self._looked(self.matches)
        at = f"{min(table.cursor + 1, total)}/{total}" if total else ""
        order = self.order_title() if self.matches is None or self.about else ""
        of = f"of {self.about}" if self.about else ""
        self.query_one(StatusBar).place = "  ".join(
            part for part in (at, of, f"{self.filter.title}{looked}", order) if part
        )

    def order_title(self) -> str:
        """How it is sorted."""
        return "oldest first" if self.pages.oldest_first else "newest first"

    def listed(self, newest_first: list[T]) -> list[T]:
        """What a filter or the narrowing has found, in the order it is drawn."""
        return newest_first

    def _looked(self, matches: Matches[T]) -> str:
        if matches.is_done or matches.looked_down_to is None:
            return ""
        if self.about:
            return ", looking further" if matches.filter.title else "looking further"
        return f", looked through {max(self.pages.newest - matches.looked_down_to + 1, 0)} of {self.pages.newest}"

    def filter_changed(self) -> None:
        """Look through what is here at once, then through the rest."""
        self._begin_search()
        self.show_rows()
        if self._search is not None:
            self._search.stop()
        self._search = self.set_timer(SEARCH_AFTER_S, self._fill)

    def _begin_search(self) -> None:
        if self.filter.is_empty and not self.about:
            self.matches = None
            return
        self.matches = self._matches(self.filter)
        for thing in self.pages.all_here():
            self.matches.put(thing)

    def _matches(self, wanted: Filter) -> Matches[T]:
        newest = None if self.about else self.pages.newest
        return Matches(wanted, self.words, newest, number=self.pages.number)

    def current(self) -> T | None:
        """The one under the cursor, when it has come."""
        key = self.query_one(LineTable).key
        return self.pages.get(key) if isinstance(key, int) else None

    def do_sort(self, _: str) -> None:
        """Newest or oldest first."""
        self.pages.oldest_first = not self.pages.oldest_first
        self.show_rows()
        self._fill()

    def do_copy(self, _: str) -> None:
        """The row as JSON."""
        thing = self.current()
        if thing is not None:
            self.engine_app.send_to_clipboard(thing.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The rows on the screen, or all that pass a filter, as text."""
        if self.matches is not None:
            shown = self.listed(self.matches.newest_first())
        else:
            numbers = [self.pages.number_at(at) for at in self.query_one(LineTable).visible_rows()]
            shown = [thing for number in numbers if (thing := self.pages.get(number)) is not None]
        return ["\t".join(cell.text for cell in self.cells(thing).values()) for thing in shown]
