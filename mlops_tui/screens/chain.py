"""`w`: why a version came to be, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType

from engine.errors import EngineError, NotFound
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EngineFound, EventCame, WhyRead
from mlops_tui.view.cell import Cell
from mlops_tui.view.chain import HANG, chain_lines
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.wire.monitoring import WhyView


class ChainScreen(ActingScreen):
    """A page to read, which grows while the version lives."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("why")
    place: ClassVar[Where] = "why"

    def __init__(self, model: str, number: int | None, mode: str) -> None:
        super().__init__(f"why {model}" if number is None else f"why {model}@{number}", mode)
        self._model, self._number = model, number
        self._why: WhyView | None = None

    def compose_body(self) -> Iterable[LinePane]:
        """The page."""
        yield LinePane([Cell("Reading the chain …")], hang=HANG)

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
        """Ask for the chain as it is now."""
        self.run_worker(self._read(), group="why", exclusive=True)

    async def _read(self) -> None:
        engine = self.engine_app.engine
        try:
            number = self._number
            if number is None:
                model = await engine.model(self._model)
                number = model.champion or model.latest
            if number is None:
                raise NotFound(f"{self._model} has no version yet.", f":train {self._model} makes one.")
            self.post_message(WhyRead(await engine.why(self._model, number)))
        except EngineError as error:
            self.engine_app.tell_failure(error)

    @on(WhyRead)
    def _why_read(self, message: WhyRead) -> None:
        self._why = message.why
        self.query_one(LinePane).set_lines(chain_lines(message.why))
        self.refresh_place()

    def refresh_place(self) -> None:
        """How many links, and what is filtered by."""
        links = "" if self._why is None else f"{len(self._why.chain)} links"
        self.query_one(StatusBar).place = "  ".join(part for part in (links, self.filter.title) if part)

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)
        self.refresh_place()

    def subject(self, takes: Argument) -> str:
        """The version it is about."""
        if takes == "version" and self._why is not None:
            return f"{self._model}@{self._why.version}"
        return self._model if takes == "model" else ""

    def do_copy(self, _: str) -> None:
        """The chain as JSON."""
        if self._why is not None:
            self.engine_app.send_to_clipboard(self._why.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The page as text."""
        return [line.text for line in self.query_one(LinePane).lines]
