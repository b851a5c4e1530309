"""One model in production: what the newest check says, and a pane at a time of what there is to look at."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import AwaitMount
from textual.widgets import Static

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EngineFound, EventCame, WatchedRead
from mlops_tui.screens.monitoring_panes import PANES, AlarmsPane, ChecksPane, ColumnsPane, Pane, RetrainsPane, Seen
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.distribution import NOTES
from mlops_tui.view.listed_rows import ListedRows
from mlops_tui.view.monitoring import drift_lines
from mlops_tui.view.monitoring_rows import unended
from mlops_tui.widgets.band import Band
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable
from mlops_tui.widgets.picture import Picture

if TYPE_CHECKING:
    from engine.wire.monitoring import AlarmView, DriftView


MOST_ALARMS = 100


class WatchedScreen(ActingScreen):
    """`tab` walks through the panes."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("watched")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "monitoring.tcss"]
    place: ClassVar[Where] = "watched"
    notes: ClassVar[Sequence[str]] = NOTES

    def __init__(self, model: str, mode: str, pane: str = "columns") -> None:
        super().__init__(model, mode)
        self._model = model
        self._panes: list[Pane] = [one(model) for one in PANES]
        self._pane: Pane = next(one for one in self._panes if one.id == pane)
        self._drift: DriftView | None = None
        self._alarms: Sequence[AlarmView] = ()
        self._waiting = False
        self._oldest_first = False

    def compose_body(self) -> Iterable[Any]:
        """How it stands, the panes by name, the rows of one, and what stands beneath them."""
        yield Band(id="head")
        yield Static("", id="tabs", markup=False)
        yield LineTable((), id="rows")
        yield LinePane([cell(f"Reading {self._model} …")], id="nothing")
        yield Picture(id="picture")
        yield LinePane(id="told", hang=2)

    def on_mount(self) -> None:
        """Read it."""
        self.query_one("#rows").display = False
        self._show_tabs()
        self._begin_reading(None)

    @on(EngineFound)
    def _engine_found(self) -> None:
        self.read()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        if message.event.project == self._model:
            self.read()

    def on_screen_resume(self) -> None:
        """It may have changed while another screen was seen."""
        if self._drift is not None:
            self.read()

    def read(self) -> None:
        """Ask, soon; what happens in the meantime is one question, and nothing is asked unseen."""
        if self.is_current and not self._waiting:
            self._waiting = True
            self.set_timer(self.engine_app.pace_s, lambda: self._begin_reading(None))

    def _begin_reading(self, before: int | None) -> None:
        self._waiting = False
        self.run_worker(self._read(self._pane, before), group="watched", exclusive=True)

    async def _read(self, pane: Pane, before: int | None) -> None:
        engine = self.engine_app.engine
        try:
            drift, listed = await asyncio.gather(
                engine.drift(self._model), engine.alarms(model=self._model, limit=MOST_ALARMS)
            )
            alarms = listed.alarms
            things, next_before = await pane.ask(engine, Seen(drift, alarms), before)
        except EngineError as error:
            self.engine_app.tell_failure(error)
        else:
            self.post_message(WatchedRead(drift, alarms, pane.id, things, next_before, before))

    @on(WatchedRead)
    def _watched_read(self, message: WatchedRead) -> None:
        self._drift, self._alarms = message.drift, message.alarms
        pane = next(one for one in self._panes if one.id == message.pane)
        pane.take(message.things, message.next_before, message.before)
        self._show_head()
        self._show_tabs()
        if pane is self._pane:
            self.show_rows()

    def _show_head(self) -> None:
        if self._drift is None:
            return
        most = 4 if self.size.height >= 30 else 2
        told = drift_lines(self._drift, unended(self._alarms), self.now())
        # What comes next stands last, and is worth more than what is between.
        kept = [*told[: most - 1], told[-1]] if len(told) > most else told
        self.query_one(Band).show([cell(line.text.strip(), line.tone) for line in kept], max(self.size.width - 2, 1))

    def _show_tabs(self) -> None:
        parts: list[Content] = []
        ringing = len(unended(self._alarms))
        for one in self._panes:
            name = f" {one.id}{f' {ringing}' if one.id == 'alarms' and ringing else ''} "
            parts.append(Content.styled(name, "bold reverse" if one is self._pane else ""))
        self.query_one("#tabs", Static).update(Content(" ").join(parts))

    def show_rows(self) -> None:
        """Draw what passes."""
        pane = self._pane
        table, nothing = self.query_one("#rows", LineTable), self.query_one("#nothing", LinePane)
        empty = not pane.things
        if empty:
            nothing.set_lines([cell(f"Reading {self._model} …")] if pane.things is None else pane.nothing())
        if nothing.display != empty:
            table.display, nothing.display = not empty, empty
        table.set_columns(pane.columns)
        self._draw_rows()
        self.refresh_place()

    def _draw_rows(self) -> None:
        pane, now = self._pane, self.now()
        self.query_one("#rows", LineTable).show(ListedRows(self.rows(), pane.key, lambda thing: pane.cells(thing, now)))

    def rows(self) -> list[Any]:
        """What passes the filter."""
        kept = list(self._pane.things or ())
        if not self.filter.is_empty:
            now = self.now()
            kept = [thing for thing in kept if self.filter.keeps(self._pane.words(thing, now))]
        return kept[::-1] if self._oldest_first else kept

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which row, of how many; what stands beneath; and more of them where the end is near."""
        total, table = len(self.rows()), self.query_one("#rows", LineTable)
        at = f"{min(table.cursor + 1, total)}/{total}{'+' if self._pane.next_before else ''}" if total else ""
        order = "last first" if self._oldest_first else ""
        self.query_one(StatusBar).place = "  ".join(part for part in (at, self.filter.title, order) if part)
        self._show_beneath()
        if self._pane.next_before is not None and table.cursor >= total - 2 and self._pane.things:
            self._begin_reading(self._pane.next_before)

    def _show_beneath(self) -> None:
        picture, told, thing = self.query_one(Picture), self.query_one("#told", LinePane), self.current()
        drawn = self._pane.picture(thing) if self._pane.things else None
        lines = [] if thing is None or drawn is not None else list(self._pane.lines(thing))
        for one, there in ((picture, drawn is not None), (told, bool(lines))):
            if one.display != there:
                one.display = there
        if drawn is not None:
            picture.show(drawn)
        told.set_lines(lines)

    def on_resize(self) -> None:
        """Half for the rows, the rest for what stands beneath."""
        height = max((self.size.height - 6) // 2, 4)
        self.query_one(Picture).styles.height = height
        self.query_one("#told").styles.height = min(height, 8)
        self._show_head()

    def _tick(self) -> None:
        super()._tick()
        if self.is_current:
            self._show_head()
            if self._pane.things:
                self._draw_rows()  # ages go on, also while nothing happens

    def current(self) -> Any | None:
        """The one under the cursor."""
        key = self.query_one("#rows", LineTable).key
        return next((thing for thing in self._pane.things or () if self._pane.key(thing) == key), None)

    def filter_changed(self) -> None:
        """Only rows that pass."""
        self.show_rows()

    def main_pane(self) -> LineTable:
        """The rows."""
        return self.query_one("#rows", LineTable)

    def do_next_pane(self, _: str) -> None:
        """The next one."""
        self._turn(1)

    def do_previous_pane(self, _: str) -> None:
        """The one before."""
        self._turn(-1)

    def _turn(self, by: int) -> None:
        at = (self._panes.index(self._pane) + by) % len(self._panes)
        self._pane = self._panes[at]
        self._show_tabs()
        self.show_rows()
        self._begin_reading(None)

    def do_sort(self, _: str) -> None:
        """The other way round."""
        self._oldest_first = not self._oldest_first
        self.show_rows()

    def subject(self, takes: Argument) -> str:
        """Of this model: the alarm under the cursor, else the first that is not closed; a retrain's job and version."""
        thing = self.current()
        if takes == "alarm":
            first = next(iter(unended(self._alarms)), None)
            found = thing if isinstance(self._pane, AlarmsPane) and thing is not None else first
            return "" if found is None else str(found.id)
        if isinstance(self._pane, RetrainsPane) and thing is not None:
            if takes == "job":
                return "" if thing.job_id is None else str(thing.job_id)
            if takes == "version" and thing.version is not None:
                return f"{self._model}@{thing.version}"
        if takes == "job" and isinstance(self._pane, ChecksPane) and thing is not None:
            return str(thing.job_id)
        return self._model if takes in ("model", "version", "thing") else ""

    def do_logs(self, argument: str) -> AwaitMount | None:
        """Of the check or the retrain under the cursor."""
        if argument or self.subject("job"):
            return super().do_logs(argument)
        self.say("Checks and retrains have logs: tab goes to them, l follows one.", "warn")
        return None

    def do_acknowledge(self, argument: str) -> AwaitMount | None:
        """The alarm under the cursor, or the first that is open."""
        return super().do_acknowledge(argument) if argument or self._rings() else None

    def do_close(self, argument: str) -> AwaitMount | None:
        """The same one."""
        return super().do_close(argument) if argument or self._rings() else None

    def do_why(self, argument: str) -> AwaitMount | None:
        """Of an alarm under the cursor what came of it; else of the version."""
        thing = self.current()
        if argument or thing is None or not isinstance(self._pane, AlarmsPane):
            return super().do_why(argument)
        from mlops_tui.screens.chain import ChainScreen

        self.say(f"$ mlops alarms {self._model}")
        return self.app.push_screen(ChainScreen(self._model, None, self._mode_id, thing.id))

    def _rings(self) -> bool:
        if self.subject("alarm"):
            return True
        self.say(f"Nothing rings about {self._model}.")
        return False

    def do_open(self, _: str) -> AwaitMount | None:
        """More of the row under the cursor."""
        thing = self.current()
        if thing is None:
            return None
        if isinstance(self._pane, AlarmsPane):
            return self.open_alarm(self._model, thing.id)
        if isinstance(self._pane, ChecksPane):
            from mlops_tui.screens.monitoring_check import CheckScreen

            return self.app.push_screen(CheckScreen(self._model, thing.id, self._mode_id))
        if isinstance(self._pane, RetrainsPane) and thing.version is not None:
            return self.open_version(self._model, thing.version)
        if isinstance(self._pane, RetrainsPane) and thing.job_id is not None:
            return self.open_log(thing.job_id)
        return self.do_describe("")

    def do_describe(self, _: str) -> AwaitMount | None:
        """The row under the cursor, and how the model stands, whole."""
        from mlops_tui.screens.describe import DescribeScreen

        if self._drift is None:
            return None
        told = drift_lines(self._drift, unended(self._alarms), self.now())
        facts = [("" if at else "drift", cell(line.text.strip(), line.tone)) for at, line in enumerate(told)]
        thing = self.current()
        if thing is not None:
            facts = [*self._pane.facts(thing, self.now()), ("", Cell("")), *facts]
        kinds: tuple[Argument, ...] = ("model", "version", "job", "alarm")
        subjects = {kind: self.subject(kind) for kind in kinds}
        return self.app.push_screen(DescribeScreen(self._model, facts, self._mode_id, subjects))

    def do_copy(self, _: str) -> None:
        """The row as JSON."""
        thing = self.current()
        if thing is not None:
            body = thing.figures if isinstance(self._pane, ColumnsPane) else thing
            self.engine_app.send_to_clipboard(body.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The rows as text."""
        now = self.now()
        heads = "\t".join(column.title for column in self._pane.columns)
        names = [column.name for column in self._pane.columns]
        rows = [self._pane.cells(thing, now) for thing in self.rows()]
        return [heads, *("\t".join(row[name].text if name in row else "" for name in names) for row in rows)]
