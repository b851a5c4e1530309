"""1 Fleet: every model with its whole loop; what needs a person stands on top."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.reactive import reactive
from textual.widget import AwaitMount

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EngineFound, EventCame, FleetRead, ProgressCame
from mlops_tui.view.cell import Cell
from mlops_tui.view.fleet import (
    FLEET_COLUMNS,
    FLEET_ORDERS,
    fleet_cells,
    fleet_facts,
    fleet_words,
    needs_lines,
)
from mlops_tui.view.link import Link
from mlops_tui.view.welcome import welcome_lines
from mlops_tui.widgets.band import Band
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.fleet import Fleet, FleetRow

TRAFFIC_EVERY_S = 5.0
"""Figures of traffic are no events: they are asked for."""


class FleetRows:
    """A fleet as the table reads it."""

    def __init__(self, rows: Sequence[FleetRow], now: datetime) -> None:
        self._rows = rows
        self._now = now
        self._index = {row.name: at for at, row in enumerate(rows)}

    def __len__(self) -> int:
        return len(self._rows)

    def cells(self, index: int) -> Mapping[str, Cell]:
        """A model's cells."""
        return fleet_cells(self._rows[index], self._now)

    def key(self, index: int) -> str | None:
        """The model's name."""
        return self._rows[index].name if index < len(self._rows) else None

    def index_of(self, key: Hashable) -> int | None:
        """Where the model stands now."""
        return self._index.get(str(key))


class FleetScreen(ActingScreen):
    """The home screen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("fleet")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "fleet.tcss"]
    mode = "fleet"
    place: ClassVar[Where] = "fleet"

    fleet: reactive[Fleet | None] = reactive(None)
    """None: not read yet."""
    order: reactive[str] = reactive("what needs you")

    def __init__(self) -> None:
        super().__init__()
        self._reading = False

    def compose_body(self) -> Iterable[Any]:
        """What needs somebody, the table, and the first steps where there is nothing."""
        yield Band(id="needs")
        yield LineTable(FLEET_COLUMNS, id="fleet")
        yield LinePane(welcome_lines(), id="welcome")

    def on_mount(self) -> None:
        """Read as soon as there is an engine, and again when something has happened."""
        self.query_one("#welcome").display = False
        self.set_interval(TRAFFIC_EVERY_S, self._read_if_seen)

    def _link_changed(self, link: Link) -> None:
        super()._link_changed(link)
        if link.found and self.fleet is None:
            self._begin_reading()  # the first paint that is of use waits for nothing

    @on(EngineFound)
    def _engine_found(self) -> None:
        if self.fleet is not None:
            self._something_happened()

    @on(EventCame)
    def _something_happened(self) -> None:
        if self.is_current or self.fleet is None:
            self.read()  # else it is read when it is seen again

    @on(ProgressCame)
    def _progress_came(self, message: ProgressCame) -> None:
        progress = message.progress
        if self.fleet is None or progress.fraction is None:
            return
        rows = [
            row.model_copy(update={"train_status": "running", "train_fraction": progress.fraction})
            if row.job_id == progress.job_id
            else row
            for row in self.fleet.rows
        ]
        self.fleet = self.fleet.model_copy(update={"rows": rows})

    def on_screen_resume(self) -> None:
        """It may have changed while another screen was seen."""
        self._read_if_seen()

    def read(self) -> None:
        """Ask for the fleet, soon; what happens in the meantime is one question."""
        if not self._reading:
            self._reading = True
            self.set_timer(self.engine_app.pace_s, self._begin_reading)

    def _begin_reading(self) -> None:
        self._reading = False
        self.run_worker(self._read(), group="fleet", exclusive=True)

    def _read_if_seen(self) -> None:
        if self.is_current and self.engine_app.link.found:
            self.read()

    async def _read(self) -> None:
        try:
            self.post_message(FleetRead(await self.engine_app.engine.fleet()))
        except EngineError as error:
            self.engine_app.tell_failure(error)

    @on(FleetRead)
    def _fleet_read(self, message: FleetRead) -> None:
        self.fleet = message.fleet

    def watch_fleet(self, fleet: Fleet | None) -> None:
        """Draw it."""
        if fleet is None:
            return
        empty = not fleet.rows
        table, welcome = self.query_one(LineTable), self.query_one("#welcome", LinePane)
        if welcome.display != empty or table.display == empty:
            table.display, welcome.display = not empty, empty
        self._show_needs()
        self._show_rows()

    def _show_needs(self) -> None:
        needs = needs_lines(
            self.fleet.rows if self.fleet else (), 3 if self.size.height >= 24 else 1, self.size.width - 2
        )
        self.query_one(Band).show(needs, max(self.size.width - 2, 1))

    def on_resize(self) -> None:
        """As much of what needs somebody as there is room for."""
        self._show_needs()

    def _tick(self) -> None:
        super()._tick()
        if self.is_current and self.fleet is not None:
            self._show_rows()  # ages go on, also while nothing happens

    def watch_order(self) -> None:
        """Draw in another order."""
        if self.fleet is not None:
            self._show_rows()

    def filter_changed(self) -> None:
        """Only rows that pass."""
        if self.fleet is not None:
            self._show_rows()

    def rows(self) -> list[FleetRow]:
        """What passes the filter, in order."""
        rows = list(self.fleet.rows) if self.fleet else []
        kept = [row for row in rows if self.filter.keeps(fleet_words(row))]
        by = FLEET_ORDERS[self.order]
        return kept if by is None else sorted(kept, key=by)

    def _show_rows(self) -> None:
        self.query_one(LineTable).show(FleetRows(self.rows(), self.now()), self.none_passes())
        self.refresh_place()

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which row, of how many, filtered and sorted how."""
        rows = self.rows()
        at = self.query_one(LineTable).cursor + 1
        parts = [f"{min(at, len(rows))}/{len(rows)}" if rows else "", self.filter.title, f"by {self.order}"]
        self.query_one(StatusBar).place = "  ".join(part for part in parts if part) if self.fleet else ""

    def current(self) -> FleetRow | None:
        """The model under the cursor."""
        key = self.query_one(LineTable).key
        return next((row for row in self.rows() if row.name == key), None)

    def subject(self, takes: Argument) -> str:
        """Of the model under the cursor."""
        row = self.current()
        if row is None:
            return ""
        if takes == "version":
            return row.name if row.gate_version is None else f"{row.name}@{row.gate_version}"
        if takes == "job":
            job_id = row.job_id if row.job_id is not None else row.last_job_id
            return "" if job_id is None else str(job_id)
        return row.name if takes == "model" else ""

    def choices(self, takes: Argument) -> Sequence[str]:
        """Models and their newest versions."""
        rows = self.fleet.rows if self.fleet else []
        if takes == "version":
            return [f"{row.name}@{row.gate_version}" for row in rows if row.gate_version is not None]
        if takes == "job":
            return [str(row.job_id) for row in rows if row.job_id is not None]
        return [row.name for row in rows] if takes == "model" else []

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one model."""
        from mlops_tui.screens.describe import DescribeScreen

        row = self.current()
        if row is None:
            return None
        self.say(f"$ mlops show {row.name}")
        kinds: tuple[Argument, ...] = ("model", "version", "job")
        subjects = {kind: self.subject(kind) for kind in kinds}
        return self.app.push_screen(DescribeScreen(row.name, fleet_facts(row, self.now()), self.mode, subjects))

    def do_open(self, argument: str) -> AwaitMount | None:
        """Its alarm, where one asks for somebody; else all of it."""
        row = self.current()
        return self.open_alarm(row.name) if row is not None and row.open_alarms else self.do_describe(argument)

    def do_sort(self, _: str) -> None:
        """The next order."""
        orders = list(FLEET_ORDERS)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]

    def do_copy(self, _: str) -> None:
        """The row as JSON."""
        row = self.current()
        if row is not None:
            self.engine_app.send_to_clipboard(row.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The fleet as text."""
        names = [column.name for column in FLEET_COLUMNS if column.name != "asks"]  # `needs` says it in words
        shown = [fleet_cells(row, self.now()) for row in self.rows()]
        return ["\t".join(names)] + ["\t".join(cells[name].text for name in names) for cells in shown]
