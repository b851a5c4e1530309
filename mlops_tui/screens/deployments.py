"""4 Deployments: every endpoint, what answers behind it, and how a release comes along."""

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
from mlops_tui.messages import EndpointsRead
from mlops_tui.screens.deployments_reading import DeploymentsReading
from mlops_tui.view.cell import Cell
from mlops_tui.view.deployments import (
    ENDPOINT_COLUMNS,
    ENDPOINT_ORDERS,
    endpoint_cells,
    endpoint_facts,
    endpoint_words,
    routed,
)
from mlops_tui.view.listed_rows import ListedRows
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.endpoints import DeploymentView, EndpointList, EndpointView

_NOTHING = (
    Cell("Nothing is released yet.", "strong"),
    Cell("`mlops deploy NAME` puts a version behind one address; so does D on the Fleet screen (1)."),
    Cell("Only a version that passed, or an approver's override, may be released.", "dim"),
)


class DeploymentsScreen(DeploymentsReading):
    """A row for each endpoint."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("deployments")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "deployments.tcss"]
    place: ClassVar[Where] = "deployments"
    group = "endpoints"

    found: reactive[EndpointList | None] = reactive(None)
    """None: not read yet."""
    order: reactive[str] = reactive("name")

    def compose_body(self) -> Iterable[Any]:
        """The table, and what to do where there is nothing."""
        yield LineTable(ENDPOINT_COLUMNS, id="endpoints")
        yield LinePane(_NOTHING, id="nothing")

    def on_mount(self) -> None:
        """Empty is said only once it is known."""
        self.query_one("#nothing").display = False

    async def ask(self) -> None:
        """All endpoints."""
        self.post_message(EndpointsRead(await self.engine_app.engine.endpoints()))

    @on(EndpointsRead)
    def _endpoints_read(self, message: EndpointsRead) -> None:
        self.found = message.found

    def watch_found(self, found: EndpointList | None) -> None:
        """Draw it."""
        if found is None:
            return
        table, nothing, empty = self.query_one(LineTable), self.query_one("#nothing"), not found.endpoints
        if nothing.display != empty or table.display == empty:
            table.display, nothing.display = not empty, empty
        self._show_rows()

    def watch_order(self) -> None:
        """Draw in another order."""
        self.filter_changed()

    def filter_changed(self) -> None:
        """Only rows that pass."""
        if self.found is not None:
            self._show_rows()

    def rows(self) -> list[EndpointView]:
        """What passes the filter, in order."""
        found = self.found.endpoints if self.found else []
        kept = [one for one in found if self.filter.keeps(endpoint_words(one))]
        return sorted(kept, key=ENDPOINT_ORDERS[self.order])

    def _show_rows(self) -> None:
        self.query_one(LineTable).show(
            ListedRows(self.rows(), lambda one: one.name, endpoint_cells), self.none_passes()
        )
        self.refresh_place()

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which row, of how many, filtered and sorted how."""
        total = len(self.rows())
        at = self.query_one(LineTable).cursor + 1
        parts = [f"{min(at, total)}/{total}" if total else "", self.filter.title, f"by {self.order}"]
        self.query_one(StatusBar).place = "  ".join(part for part in parts if part) if self.found else ""

    def narrow(self, about: str) -> None:
        """Only those whose name or state has these words."""
        self._set_filter(about)

    def current_endpoint(self) -> EndpointView | None:
        """The one under the cursor."""
        key = self.query_one(LineTable).key
        return next((one for one in self.rows() if one.name == key), None)

    def current_deployment(self) -> DeploymentView | None:
        """The newest behind it that is no champion yet; else the champion."""
        endpoint = self.current_endpoint()
        behind = routed(endpoint) if endpoint is not None else []
        coming = [one for one in behind if not one.champion]
        return max(coming or behind, key=lambda one: one.id, default=None)

    def choices(self, takes: Argument) -> list[str]:
        """Endpoints here and models of the fleet, and their versions."""
        found = self.found.endpoints if self.found else []
        if takes == "model":
            own = [one.name for one in found]
        elif takes == "version":
            own = [f"{one.name}@{each.version}" for one in found for each in one.deployments]
        else:
            own = []
        return list(dict.fromkeys([*own, *super().choices(takes)]))

    def do_deploy(self, argument: str) -> AwaitMount | None:
        """What is coming; where nothing is, the newest that may be released."""
        return super().do_deploy(argument or self._to_release())

    def do_promote(self, argument: str) -> AwaitMount | None:
        """As `do_deploy`."""
        return super().do_promote(argument or self._to_release())

    def _to_release(self) -> str:
        coming = self.current_deployment()
        return self.subject("model" if coming is not None and coming.champion else "version")

    def do_open(self, _: str) -> AwaitMount | None:
        """One endpoint with its history."""
        from mlops_tui.screens.deployments_endpoint import EndpointScreen

        endpoint = self.current_endpoint()
        if endpoint is None:
            return None
        self.say("$ mlops endpoints")
        return self.app.push_screen(EndpointScreen(endpoint))

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one endpoint."""
        from mlops_tui.screens.describe import DescribeScreen

        endpoint = self.current_endpoint()
        if endpoint is None:
            return None
        self.say("$ mlops endpoints")
        subjects: dict[Argument, str] = {"model": endpoint.name, "version": self.subject("version")}
        return self.app.push_screen(DescribeScreen(endpoint.name, endpoint_facts(endpoint), self.mode, subjects))

    def do_sort(self, _: str) -> None:
        """The next order."""
        orders = list(ENDPOINT_ORDERS)
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]

    def shown_lines(self) -> list[str]:
        """The endpoints as text."""
        names = [column.name for column in ENDPOINT_COLUMNS]
        shown = [endpoint_cells(one) for one in self.rows()]
        return ["\t".join(names)] + ["\t".join(cells[name].text for name in names) for cells in shown]
