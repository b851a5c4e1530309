"""7 Jobs: what runs, what waits and why, what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import BindingType
from textual.widget import AwaitMount

from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EventCame, ProgressCame
from mlops_tui.screens.numbered import NumberedScreen
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.job_pages import JobPages
from mlops_tui.view.jobs import JOB_COLUMNS, job_cells, job_facts, job_words
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.jobs import JobView

_JOB = re.compile(r"job (\d{1,15})")
_NOTHING = (
    Cell("No jobs yet.", "strong"),
    Cell("`mlops train NAME` begins one; so does :train NAME here, or t on the Fleet screen."),
)


class JobsScreen(NumberedScreen["JobView"]):
    """The list, of any length; only the pages that are looked at are asked for."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("jobs")
    mode = "jobs"
    place: ClassVar[Where] = "jobs"
    columns = JOB_COLUMNS
    noun = "job"
    pages: JobPages

    async def ask(self, limit: int, before: int | None) -> tuple[Sequence[JobView], int | None]:
        """A page of jobs."""
        page = await self.engine_app.engine.jobs(project=self.about or None, limit=limit, before=before)
        return page.jobs, page.next_before

    def cells(self, thing: JobView) -> Mapping[str, Cell]:
        """A job's row."""
        return job_cells(thing, self.now())

    def words(self, thing: JobView) -> str:
        """What a filter looks through."""
        return job_words(thing)

    def nothing(self) -> Sequence[Cell]:
        """How a job begins."""
        if self.about:
            return [cell(f"No jobs of {self.about} yet.", "strong"), Cell(f":train {self.about} begins one.")]
        return _NOTHING

    def spoiled(self, message: EventCame) -> Iterable[int]:
        """The jobs that an event names."""
        told = f"{message.event.subject} job {message.event.evidence.get('job', '')}"
        return (int(number) for number in _JOB.findall(told))

    def new_pages(self) -> JobPages:
        """An empty list."""
        return JobPages()

    @on(ProgressCame)
    def _progress_came(self, message: ProgressCame) -> None:
        changed = self.pages.move_on(message.progress)
        if changed is None:
            return
        job = self.pages.get(changed)
        if self.matches is not None and job is not None:
            self.matches.put(job)
            self.show_rows()
        else:
            self.query_one(LineTable).redraw_row(changed)

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

    def do_schedule(self, _: str) -> AwaitMount:
        """What the clock does next."""
        from mlops_tui.screens.schedule import ScheduleScreen

        self.say("$ mlops schedule")
        return self.app.push_screen(ScheduleScreen(self.mode))

    def do_cancel(self, argument: str) -> AwaitMount | None:
        """Cancel a job; of one that is known to be over no question is asked."""
        job = self.pages.get(int(argument)) if argument.isdecimal() and len(argument) < 16 else self.current()
        if job is not None and job.ended_at is not None and argument in ("", str(job.id)):
            self.say(f"✗ Job {job.id} is over already ({job.status}); there is nothing to cancel.", "bad")
            return None
        return super().do_cancel(argument)
