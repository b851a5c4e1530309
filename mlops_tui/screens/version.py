"""One version: the verdict with its evidence drawn, its release, and all that it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EngineFound, EventCame, VersionRead
from mlops_tui.view.cell import cell
from mlops_tui.view.lineage import NAMES, version_page
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.wire.models import VersionView


class VersionScreen(ActingScreen):
    """A page to read, which follows what becomes of the version."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("version")
    place: ClassVar[Where] = "version"

    def __init__(self, model: str, number: int, mode: str) -> None:
        super().__init__(f"{model}@{number}", mode)
        self._model, self._number = model, number
        self._version: VersionView | None = None

    def compose_body(self) -> Iterable[LinePane]:
        """The page."""
        yield LinePane([cell(f"Reading {self._model}@{self._number} …")], hang=NAMES)

    def on_mount(self) -> None:
        """Read it."""
        self.read()

    @on(EngineFound)
    def _engine_found(self) -> None:
        self.read()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        if message.event.project == self._model:
            self.read()

    def read(self) -> None:
        """Ask for the version as it is now."""
        self.run_worker(self._read(), group="version", exclusive=True)

    async def _read(self) -> None:
        try:
            self.post_message(VersionRead(await self.engine_app.engine.version(self._model, self._number)))
        except EngineError as error:
            self.engine_app.tell_failure(error)

    @on(VersionRead)
    def _version_read(self, message: VersionRead) -> None:
        self._version = message.version
        self._show()

    def on_resize(self) -> None:
        """The bars fit another width."""
        self._show()

    def _show(self) -> None:
        if self._version is not None:
            pane = self.query_one(LinePane)
            width = pane.scrollable_content_region.width or self.size.width
            pane.set_lines(version_page(self._version, self.now(), width))
            self.refresh_place()

    def refresh_place(self) -> None:
        """What is filtered by."""
        self.query_one(StatusBar).place = self.filter.title

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)
        self.refresh_place()

    def subject(self, takes: Argument) -> str:
        """This version."""
        if takes == "version":
            return f"{self._model}@{self._number}"
        return self._model if takes == "model" else ""

    def do_copy(self, _: str) -> None:
        """The version as JSON."""
        if self._version is not None:
            self.engine_app.send_to_clipboard(self._version.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The page as text."""
        return [line.text for line in self.query_one(LinePane).lines]
