"""What the steps of adding a project share: a look that a worker takes, the project that is added, the way out."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on

from engine.errors import EngineError, Unavailable
from mlops_tui.cli.failures import failure_of
from mlops_tui.messages import LookEnded, LookFailed, LookMoved, ProjectAdded
from mlops_tui.screens.listed import ListedScreen, T
from mlops_tui.view.adding import Draft, Seen, column_text
from mlops_tui.view.cell import Cell, cell
from mlops_tui.view.jobs import took
from mlops_tui.widgets.band import Band
from mlops_tui.widgets.line_pane import LinePane
from mlops_tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from engine.wire.jobs import JobView
    from engine.wire.looks import LookView
    from mlops_tui.adding import Guide
    from mlops_tui.messages import EventCame

FIRST_POLL_S, LONGEST_POLL_S = 0.05, 0.5
"""A look is no event: the engine is asked how far it is, often at first."""


class GuideStep(ListedScreen[T]):
    """One step; esc goes to the one before, and nothing that was said is lost."""

    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "add_project.tcss"]

    def __init__(self, guide: Guide, mode: str, subtitle: str) -> None:
        super().__init__(subtitle, mode)
        self.guide = guide
        self._added: ProjectAdded | None = None

    def concerns(self, message: EventCame) -> bool:
        """Files are no events."""
        return False

    def _tick(self) -> None:
        super(ListedScreen, self)._tick()  # nothing here has an age that goes on

    async def add(self, folder: str) -> None:
        """Register the project in a folder; a worker."""
        try:
            added = await self.engine_app.engine.add_project(folder)
        except EngineError as error:
            self.post_message(LookFailed(error))
        else:
            self.post_message(ProjectAdded(added))

    @on(ProjectAdded)
    def _project_added(self, message: ProjectAdded) -> None:
        self._added = message
        if self.is_current:
            self._leave()

    def on_screen_resume(self) -> None:
        """It may have been added while another screen was seen."""
        super().on_screen_resume()
        if self._added is not None:
            self._leave()

    def _leave(self) -> None:
        added, self._added = self._added, None
        if added is not None:
            self.app.run_worker(_leave_guide(self, added), group="guide")

    @on(LookFailed)
    def failed(self, message: LookFailed) -> None:
        """One sentence, and what to do."""
        self.engine_app.tell_failure(message.error)


async def _leave_guide(step: GuideStep[Any], added: ProjectAdded) -> None:
    app = step.app
    while isinstance(app.screen, GuideStep):
        await app.pop_screen()
    offer = getattr(app.screen, "offer_training", None)
    if offer is not None:
        offer(added.added)


class LookingStep(GuideStep[Seen]):
    """A step that shows what a worker sees in the data."""

    look: LookView | None = None

    @abstractmethod
    def draft(self) -> Draft:
        """What is looked at, and what was said of it."""

    def key(self, thing: Seen) -> Hashable:
        """Its name."""
        return str(thing["name"])

    def words(self, thing: Seen) -> str:
        """What a filter looks through."""
        return column_text(thing)

    async def ask(self) -> Sequence[Seen]:
        """The columns; see `_begin_reading`."""
        return self.look.columns if self.look is not None else ()

    def nothing(self) -> Sequence[Cell]:
        """A file without columns is refused before."""
        return [Cell("It has no columns.")]

    def _begin_reading(self) -> None:
        self._waiting = False
        known = self.guide.looks.get(self.draft())
        if known is not None:
            self.post_message(LookEnded(known))
        elif self.look is None:
            self._tell([cell(f"Looking at {self.draft().data} …", "busy")])
            self.run_worker(self._look(self.draft()), group="look", exclusive=True)

    async def _look(self, draft: Draft) -> None:
        engine, job = self.engine_app.engine, None
        try:
            job = await engine.look(draft.data, draft.target or None, **draft.question())
            job = await self._watch(job)
            if job.status != "succeeded":
                raise failure_of(job)
            from engine.wire.looks import LookView

            look = self.guide.looks[draft] = LookView.model_validate(job.result)
            self.post_message(LookEnded(look))
        except EngineError as error:
            self.post_message(LookFailed(error))
        except asyncio.CancelledError:
            if job is not None and job.ended_at is None:
                # Nobody waits for it any more, and it may hold all memory there is.
                self.app.run_worker(_cancel(engine, job.id), group="guide")
            raise

    async def _watch(self, job: JobView) -> JobView:
        pause_s = FIRST_POLL_S
        while job.ended_at is None:
            self.post_message(LookMoved(job))
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, LONGEST_POLL_S)
            try:
                job = await self.engine_app.engine.job(job.id)
            except Unavailable:
                continue  # the link's own line tells it; the job outlives it
        return job

    @on(LookMoved)
    def _look_moved(self, message: LookMoved) -> None:
        job = message.job
        doing = f"waits: {job.waits_for}" if job.status == "queued" else job.note or "starting"
        self._tell(
            [
                cell(f"Looking at {self.draft().data} …", "busy"),
                cell(f"{doing} · {took(job, self.now())} · job {job.id}", "dim"),
                Cell("esc leaves it", "dim"),
            ]
        )

    @on(LookEnded)
    def _look_ended(self, message: LookEnded) -> None:
        self.look = message.look
        self.query_one("#nothing", LinePane).display = False
        self.looked(message.look)

    def looked(self, look: LookView) -> None:
        """Show it."""
        self.things = list(look.columns)
        self.query_one(LineTable).display = True
        self.show_rows()

    @on(LookFailed)
    def failed(self, message: LookFailed) -> None:
        """In the middle of the screen, for there is nothing else to see."""
        super().failed(message)
        if self.look is None:
            error = message.error
            self._tell([cell(f"✗ {error.message}", "bad"), cell(error.hint), Cell("esc goes one step back.", "dim")])

    def _tell(self, lines: list[Cell]) -> None:
        pane = self.query_one("#nothing", LinePane)
        pane.set_lines(lines)
        pane.display = True
        for table in self.query(LineTable):
            table.display = False

    def band(self, lines: Sequence[Cell]) -> None:
        """What stands above the table."""
        self.query_one(Band).show(lines, max(self.size.width - 2, 1))

    def as_json(self, thing: Seen) -> str:
        """The column."""
        import json

        return json.dumps(dict(thing), indent=2)

    def row_of(self, name: str) -> Mapping[str, Any] | None:
        """A column by its name."""
        return next((one for one in self.things or () if one["name"] == name), None)


async def _cancel(engine: Any, job_id: int) -> None:
    try:
        await engine.cancel(job_id)
    except EngineError:
        return  # it is over meanwhile, or the engine is gone; then it ends by itself
