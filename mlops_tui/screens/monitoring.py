"""5 Monitoring: every model in production, those that ring first; enter opens one, a its alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.screens.listed import ListedScreen
from mlops_tui.view.cell import Cell
from mlops_tui.view.fleet import fleet_facts
from mlops_tui.view.monitoring_rows import (
    WATCHED_COLUMNS,
    WATCHED_ORDERS,
    watched_cells,
    watched_lines,
    watched_words,
)
from mlops_tui.view.welcome import welcome_lines
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.fleet import FleetRow

ROWS_EVERY_S = 5.0
"""Rows that come in are no events: they are asked for."""


class MonitoringScreen(ListedScreen["FleetRow"]):
    """The list of models."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("monitoring")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "monitoring.tcss"]
    mode = "monitoring"
    place: ClassVar[Where] = "monitoring"
    columns = WATCHED_COLUMNS
    orders: Mapping[str, Callable[[FleetRow], Any] | None] = WATCHED_ORDERS

    def on_mount(self) -> None:
        """Ask again now and then."""
        self.query_one("#told").display = False
        self.set_interval(ROWS_EVERY_S, self._ask_if_seen)

    def compose_body(self) -> Iterable[Any]:
        """The models, and all of what the one under the cursor waits for."""
        yield from super().compose_body()
        yield LinePane(id="told", hang=2)

    def show_rows(self) -> None:
        """Draw what passes."""
        super().show_rows()
        self._tell()

    @on(LineTable.Moved)
    def _tell(self) -> None:
        row, told = self.current(), self.query_one("#told", LinePane)
        told.set_lines([] if row is None else watched_lines(row, self.now()))
        if told.display != (row is not None):
            told.display = row is not None

    def _ask_if_seen(self) -> None:
        if self.is_current and self.engine_app.link.found:
            self.read()

    async def ask(self) -> Sequence[FleetRow]:
        """All models."""
        return (await self.engine_app.engine.fleet()).rows

    def key(self, thing: FleetRow) -> str:
        """Its name."""
        return thing.name

    def cells(self, thing: FleetRow) -> Mapping[str, Cell]:
        """A model's row."""
        return watched_cells(thing, self.now())

    def words(self, thing: FleetRow) -> str:
        """What a filter looks through."""
        return watched_words(thing, self.now())

    def nothing(self) -> Sequence[Cell]:
        """How a first model comes to be."""
        return welcome_lines()

    def narrow(self, about: str) -> None:
        """One model, on top."""
        self.open_watched(about)

    def subject(self, takes: Argument) -> str:
        """Of the model under the cursor; a version is the one that was judged last, as on Fleet."""
        row = self.current()
        if row is None:
            return ""
        if takes == "version":
            return row.name if row.gate_version is None else f"{row.name}@{row.gate_version}"
        if takes == "job":
            job_id = row.last_job_id if row.job_id is None else row.job_id
            return "" if job_id is None else str(job_id)
        return row.name if takes in ("model", "thing") else ""

    def do_why(self, argument: str) -> AwaitMount | None:
        """Of what serves; where nothing does, of the newest version."""
        row = self.current()
        if argument or row is None or row.champion is None:
            return super().do_why(argument)
        return super().do_why(f"{row.name}@{row.champion}")

    def do_open(self, _: str) -> AwaitMount | None:
        """Its columns, checks, alarms, performance and retrains."""
        row = self.current()
        return None if row is None else self.open_watched(row.name)

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one model's loop."""
        from mlops_tui.screens.describe import DescribeScreen

        row = self.current()
        if row is None:
            return None
        self.say(f"$ mlops show {row.name}")
        kinds: tuple[Argument, ...] = ("model", "version", "job")
        subjects = {kind: self.subject(kind) for kind in kinds}
        return self.app.push_screen(DescribeScreen(row.name, fleet_facts(row, self.now()), self.mode, subjects))
