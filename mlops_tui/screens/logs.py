"""`l`: what a job prints, or a model server writes, as it comes."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Sequence
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


class FollowedLog(ActingScreen):
    """Follows until it is over; `k` stops following, `G` goes on."""

    place: ClassVar[Where] = "everywhere"
    over: ClassVar[str] = ""
    """Said when no more will come."""

    def __init__(self, title: str, mode: str) -> None:
        super().__init__(title, mode)
        self._rest = ""
        self._ended = False

    @abstractmethod
    async def page(self, offset: int | None) -> LogPage:
        """More of it, from a byte on; None: from where a reader begins."""

    @abstractmethod
    def nothing(self, ended: bool) -> Sequence[Cell]:
        """What stands there while there is nothing."""

    def compose_body(self) -> Iterable[LinePane]:
        """One pane that follows, and a word where there is nothing in it."""
        yield LinePane(follow=True, id="log")
        yield LinePane(id="nothing")

    def on_mount(self) -> None:
        """Begin to follow."""
        self.query_one("#nothing").display = False
        self.run_worker(self._follow(), group="log", exclusive=True)

    async def _follow(self) -> None:
        offset: int | None = None
        while True:
            try:
                page = await self.page(offset)
            except Unavailable:
                await asyncio.sleep(2 * FOLLOW_S)
                continue
            except EngineError as error:
                self.engine_app.tell_failure(error)
                return
            moved = bool(page.text)
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
            nothing.set_lines(self.nothing(self._ended))

    def _new_lines(self, page: LogPage) -> list[Cell]:
        text = self._rest + page.text
        whole, newline, self._rest = text.rpartition("\n")
        if page.ended and self._rest:
            whole, newline, self._rest = text, "\n", ""
        return [Cell(line) for line in clean_lines(whole + newline)] if newline else []

    def refresh_place(self) -> None:
        """How much there is, and whether more is waited for."""
        pane = self.query_one("#log", LinePane)
        state = f"■ {self.over}" if self._ended else "◐ following" if pane.follows else "‖ not following, G goes on"
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


class LogScreen(FollowedLog):
    """Of a job."""

    over = "the job is over"

    def __init__(self, job_id: int, mode: str) -> None:
        super().__init__(f"logs of job {job_id}", mode)
        self._job_id = job_id

    async def page(self, offset: int | None) -> LogPage:
        """From its beginning on."""
        return await self.engine_app.engine.job_log(self._job_id, offset=offset or 0, limit=PAGE_BYTES)

    def nothing(self, ended: bool) -> Sequence[Cell]:
        """Whether more may come, and where to look."""
        told = "printed nothing." if ended else "has printed nothing so far; what it prints shows here."
        return [Cell(f"Job {self._job_id} {told}", "strong"), Cell("esc, then d: how it stands.")]

    def subject(self, takes: Argument) -> str:
        """The job whose log it is."""
        return str(self._job_id) if takes == "job" else ""
