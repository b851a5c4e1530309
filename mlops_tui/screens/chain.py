"""`w`: why a version came to be, and what became of it; or what came of an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.message import Message

from engine.errors import EngineError, NotFound
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EngineFound, EventCame, WhyRead
from mlops_tui.view.cell import Cell
from mlops_tui.view.chain import HANG, answering, came_of, chain_lines, chain_of_alarm
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.client import AsyncEngineClient
    from engine.wire.monitoring import AlarmView, RetrainView, WhyView

MOST_RETRAINS = 20


@dataclass
class AlarmChainRead(Message):
    """What came of an alarm."""

    alarm: AlarmView
    retrain: RetrainView | None
    why: WhyView


class ChainScreen(ActingScreen):
    """A page to read, which grows while the version lives."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("why")
    place: ClassVar[Where] = "why"

    def __init__(self, model: str, number: int | None, mode: str, alarm_id: int | None = None) -> None:
        about = f"why {model}" if number is None else f"why {model}@{number}"
        super().__init__(about if alarm_id is None else f"chain of alarm {alarm_id}", mode)
        self._model, self._number, self._alarm_id = model, number, alarm_id
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
            if self._alarm_id is not None:
                self.post_message(await _read_alarm(engine, self._model, self._alarm_id))
                return
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

    @on(AlarmChainRead)
    def _alarm_chain_read(self, message: AlarmChainRead) -> None:
        self._why, self._number = message.why, None if message.retrain is None else message.retrain.version
        lines = chain_lines(message.why, f"Alarm {message.alarm.id} of {self._model}, and what came of it")
        last = came_of(message.alarm, message.retrain)
        self.query_one(LinePane).set_lines([*lines, *([] if last is None else [last])])
        self.refresh_place()

    def refresh_place(self) -> None:
        """How many links, and what is filtered by."""
        count = 0 if self._why is None else len(self._why.chain)
        links = "" if self._why is None else f"{count} link{'' if count == 1 else 's'}"
        self.query_one(StatusBar).place = "  ".join(part for part in (links, self.filter.title) if part)

    def filter_changed(self) -> None:
        """Only lines with these words."""
        self.query_one(LinePane).set_filter(self.filter)
        self.refresh_place()

    def subject(self, takes: Argument) -> str:
        """The version it is about."""
        if takes == "version" and self._why is not None:
            known = self._alarm_id is None or self._number is not None
            return f"{self._model}@{self._why.version}" if known else ""
        if takes == "alarm" and self._alarm_id is not None:
            return str(self._alarm_id)
        return self._model if takes == "model" else ""

    def do_copy(self, _: str) -> None:
        """The chain as JSON."""
        if self._why is not None:
            self.engine_app.send_to_clipboard(self._why.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The page as text."""
        return [line.text for line in self.query_one(LinePane).lines]


async def retrain_for(engine: AsyncEngineClient, alarm: AlarmView, newest: Sequence[RetrainView]) -> RetrainView | None:
    """The one that answers an alarm, also where it is older than those that were listed."""
    found = answering(alarm, newest)
    if found is None and alarm.retrain_id is not None:
        return await engine.retrain_of(alarm.retrain_id)
    return found


async def _read_alarm(engine: AsyncEngineClient, model: str, alarm_id: int) -> AlarmChainRead:
    alarm = await engine.alarm(alarm_id)
    newest = await engine.retrains(model=model, limit=MOST_RETRAINS)
    retrain = await retrain_for(engine, alarm, newest.retrains)
    made = None if retrain is None else retrain.version
    why = None if made is None else await engine.why(model, made)
    return AlarmChainRead(alarm, retrain, chain_of_alarm(alarm, retrain, why))
