"""What Models and Versions share: a list that comes whole, filtered and sorted here."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import on

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.messages import EngineFound, EventCame, ListRead
from mlops_tui.view.cell import Cell
from mlops_tui.view.columns import Column
from mlops_tui.view.link import Link
from mlops_tui.view.listed_rows import ListedRows
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

T = TypeVar("T")


class ListedScreen(ActingScreen, Generic[T]):
    """Read when it is opened, and again when something has happened."""

    columns: ClassVar[Sequence[Column]] = ()
    orders: Mapping[str, Callable[[T], Any] | None] = {"": None}
    """By name, in the order that `s` walks through; None: as the engine gives them."""

    def __init__(self, subtitle: str = "", mode: str = "") -> None:
        super().__init__(subtitle, mode)
        self.things: list[T] | None = None
        """None: not read yet."""
        self.order = next(iter(self.orders))
        self._began = False
        self._missed = False
        self._waiting = False

    @abstractmethod
    async def ask(self) -> Sequence[T]:
        """All of them, from the engine."""

    @abstractmethod
    def key(self, thing: T) -> Hashable:
        """What tells it from the others."""

    @abstractmethod
    def cells(self, thing: T) -> Mapping[str, Cell]:
        """Its row."""

    @abstractmethod
    def words(self, thing: T) -> str:
        """What a filter looks through, in lower case."""

    @abstractmethod
    def nothing(self) -> Sequence[Cell]:
        """What to do where there is none."""

    def concerns(self, message: EventCame) -> bool:
        """Whether an event may have changed something here."""
        return True

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
            self._begin_reading()

    @on(EngineFound)
    def _engine_found(self) -> None:
        self.read()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        if self.concerns(message):
            self.read()

    def on_screen_resume(self) -> None:
        """What happened while another screen was seen is read now."""
        if self._missed:
            self.read()

    def read(self) -> None:
        """Ask, soon; what happens in the meantime is one question, and nothing is asked unseen."""
        self._missed = not self.is_current
        if self.is_current and not self._waiting:
            self._waiting = True
            self.set_timer(self.engine_app.pace_s, self._begin_reading)

    def _begin_reading(self) -> None:
        self._waiting = False
        self.run_worker(self._read(), group="list", exclusive=True)

    async def _read(self) -> None:
        try:
            self.post_message(ListRead(await self.ask()))
        except EngineError as error:
            self.engine_app.tell_failure(error)

    @on(ListRead)
    def _list_read(self, message: ListRead) -> None:
        self.things = list(message.things)
        self.show_rows()

    def show_rows(self) -> None:
        """Draw what passes."""
        if self.things is None:
            return
        table, nothing = self.query_one(LineTable), self.query_one("#nothing", LinePane)
        empty = not self.things
        if empty:
            nothing.set_lines(self.nothing())
        if nothing.display != empty:
            table.display, nothing.display = not empty, empty
        table.show(ListedRows(self.rows(), self.key, self.cells), self.none_passes())
        self.refresh_place()

    def rows(self) -> list[T]:
        """What passes the filter, in order."""
        kept = [thing for thing in self.things or () if self.filter.keeps(self.words(thing))]
        by = self.orders[self.order]
        return kept if by is None else sorted(kept, key=by)

    def _tick(self) -> None:
        super()._tick()
        if self.is_current:
            self.show_rows()  # ages go on, also while nothing happens

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which row, of how many, filtered and sorted how."""
        total = len(self.rows())
        at = f"{min(self.query_one(LineTable).cursor + 1, total)}/{total}" if total else ""
        self.query_one(StatusBar).place = "  ".join(part for part in (at, self.filter.title, self.order) if part)

    def filter_changed(self) -> None:
        """Only rows that pass."""
        self.show_rows()

    def current(self) -> T | None:
        """The one under the cursor."""
        key = self.query_one(LineTable).key
        return next((thing for thing in self.things or () if self.key(thing) == key), None)

    def do_sort(self, _: str) -> None:
        """The next order."""
        names = list(self.orders)
        self.order = names[(names.index(self.order) + 1) % len(names)]
        self.show_rows()

    def do_copy(self, _: str) -> None:
        """The row as JSON."""
        thing = self.current()
        if thing is not None:
            self.engine_app.send_to_clipboard(self.as_json(thing))

    def as_json(self, thing: T) -> str:
        """What is copied of a row."""
        return str(thing.model_dump_json(indent=2))  # type: ignore[attr-defined]

    def shown_lines(self) -> list[str]:
        """The rows as text."""
        return ["\t".join(cell.text for cell in self.cells(thing).values()) for thing in self.rows()]
