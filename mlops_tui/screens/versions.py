"""The versions of one model, newest first; enter opens one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EventCame, ListRead
from mlops_tui.screens.listed import ListedScreen
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.models import VERSION_ORDERS, version_cells, version_columns, version_words
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.models import VersionView


class VersionsScreen(ListedScreen["VersionView"]):
    """What each was judged to be, whether it may serve and whether it does."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("versions")
    place: ClassVar[Where] = "versions"
    columns = version_columns("")
    orders: Mapping[str, Callable[[VersionView], Any] | None] = VERSION_ORDERS

    def __init__(self, model: str, mode: str) -> None:
        super().__init__(model, mode)
        self._model = model

    async def ask(self) -> Sequence[VersionView]:
        """All versions."""
        return (await self.engine_app.engine.versions(self._model)).versions

    @on(ListRead)
    def _name_the_metric(self, message: ListRead) -> None:
        if message.things:
            self.query_one(LineTable).set_columns(version_columns(message.things[0].metric))

    def concerns(self, message: EventCame) -> bool:
        """An event of this model."""
        return message.event.project == self._model

    def key(self, thing: VersionView) -> int:
        """Its number."""
        return thing.number

    def cells(self, thing: VersionView) -> Mapping[str, Cell]:
        """A version's row."""
        return version_cells(thing, self.now())

    def words(self, thing: VersionView) -> str:
        """What a filter looks through."""
        return version_words(thing)

    def nothing(self) -> Sequence[Cell]:
        """How a first version comes to be."""
        return [
            cell(f"{self._model} has no version yet.", "strong"),
            cell(f"t trains and judges it, as `mlops train {self._model}` does; what comes of it shows here."),
        ]

    def subject(self, takes: Argument) -> str:
        """Of the version under the cursor."""
        if takes == "model":
            return self._model
        version = self.current()
        return "" if version is None or takes != "version" else f"{version.model}@{version.number}"

    def do_open(self, _: str) -> AwaitMount | None:
        """Its verdict and lineage."""
        version = self.current()
        return None if version is None else self.open_version(version.model, version.number)

    do_describe = do_open
