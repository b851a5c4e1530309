"""7 Jobs: what runs, what waits and why, what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.timer import Timer
from textual.widget import AwaitMount

from engine.errors import EngineError
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EngineFound, EventCame, JobsRead, ProgressCame
from mlops_tui.view.cell import Cell
from mlops_tui.view.job_pages import PAGE, SEARCH_PAGE, JobPages, MatchedRows, Matches, PagedRows
from mlops_tui.view.jobs import JOB_COLUMNS, job_cells, job_facts
from mlops_tui.view.link import Link
from mlops_tui.widgets.bars import StatusBar
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.jobs import JobView

SEARCH_AFTER_S = 0.2
"""The whole list is looked through once nobody types any more."""

_JOB = re.compile(r"job (\d{1,15})")
_NOTHING = (
    Cell("No jobs yet.", "strong"),
    Cell("`mlops train NAME` begins one; so does :train NAME here, or t on the Fleet screen."),
)


class JobsScreen(ActingScreen):
    """The list, of any length; only the pages that are looked at are asked for."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("jobs")
    mode = "jobs"
    place: ClassVar[Where] = "jobs"

    def __init__(self) -> None:
        super().__init__()
        self.pages = JobPages()
        self.matches: Matches | None = None
        self._read_once = False
        self._waiting = False
        self._search: Timer | None = None
        self._asking: set[int | None] = set()

    def compose_body(self) -> Iterable[Any]:
        """The table, and what to do where there is nothing."""
        yield LineTable(JOB_COLUMNS, id="jobs")
        yield LinePane(_NOTHING, id="nothing")

    def on_mount(self) -> None:
        """Read as soon as there is an engine."""
        self.query_one("#nothing").display = False

    def _link_changed(self, link: Link) -> None:
        super()._link_changed(link)
        if link.found and not self._read_once:
            self._read_once = True
            self._ask_page(None)

    @on(EngineFound)
    def _engine_found(self) -> None:
        self.pages.spoil(None)
        self.read()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        for number in _JOB.findall(f"{message.event.subject} job {message.event.evidence.get('job', '')}"):
            self.pages.spoil(int(number))
        self.read()

    @on(ProgressCame)
    def _progress_came(self, message: ProgressCame) -> None:
        changed = self.pages.move_on(message.progress)
        if changed is None:
            return
        job = self.pages.get(changed)
        if self.matches is not None and job is not None:
            self.matches.put(job)
            self._show()
        else:
            self.query_one(LineTable).redraw_row(changed)

    @on(LineTable.Missing)
    def _missing(self) -> None:
        self._fill()

    def read(self) -> None:
        """Ask for the newest jobs, soon; what happens in the meantime is one question."""
        if not self._waiting:
            self._waiting = True
            self.set_timer(self.engine_app.pace_s, self._begin_reading)

    def _begin_reading(self) -> None:
        self._waiting = False
        self._ask_page(None)

    def _fill(self) -> None:
        """Ask for what is on the screen and not here."""
        if self.matches is not None:
            if not self.matches.is_done:
                self._ask_page(self.matches.looked_down_to)
            return
        before = self.pages.wanted(self.query_one(LineTable).visible_rows())
        if before is not None:
            self._ask_page(before)

    def _ask_page(self, before: int | None) -> None:
        if before not in self._asking:
            self._asking.add(before)
            self.run_worker(self._read(before), group="jobs")

    async def _read(self, before: int | None) -> None:
        try:
            limit = PAGE if self.matches is None else SEARCH_PAGE
            page = await self.engine_app.engine.jobs(limit=limit, before=before)
        except EngineError as error:
            self.engine_app.tell_failure(error)
        else:
            self.post_message(JobsRead(page, before))
        finally:
            self._asking.discard(before)

    @on(JobsRead)
    def _jobs_read(self, message: JobsRead) -> None:
        was_empty = not len(self.pages)
        self.pages.add(message.page, message.before)
        if was_empty and self.matches is not None:
            self.filter_changed()
        if self.matches is None or self.matches.add(message.page, message.before) or message.before is None:
            self._show()
        else:
            self.refresh_place()
        self._fill()

    def _show(self) -> None:
        table, nothing = self.query_one(LineTable), self.query_one("#nothing", LinePane)
        empty = self._read_once and not len(self.pages)
        if nothing.display != empty:
            table.display, nothing.display = not empty, empty
        if self.matches is None:
            table.show(PagedRows(self.pages, self.now()))
        else:
            table.show(MatchedRows(self.matches.newest_first(), self.now()))
        self.refresh_place()

    def _tick(self) -> None:
        super()._tick()
        if self.is_current and len(self.pages):
            self._show()

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which job, of how many; how far a filter has looked."""
        table = self.query_one(LineTable)
        order = "oldest first" if self.pages.oldest_first else "newest first"
        if self.matches is None:
            total, told = len(self.pages), order
        else:
            total = len(self.matches.newest_first())
            looked = max(self.pages.newest - self.matches.looked_down_to + 1, 0)
            done = "" if self.matches.is_done else f", looked through {looked} of {self.pages.newest}"
            told = f"{self.filter.title}{done}"
        at = f"{min(table.cursor + 1, total)}/{total}" if total else ""
        self.query_one(StatusBar).place = "  ".join(part for part in (at, told) if part)

    def filter_changed(self) -> None:
        """Look through what is here at once, then through the rest."""
        self.matches = None if self.filter.is_empty else Matches(self.filter, self.pages.newest)
        if self.matches is not None:
            for job in self.pages.all_here():
                self.matches.put(job)
        self._show()
        if self._search is not None:
            self._search.stop()
        self._search = self.set_timer(SEARCH_AFTER_S, self._fill)

    def current(self) -> JobView | None:
        """The job under the cursor, when it has come."""
        key = self.query_one(LineTable).key
        return self.pages.get(key) if isinstance(key, int) else None

    def subject(self, takes: Argument) -> str:
        """Of the job under the cursor."""
        job = self.current()
        if job is None:
            return ""
        if takes == "job":
            return str(job.id)
        return job.project or "" if takes == "model" else ""

    def choices(self, takes: Argument) -> Sequence[str]:
        """Numbers of the jobs that are here and not over; of models and versions those of the fleet."""
        if takes == "job":
            here = sorted(self.pages.all_here(), key=lambda job: -job.id)
            return [str(job.id) for job in here if job.ended_at is None]
        return super().choices(takes)

    def do_open(self, _: str) -> AwaitMount | None:
        """The log of the job under the cursor."""
        return self.do_logs("")

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of one job."""
        from mlops_tui.screens.describe import DescribeScreen

        job = self.current()
        if job is None:
            return None
        self.say(f"$ mlops show job {job.id}")
        subjects: dict[Argument, str] = {"job": str(job.id), "model": job.project or ""}
        return self.app.push_screen(DescribeScreen(f"job {job.id}", job_facts(job, self.now()), self.mode, subjects))

    def do_cancel(self, argument: str) -> AwaitMount | None:
        """Cancel a job; of one that is known to be over no question is asked."""
        job = self.pages.get(int(argument)) if argument.isdecimal() and len(argument) < 16 else self.current()
        if job is not None and job.ended_at is not None and argument in ("", str(job.id)):
            self.say(f"✗ Job {job.id} is over already ({job.status}); there is nothing to cancel.", "bad")
            return None
        return super().do_cancel(argument)

    def do_sort(self, _: str) -> None:
        """Newest or oldest first."""
        self.pages.oldest_first = not self.pages.oldest_first
        self._show()
        self._fill()

    def do_copy(self, _: str) -> None:
        """The row as JSON."""
        job = self.current()
        if job is not None:
            self.engine_app.send_to_clipboard(job.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The rows on the screen, or all that pass a filter, as text."""
        if self.matches is not None:
            jobs = self.matches.newest_first()
        else:
            rows = self.query_one(LineTable).visible_rows()
            jobs = [job for at in rows if (job := self.pages.get(self.pages.id_at(at))) is not None]
        shown = [job_cells(job, self.now()) for job in jobs]
        return ["\t".join(cell.text for cell in cells.values()) for cells in shown]
