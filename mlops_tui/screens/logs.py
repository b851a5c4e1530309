"""`l`: what a job prints, as it prints it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on

from engine.errors import EngineError, Unavailable
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.messages import LogRead
from mlops_tui.view.cell import Cell
from mlops_tui.view.clean import clean_lines
from mlops_tui.view.figures import several
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.wire.jobs import LogPage

FOLLOW_S = 0.5
"""A log is no event: the engine is asked for more of it."""
PAGE_BYTES = 262_144


class LogScreen(ActingScreen):
    """Follows until the job is over; `k` stops following, `G` goes on."""

    place: ClassVar[Where] = "everywhere"

    def __init__(self, job_id: int, mode: str) -> None:
        super().__init__(f"logs of job {job_id}", mode)
        self._job_id = job_id
        self._rest = ""
        self._ended = False

    def compose_body(self) -> Iterable[LinePane]:
        """One pane that follows, and a word where there is nothing in it."""
        yield LinePane(follow=True, id="log")
        yield LinePane(id="nothing")

    def on_mount(self) -> None:
        """Begin to follow."""
        self.query_one("#nothing").display = False
        self.run_worker(self._follow(), group="log", exclusive=True)

    async def _follow(self) -> None:
        offset = 0
        while True:
            try:
                page = await self.engine_app.engine.job_log(self._job_id, offset=offset, limit=PAGE_BYTES)
            except Unavailable:
                await asyncio.sleep(2 * FOLLOW_S)
                continue
            except EngineError as error:
                self.engine_app.tell_failure(error)
                return
            moved = page.next_offset > offset
            offset = page.next_offset
            self.post_message(LogRead(page))
            if page.ended:
                return
            await asyncio.sleep(0 if moved else max(FOLLOW_S, self.engine_app.pace_s))

    @on(LogRead)
    def _log_read(self, message: LogRead) -> None:
        self.query_one("#log", LinePane).add_lines(self._new_lines(message.page))
        self._ended = message.page.ended
        self._say_if_nothing()
        self.refresh_place()

    def _say_if_nothing(self) -> None:
        pane, nothing = self.query_one("#log", LinePane), self.query_one("#nothing", LinePane)
        empty = not pane.holds_any
        nothing.display, pane.display = empty, not empty
        if empty:
            told = "printed nothing." if self._ended else "has printed nothing so far; what it prints shows here."
            nothing.set_lines([Cell(f"Job {self._job_id} {told}", "strong"), Cell("esc, then d: how it stands.")])

    def subject(self, takes: Argument) -> str:
        """The job whose log it is."""
        return str(self._job_id) if takes == "job" else ""

    def _new_lines(self, page: LogPage) -> list[Cell]:
        text = self._rest + page.text
        whole, newline, self._rest = text.rpartition("\n")
        if page.ended and self._rest:
            whole, newline, self._rest = text, "\n", ""
        return [Cell(line) for line in clean_lines(whole + newline)] if newline else []

    def refresh_place(self) -> None:
        """How much there is, and whether more is waited for."""
        pane = self.query_one("#log", LinePane)
        state = "■ the job is over" if self._ended else "◐ following" if pane.follows else "‖ not following, G goes on"
        gone = f"{pane.dropped} older lines left" if pane.dropped else ""
        parts = [several(len(pane.lines), "line"), gone, self.filter.title, state]
        self.query_one(StatusBar).place = "  ".join(part for part in parts if part)

    def _tick(self) -> None:
        super()._tick()
        self.refresh_place()

    def filter_changed(self) -> None:
        """Only lines with these words, also of those that come."""
        self.query_one("#log", LinePane).set_filter(self.filter)
        self.refresh_place()

    def shown_lines(self) -> list[str]:
        """What passes the filter, each line whole."""
        return [line.text for line in self.query_one("#log", LinePane).lines]
