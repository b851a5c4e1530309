"""One endpoint: its address, routes and traffic; every deployment there ever was, above its model servers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.reactive import reactive
from textual.widget import AwaitMount

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EndpointRead
from mlops_tui.screens.deployments_reading import DeploymentsReading
from mlops_tui.view.deployments import (
    DEPLOYMENT_COLUMNS,
    Served,
    deployment_facts,
    endpoint_lines,
    served_cells,
    served_rows,
    served_words,
)
from mlops_tui.view.listed_rows import ListedRows
from mlops_tui.widgets.band import Band
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.endpoints import DeploymentView, EndpointView

HISTORY = 200
"""Deployments asked for, the newest; older ones are in the audit (8)."""


class EndpointScreen(DeploymentsReading):
    """Deployments, the newest first; those that are over stand among them."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("endpoint")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "deployments.tcss"]
    place: ClassVar[Where] = "endpoint"
    group = "endpoint"

    endpoint: reactive[EndpointView | None] = reactive(None, init=False)
    oldest_first: reactive[bool] = reactive(False, init=False)

    def __init__(self, endpoint: EndpointView) -> None:
        super().__init__(endpoint.name)
        self.set_reactive(EndpointScreen.endpoint, endpoint)
        self._endpoint_name = endpoint.name
        self._history: list[DeploymentView] = list(endpoint.deployments)
        self._more = False

    def compose_body(self) -> Iterable[Any]:
        """What is under way, and the table."""
        yield Band(id="about")
        yield LineTable(DEPLOYMENT_COLUMNS, id="deployments")

    def on_mount(self) -> None:
        """Draw what the list knew, until more is read."""
        self._show()

    async def ask(self) -> None:
        """The endpoint, and all that ever was behind it."""
        endpoint = await self.engine_app.engine.endpoint(self._endpoint_name)
        history = await self.engine_app.engine.deployments(self._endpoint_name, limit=HISTORY)
        self.post_message(EndpointRead(endpoint, history))

    @on(EndpointRead)
    def _endpoint_read(self, message: EndpointRead) -> None:
        self._history, self._more = message.history.deployments, message.history.next_before is not None
        self.endpoint = message.endpoint
        self._show()

    def watch_oldest_first(self) -> None:
        """Draw in the other order."""
        self._show()

    def filter_changed(self) -> None:
        """Only deployments that pass, with their model servers."""
        self._show()

    def on_resize(self) -> None:
        """As much above the table as there is room for."""
        self._show_about()

    def _tick(self) -> None:
        super()._tick()
        if self.is_current:
            self._show()  # ages go on, also while nothing happens

    def rows(self) -> list[Served]:
        """What passes the filter, in order."""
        kept = [one for one in self._history if self.filter.keeps(served_words(one))]
        return list(served_rows(sorted(kept, key=lambda one: one.id, reverse=not self.oldest_first)))

    def _show(self) -> None:
        self._show_about()
        rows = ListedRows(self.rows(), lambda row: row.key, lambda row: served_cells(row, self.now()))
        self.query_one(LineTable).show(rows)
        self.refresh_place()

    def _show_about(self) -> None:
        if self.endpoint is None:
            return
        lines = endpoint_lines(self.endpoint, self.now(), 5 if self.size.height >= 24 else 2)
        self.query_one(Band).show(lines, max(self.size.width - 2, 1))

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """How many there are, filtered and sorted how."""
        total = len(self._history)
        more = "+" if self._more else ""
        order = "oldest first" if self.oldest_first else "newest first"
        parts = [f"{total}{more} deployments" if total != 1 else "1 deployment", self.filter.title, order]
        self.query_one(StatusBar).place = "  ".join(part for part in parts if part)

    def current(self) -> Served | None:
        """The row under the cursor."""
        key = self.query_one(LineTable).key
        return next((row for row in self.rows() if row.key == key), None)

    def current_endpoint(self) -> EndpointView | None:
        """This one."""
        return self.endpoint

    def current_deployment(self) -> DeploymentView | None:
        """The one under the cursor, or whose model server is."""
        row = self.current()
        return row.deployment if row is not None else None

    def current_replica(self) -> int:
        """The one under the cursor; of a deployment the first."""
        row = self.current()
        return row.replica.index if row is not None and row.replica is not None else super().current_replica()

    def do_open(self, _: str) -> AwaitMount | None:
        """A model server's log; all of a deployment."""
        row = self.current()
        return self.do_logs("") if row is not None and row.replica is not None else self.do_describe("")

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one deployment."""
        from mlops_tui.screens.describe import DescribeScreen

        one = self.current_deployment()
        if one is None:
            return None
        self.say("$ mlops endpoints --json")
        subjects: dict[Argument, str] = {"model": one.endpoint, "version": f"{one.endpoint}@{one.version}"}
        facts = deployment_facts(one, self.now())
        return self.app.push_screen(DescribeScreen(f"{one.endpoint}@{one.version}", facts, self.mode, subjects))

    def do_sort(self, _: str) -> None:
        """Newest or oldest first."""
        self.oldest_first = not self.oldest_first

    def shown_lines(self) -> list[str]:
        """What stands above, and the rows, as text."""
        names = [column.name for column in DEPLOYMENT_COLUMNS]
        above = [line.text for line in endpoint_lines(self.endpoint, self.now(), 99)] if self.endpoint else []
        shown = [served_cells(row, self.now()) for row in self.rows()]
        rows = ["\t".join(cells[name].text if name in cells else "" for name in names) for cells in shown]
        return [*above, "\t".join(names), *rows]
