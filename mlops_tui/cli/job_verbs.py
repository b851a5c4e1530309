"""`jobs`, `logs` and `cancel`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import InvalidInput
from mlops_tui.cli.console import Console
from mlops_tui.cli.names import positive_number
from mlops_tui.cli.options import AsJson
from mlops_tui.cli.session import open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.client import EngineClient
    from engine.wire.jobs import JobStatus, LogPage

verbs = typer.Typer()
_PANEL = "Jobs"
_STATUSES: tuple[JobStatus, ...] = ("queued", "running", "succeeded", "failed", "cancelled")
_FOLLOW_S = 0.5

JobId = Annotated[int, typer.Argument(metavar="ID", min=1, help="A job's number.", show_default=False)]


@verbs.command(rich_help_panel=_PANEL)
def jobs(
    status: Annotated[str | None, typer.Option(help="Only these: " + ", ".join(_STATUSES) + ".")] = None,
    project: Annotated[str | None, typer.Option(help="Of this project only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first: what runs, what waits and why."""
    from mlops_tui.view.jobs import JOB_HEADS, job_row
    from mlops_tui.view.times import utc_now

    wanted = next((known for known in _STATUSES if known == status), None)
    if status is not None and wanted is None:
        raise InvalidInput(f"{status!r} is no status of a job.", f"Known: {', '.join(_STATUSES)}.")
    with open_engine() as engine:
        found = engine.jobs(status=wanted, project=project, limit=limit)
    console = Console()
    if as_json:
        console.json(found)
    elif not found.jobs:
        console.say("No jobs.")
    else:
        now = utc_now()
        console.table(JOB_HEADS, [job_row(job, now) for job in found.jobs])
        if found.next_before is not None:
            console.note(f"There are older ones: --limit {min(5 * limit, 1000)}.", "dim")


@verbs.command(rich_help_panel=_PANEL)
def logs(
    what: Annotated[
        str, typer.Argument(metavar="ID|NAME", help="A job's number, or an endpoint's name.", show_default=False)
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it is over.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print what a job printed, or what the model servers of an endpoint write. With --json a line for each page."""
    from mlops_tui.cli.waiting import detachable

    if not what[:1].isdigit():
        from mlops_tui.cli.serve_logs import print_serve_logs

        print_serve_logs(what, follow=follow, as_json=as_json)
        return
    job_id = positive_number(what, "a job")
    console = Console()
    with open_engine() as engine, detachable(f"mlops logs {job_id} -f"):
        lines = Lines()
        for page in _pages(engine, job_id, follow):
            if as_json:
                console.json_line(page)
            else:
                lines.print(page.text)
        lines.end()


@verbs.command(rich_help_panel=_PANEL)
def cancel(job_id: JobId, as_json: AsJson = False) -> None:
    """Cancel a job, with all its processes."""
    with open_engine() as engine:
        job = engine.cancel(job_id)
    if as_json:
        Console().json(job)
    else:
        state = "being cancelled" if job.status == "running" else job.status
        Console().say(f"Job {job.id} is {state}.")


def _pages(engine: EngineClient, job_id: int, follow: bool) -> Iterator[LogPage]:
    offset = 0
    while True:
        page = _page(engine, job_id, offset, follow)
        moved = page.next_offset > offset
        if moved:
            yield page
        offset = page.next_offset
        if page.ended or (not follow and not moved):
            return
        if not moved:
            time.sleep(_FOLLOW_S)


def _page(engine: EngineClient, job_id: int, offset: int, follow: bool) -> LogPage:
    from mlops_tui.cli.waiting import PlainLines, ask_patiently

    if not follow:
        return engine.job_log(job_id, offset=offset)
    beside = PlainLines()
    return ask_patiently(lambda: engine.job_log(job_id, offset=offset), lambda text: beside.update(None, text))


class Lines:
    """Prints whole lines of text that comes in pieces, each after `head`."""

    def __init__(self, head: str = "") -> None:
        self._rest = ""
        self._head = head
        self._console = Console()

    def print(self, text: str) -> None:
        """What is complete; the last line waits for its end."""
        from mlops_tui.view.clean import clean_lines

        whole, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            for line in clean_lines(whole + "\n"):
                self._console.say(self._head + line)

    def end(self) -> None:
        """The last line, which has no end."""
        if self._rest:
            self.print("\n")
