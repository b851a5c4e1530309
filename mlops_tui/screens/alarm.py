"""One alarm: what rings, what it is about, and what stands between it and its end, a key a step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import AwaitMount

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import AlarmRead, EngineFound, EventCame, ProgressCame
from mlops_tui.screens.chain import MOST_RETRAINS, ChainScreen, retrain_for
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.chain import next_step, other_alarms
from mlops_tui.view.distribution import NOTES, draw
from mlops_tui.view.listed_rows import ListedRows
from mlops_tui.view.monitoring import alarm_lines
from mlops_tui.view.monitoring_performance import plot_performance
from mlops_tui.view.monitoring_rows import (
    COLUMN_COLUMNS,
    ColumnNow,
    columns_now,
    evidence_facts,
    name_in_alarms,
    texts,
    unended,
    with_alarms,
)
from mlops_tui.view.width import wrap
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable
from mlops_tui.widgets.picture import Picture

if TYPE_CHECKING:
    from engine.client import AsyncEngineClient
    from engine.wire.models import VersionView
    from engine.wire.monitoring import AlarmView


MOST_ALARMS = 100


class AlarmScreen(ActingScreen):
    """The alarm, its columns with their distributions or the metric over time, and the next step."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("alarm")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "alarm.tcss"]
    place: ClassVar[Where] = "alarm"
    notes: ClassVar[Sequence[str]] = NOTES

    def __init__(self, model: str, alarm_id: int | None, mode: str) -> None:
        super().__init__(f"alarm of {model}" if alarm_id is None else f"alarm {alarm_id} of {model}", mode)
        self._model, self._alarm_id = model, alarm_id
        self._found: AlarmRead | None = None
        self._columns: list[ColumnNow] = []
        self._doing = ""
        self._waiting = False

    def compose_body(self) -> Iterable[Any]:
        """What rings and the next step, the columns, the picture."""
        yield LinePane([cell(f"Reading the alarm of {self._model} …")], id="told", hang=2)
        yield LineTable(COLUMN_COLUMNS, id="rows")
        yield Picture(id="picture")

    def on_mount(self) -> None:
        """Read it."""
        self.query_one(LineTable).display = False
        self.query_one(Picture).display = False
        self._begin_reading()

    @on(EngineFound)
    def _engine_found(self) -> None:
        self.read()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        if message.event.project == self._model:
            self.read()

    @on(ProgressCame)
    def _progress_came(self, message: ProgressCame) -> None:
        retrain = self._found.retrain if self._found is not None else None
        if retrain is not None and message.progress.job_id == retrain.job_id:
            done = "" if message.progress.fraction is None else f"{message.progress.fraction:.0%}"
            self._doing = " · ".join(part for part in (done, message.progress.step, message.progress.note) if part)
            self._show()

    def on_screen_resume(self) -> None:
        """It may have changed while another screen was seen."""
        if self._found is not None:
            self.read()

    def read(self) -> None:
        """Ask, soon; nothing is asked unseen."""
        if self.is_current and not self._waiting:
            self._waiting = True
            self.set_timer(self.engine_app.pace_s, self._begin_reading)

    def _begin_reading(self) -> None:
        self._waiting = False
        self.run_worker(self._read(), group="alarm", exclusive=True)

    async def _read(self) -> None:
        engine = self.engine_app.engine
        try:
            # Side by side: one after the other they would be seen on a slow link.
            listed, newest, drift = await asyncio.gather(
                engine.alarms(model=self._model, limit=MOST_ALARMS),
                engine.retrains(model=self._model, limit=MOST_RETRAINS),
                engine.drift(self._model),
            )
            alarm = await self._alarm(engine, listed.alarms)
            if alarm is None:
                self.post_message(AlarmRead(None))
                return
            retrain = await retrain_for(engine, alarm, newest.retrains)
            made = None if retrain is None or retrain.version is None else retrain.version
            version = None if made is None else await engine.version(self._model, made)
            performance = await engine.performance(self._model) if alarm.kind == "performance" else None
        except EngineError as error:
            self.engine_app.tell_failure(error)
        else:
            others = [one for one in unended(listed.alarms) if one.id != alarm.id]
            self.post_message(AlarmRead(alarm, drift, performance, retrain, version, others))

    async def _alarm(self, engine: AsyncEngineClient, listed: Sequence[AlarmView]) -> AlarmView | None:
        if self._alarm_id is None:
            return next(iter([*unended(listed), *listed]), None)
        known = next((one for one in listed if one.id == self._alarm_id), None)
        return await engine.alarm(self._alarm_id) if known is None else known

    @on(AlarmRead)
    def _alarm_read(self, message: AlarmRead) -> None:
        self._found = message
        if message.alarm is not None:
            self._alarm_id = message.alarm.id  # it stays this one, also once another rings
        self._columns = _about(message)
        self._show()

    def _show(self) -> None:
        found = self._found
        if found is None:
            return
        self._tell(self._lines(found))
        table, rows = self.query_one(LineTable), self.rows()
        table.display = bool(self._columns)
        table.styles.height = min(len(rows) + 1, max(self.size.height // 3, 3))
        table.show(ListedRows(rows, _key, lambda one: one.row))
        self.refresh_place()

    def _lines(self, found: AlarmRead) -> list[Cell]:
        if found.alarm is None:
            return [
                cell(f"✓ Nothing rings about {self._model}.", "good"),
                Cell("5 shows what is watched, esc goes back."),
            ]
        step = next_step(found.alarm, found.retrain, found.version)
        doing = [cell(f"  {self._doing}", "busy")] if self._doing and step.text.startswith("◐") else []
        # The command line that its hint names is a key here.
        told = [cell(line.text, line.tone) for line in alarm_lines(found.alarm) if not line.text.startswith("→")]
        return [told[0], step, *doing, *other_alarms(found.others), *told[1:]]

    def _tell(self, lines: list[Cell]) -> None:
        pane = self.query_one("#told", LinePane)
        width = max(self.size.width - 3, 20)
        taken = sum(len(wrap(line.text, width, hang=2)) for line in lines)
        pane.styles.height = min(taken, max(self.size.height // 3, 3)) if self._columns else "1fr"
        if self._found is not None and self._found.performance is not None:
            pane.styles.height = min(taken, max(self.size.height // 3, 3))
        pane.set_lines(lines)

    def on_resize(self) -> None:
        """As much of each as there is room for."""
        self._show()

    def rows(self) -> list[ColumnNow]:
        """Columns that pass the filter."""
        return [one for one in self._columns if self.filter.keeps(texts(one.row))]

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which column; both its distributions are drawn."""
        rows, table, picture = self.rows(), self.query_one(LineTable), self.query_one(Picture)
        at = f"{min(table.cursor + 1, len(rows))}/{len(rows)}" if rows else ""
        self.query_one(StatusBar).place = "  ".join(part for part in (at, self.filter.title) if part)
        one, performance = self.current(), self._found.performance if self._found is not None else None
        picture.display = one is not None or performance is not None
        if one is not None:
            shape, told = one.shape, one.told
            picture.show(lambda width, height: draw(shape, width, height, told))
        elif performance is not None:
            seen = performance
            picture.show(lambda width, height: plot_performance(seen, width, height))

    def current(self) -> ColumnNow | None:
        """The column under the cursor."""
        key = self.query_one(LineTable).key
        return next((one for one in self.rows() if _key(one) == key), None)

    def filter_changed(self) -> None:
        """Only columns that pass."""
        self._show()

    def main_pane(self) -> LineTable | LinePane:
        """The columns; where there are none, what is told."""
        return self.query_one(LineTable) if self._columns else self.query_one("#told", LinePane)

    def subject(self, takes: Argument) -> str:
        """Of the alarm; a job and a version are those of its retrain."""
        found = self._found
        if found is None or found.alarm is None:
            return self._model if takes in ("model", "thing") else ""
        if takes == "alarm":
            return str(found.alarm.id)
        if takes == "job":
            return "" if found.retrain is None or found.retrain.job_id is None else str(found.retrain.job_id)
        if takes == "version":
            number = found.alarm.version if found.version is None else found.version.number
            return f"{self._model}@{number}"
        return self._model if takes in ("model", "thing") else ""

    def do_verdict(self, _: str) -> AwaitMount | None:
        """What the retrain came to."""
        version = self._made()
        return None if version is None else self.open_version(self._model, version.number)

    def do_approve(self, argument: str) -> AwaitMount | None:
        """The version that the retrain made."""
        return super().do_approve(argument) if argument or self._made() else None

    def do_deploy(self, argument: str) -> AwaitMount | None:
        """The version that the retrain made."""
        return super().do_deploy(argument) if argument or self._made() else None

    def do_promote(self, argument: str) -> AwaitMount | None:
        """The version that the retrain made."""
        return super().do_promote(argument) if argument or self._made() else None

    def do_why(self, argument: str) -> AwaitMount | None:
        """What came of this alarm, as far as it has come; of a version where one is named."""
        alarm = self._found.alarm if self._found is not None else None
        if argument or alarm is None:
            return super().do_why(argument)
        self.say(f"$ mlops alarms {self._model}")
        return self.app.push_screen(ChainScreen(self._model, None, self._mode_id, alarm.id))

    def _made(self) -> VersionView | None:
        """What the retrain made; says so where there is none yet, for what serves is no answer to its own alarm."""
        found = self._found
        if found is not None and found.version is None:
            told = "this alarm" if found.alarm is None else f"alarm {found.alarm.id}"
            self.say(f"No retrain for {told} has made a version yet: r trains it, l follows the job.", "warn")
        return None if found is None else found.version

    def do_logs(self, argument: str) -> AwaitMount | None:
        """Of the retrain's job."""
        if argument or self.subject("job"):
            return super().do_logs(argument)
        self.say("No retrain for this alarm has begun, so there is no log: r trains it.", "warn")
        return None

    def do_next_alarm(self, _: str) -> None:
        """Another that is not closed."""
        found = self._found
        if found is None or found.alarm is None or not found.others:
            self.say(f"Nothing else rings about {self._model}.")
            return
        # A closed one is left for the first that rings.
        ids = [one.id for one in unended([found.alarm, *found.others])]
        at = ids.index(found.alarm.id) if found.alarm.id in ids else -1
        self._alarm_id = ids[(at + 1) % len(ids)]
        self._doing = ""
        self._begin_reading()

    def do_open(self, _: str) -> AwaitMount | None:
        """All of the model that rings, with the cursor on what it is about."""
        kind = self._found.alarm.kind if self._found is not None and self._found.alarm is not None else ""
        return self.open_watched(self._model, "performance" if kind == "performance" else "columns")

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of the alarm, its evidence among it."""
        from mlops_tui.screens.describe import DescribeScreen

        alarm = self._found.alarm if self._found is not None else None
        if alarm is None:
            return None
        facts = [("", cell(line.text.strip(), line.tone)) for line in alarm_lines(alarm)]
        facts += evidence_facts(alarm.evidence)
        kinds: tuple[Argument, ...] = ("model", "version", "job", "alarm")
        subjects = {kind: self.subject(kind) for kind in kinds}
        return self.app.push_screen(DescribeScreen(f"alarm {alarm.id}", facts, self._mode_id, subjects))

    def do_copy(self, _: str) -> None:
        """The alarm as JSON."""
        if self._found is not None and self._found.alarm is not None:
            self.engine_app.send_to_clipboard(self._found.alarm.model_dump_json(indent=2))

    def do_sort(self, _: str) -> None:
        """The other way round."""
        self._columns.reverse()
        self._show()

    def shown_lines(self) -> list[str]:
        """What is told, and the columns."""
        told = [line.text for line in self.query_one("#told", LinePane).lines]
        return told + ["\t".join(one.text for one in row.row.values()) for row in self.rows()]


def _key(one: ColumnNow) -> tuple[bool, str]:
    return one.figures.kind == "prediction", one.figures.column


def _about(found: AlarmRead) -> list[ColumnNow]:
    """Columns that the alarm names, as the newest check sees them; of one about no column none."""
    if found.alarm is None or found.drift is None or found.alarm.kind not in ("drift", "quality"):
        return []
    named = found.alarm.evidence.get("columns")
    names = {str(one) for one in named} if isinstance(named, list) else {found.alarm.subject}
    named_now = [one for one in columns_now(found.drift) if name_in_alarms(one.figures) in names]
    return with_alarms(named_now, [found.alarm])
