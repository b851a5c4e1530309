"""`l`: what a job prints, or a model server writes, as it comes."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import AwaitMount

from engine.errors import EngineError, Unavailable
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import LogRead
from mlops_tui.view.cell import Cell
from mlops_tui.view.figures import several
from mlops_tui.view.log_lines import log_lines
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.command_bar import CommandBar
from mlops_tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from engine.wire.jobs import LogPage

FOLLOW_S = 0.5
"""A log is no event: the engine is asked for more of it."""
PAGE_BYTES = 262_144
MOST_COPIED = 100_000
"""Characters: what most terminals take at once."""


class FollowedLog(ActingScreen):
    """Follows until it is over; `k` stops following, `G` goes on."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("log")
    place: ClassVar[Where] = "log"
    notes: ClassVar[Sequence[str]] = (
        "It follows what comes; k or g stops that, G goes on.",
        "/ shows only lines with these words, /! only those without; f marks letters and jumps to them.",
    )
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
        return log_lines(whole + newline) if newline else []

    def refresh_place(self) -> None:
        """How much there is, and whether more is waited for."""
        pane = self.query_one("#log", LinePane)
        state = f"■ {self.over}" if self._ended else "◐ following" if pane.follows else "‖ not following, G goes on"
        gone = f"{pane.dropped} older lines left" if pane.dropped else ""
        found = f"» {pane.wanted}: {pane.hit}" if pane.wanted else ""
        parts = [several(len(pane.lines), "line"), gone, self.filter.title, found, state]
        self.query_one(StatusBar).place = "  ".join(part for part in parts if part)

    def _tick(self) -> None:
        super()._tick()
        self.refresh_place()

    def filter_changed(self) -> None:
        """Only lines with these words, also of those that come."""
        self.query_one("#log", LinePane).set_filter(self.filter)
        self.refresh_place()

    def do_find(self, text: str) -> None:
        """Mark these letters, and jump to the first of them."""
        if text:
            self._find(text)
        else:
            self._open_bar("find", self.query_one("#log", LinePane).wanted, ())

    @on(CommandBar.Changed)
    def _find_typed(self, event: CommandBar.Changed) -> None:
        if event.purpose == "find":
            self.query_one("#log", LinePane).mark(event.text)

    @on(CommandBar.Entered)
    def _find_entered(self, event: CommandBar.Entered) -> None:
        if event.purpose == "find":
            self._find(event.text)

    @on(CommandBar.Left)
    def _find_left(self, event: CommandBar.Left) -> None:
        if event.purpose == "find":
            self._find("")

    def _find(self, text: str) -> None:
        self.query_one("#log", LinePane).mark(text)
        if text.strip():
            self._jump(1)
        self.refresh_place()

    def do_next_hit(self, _: str) -> None:
        """The next line that was found; after the last the first."""
        self._jump(1)

    def do_previous_hit(self, _: str) -> None:
        """The one before; before the first the last."""
        self._jump(-1)

    def _jump(self, step: int) -> None:
        pane = self.query_one("#log", LinePane)
        if not pane.wanted:
            self.do_find("")
        elif pane.jump(step) is None:
            self.say(f"No line has {pane.wanted!r}.", "warn")
        self.refresh_place()

    def do_back(self, argument: str) -> Any:
        """What is marked goes first, then a filter; then one level back."""
        pane = self.query_one("#log", LinePane)
        if pane.wanted:
            self._find("")
            return None
        return super().do_back(argument)

    def do_copy(self, _: str) -> None:
        """The lines that pass the filter; of a long log the newest."""
        text = "\n".join(self.shown_lines())
        if len(text) > MOST_COPIED:
            text = text[-MOST_COPIED:].partition("\n")[2]
        self.engine_app.send_to_clipboard(text)

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
        return [
            Cell(f"Job {self._job_id} {told}", "strong"),
            Cell(
                "7 shows how far it is; of a training, 2 and enter show the candidates and their curves as they come."
            ),
        ]

    def subject(self, takes: Argument) -> str:
        """The job whose log it is."""
        return str(self._job_id) if takes == "job" else ""

    def do_cancel(self, argument: str) -> AwaitMount | None:
        """Cancel the job; of one that is over no question is asked."""
        if self._ended and argument in ("", str(self._job_id)):
            self.say(f"✗ Job {self._job_id} is over already; there is nothing to cancel.", "bad")
            return None
        return super().do_cancel(argument)
