"""One run: how it stands, its leaderboard, and the curves of its metrics, which grow while it trains."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import BindingType
from textual.content import Content
from textual.widget import AwaitMount
from textual.widgets import Static

from engine.errors import EngineError, Unavailable
from mlops_tui.actions import ActingScreen
from mlops_tui.commands import Argument, Where
from mlops_tui.dispatch import bindings_of
from mlops_tui.messages import EngineFound, EventCame, ProgressCame, RunRead
from mlops_tui.view.cell import Cell
from mlops_tui.view.curves import Curves, curves_of, legend, plot
from mlops_tui.view.listed_rows import ListedRows
from mlops_tui.view.models import verdict_lines
from mlops_tui.view.runs import (
    candidate_cells,
    candidate_columns,
    candidate_facts,
    candidate_words,
    leaderboard_orders,
    run_facts,
    run_head,
)
from mlops_tui.widgets.bars import StatusBar, painted
from mlops_tui.widgets.line_table import LineTable
from mlops_tui.widgets.picture import Picture

if TYPE_CHECKING:
    from engine.wire.events import Progress
    from engine.wire.models import VersionView
    from engine.wire.runs import CandidateView, RunView

MOST_POINTS = 400
"""Of one curve; more than a wide screen can draw apart are thinned out by the engine."""
REST_FOR_ONE = 3.0
"""A long run has much to read: between two readings lies this many times as long as one takes."""


class RunScreen(ActingScreen):
    """Header, leaderboard, curves of one metric with the candidate under the cursor in front."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_of("run")
    CSS_PATH: ClassVar[list[str | PurePath] | str | PurePath | None] = ["base.tcss", "run.tcss"]
    place: ClassVar[Where] = "run"

    def __init__(self, run_id: int, mode: str) -> None:
        super().__init__(f"run {run_id}", mode)
        self._run_id = run_id
        self._run: RunView | None = None
        self._curves = Curves({})
        self._version: VersionView | None = None
        self._progress: Progress | None = None
        self._order = "best first"
        self._key = ""
        self._waiting = False
        self._took_s = 0.0

    def compose_body(self) -> Iterable[Any]:
        """How it stands, the leaderboard, the curves."""
        yield Static(f"Reading run {self._run_id} …", id="head", markup=False)
        yield LineTable((), id="leaderboard")
        yield Static("", id="legend", markup=False)
        yield Picture(id="curves")

    def on_mount(self) -> None:
        """Read it."""
        self._begin_reading()

    @on(EngineFound)
    def _engine_found(self) -> None:
        self.read()

    @on(EventCame)
    def _event_came(self, message: EventCame) -> None:
        event = message.event
        if self._run is None or event.project == self._run.project:
            self.read()

    @on(ProgressCame)
    def _progress_came(self, message: ProgressCame) -> None:
        if self._run is not None and message.progress.job_id == self._run.job_id:
            self._progress = message.progress
            self._show_head()
            self.read()

    def on_screen_resume(self) -> None:
        """It may have changed while another screen was seen."""
        self.read()

    def read(self) -> None:
        """Ask for the run and its curves, soon, and not faster than they can be read; nothing is asked unseen."""
        if self.is_current and not self._waiting:
            self._waiting = True
            self.set_timer(max(self.engine_app.pace_s, REST_FOR_ONE * self._took_s), self._begin_reading)

    def _begin_reading(self) -> None:
        self._waiting = False
        self.run_worker(self._read(), group="run", exclusive=True)

    async def _read(self) -> None:
        engine = self.engine_app.engine
        begun = time.monotonic()
        try:
            run = await engine.run(self._run_id)
            curves = curves_of((await engine.curves(self._run_id, most=MOST_POINTS)).points)
            version = None if run.version is None else await self._verdict(run.project, run.version)
        except EngineError as error:
            self.engine_app.tell_failure(error)
        else:
            self._took_s = time.monotonic() - begun
            self.post_message(RunRead(run, curves, version))

    async def _verdict(self, project: str, number: int) -> VersionView | None:
        """None where it cannot be read, which is told: the run is worth seeing without."""
        try:
            return await self.engine_app.engine.version(project, number)
        except Unavailable:
            raise
        except EngineError as error:
            self.engine_app.tell_failure(error)
            return None

    @on(RunRead)
    def _run_read(self, message: RunRead) -> None:
        self._run, self._curves, self._version = message.run, message.curves, message.version
        keys = self._curves.keys(message.run.metric)
        if self._key not in keys:
            self._key = keys[0] if keys else message.run.metric
        self._show_head()
        self._show_rows()

    def _show_head(self) -> None:
        run = self._run
        if run is None:
            return
        progress = self._progress if self._progress is not None else None
        doing = "" if progress is None else " · ".join(part for part in (progress.step, progress.note) if part)
        lines = run_head(run, self.now(), progress.fraction if progress else None, doing)
        if self._version is not None:
            verdict, reason = verdict_lines(self._version)[:2]
            lines += [verdict, reason] if self.size.height >= 24 else [verdict]
        self.query_one("#head", Static).update(Content("\n").join([painted(line) for line in lines]))

    def _show_rows(self) -> None:
        run = self._run
        if run is None:
            return
        table, rows = self.query_one(LineTable), self._candidates()
        table.set_columns(candidate_columns(run.metric))
        table.styles.height = min(len(run.candidates) + 1, max(self.size.height // 3, 4))
        table.show(ListedRows(rows, lambda one: one.name, lambda one: candidate_cells(one, run.metric)))
        self.refresh_place()

    def on_resize(self) -> None:
        """As much of each as there is room for."""
        self._show_head()
        self._show_rows()

    def _tick(self) -> None:
        super()._tick()
        if self.is_current:
            self._show_head()

    @on(LineTable.Moved)
    def refresh_place(self) -> None:
        """Which candidate, of how many; its curve stands in front."""
        rows = self._candidates()
        at = f"{min(self.query_one(LineTable).cursor + 1, len(rows))}/{len(rows)}" if rows else ""
        self.query_one(StatusBar).place = "  ".join(part for part in (at, self.filter.title, self._order) if part)
        self._show_curves()

    def _show_curves(self) -> None:
        run, front = self._run, self._front()
        if run is None:
            return
        keys = self._curves.keys(run.metric)
        if not keys:
            told = "No curves yet." if run.ended_at is None else "No curves: each was measured once."
            self.query_one("#legend", Static).update(Content(told if run.candidates else ""))
            self.query_one(Picture).show(lambda width, height: [])
            return
        best = next((one.name for one in run.candidates if one.best), None)
        known = self._curves.by_key.get(self._key, {})
        # Of those that were measured once only the best is a line to compare with.
        lines = {name: points for name, points in known.items() if len(points) > 1 or name in (front, best)}
        told_of = legend(self._key, len(keys) - 1, front, lines.get(front or "", ()))
        self.query_one("#legend", Static).update(painted(told_of))
        self.query_one(Picture).show(lambda width, height: plot(lines, front, width, height))

    def _front(self) -> str | None:
        key = self.query_one(LineTable).key
        return key if isinstance(key, str) else None

    def _candidates(self) -> list[CandidateView]:
        run = self._run
        if run is None:
            return []
        kept = [one for one in run.candidates if self.filter.keeps(candidate_words(one))]
        by = leaderboard_orders(run.metric)[self._order]
        return kept if by is None else sorted(kept, key=by)

    def filter_changed(self) -> None:
        """Only candidates that pass."""
        self._show_rows()

    def main_pane(self) -> LineTable:
        """The leaderboard."""
        return self.query_one(LineTable)

    def subject(self, takes: Argument) -> str:
        """Of this run."""
        from mlops_tui.screens.runs import run_subject

        return "" if self._run is None else run_subject(self._run, takes)

    def do_open(self, _: str) -> AwaitMount | None:
        """All of the candidate under the cursor."""
        from mlops_tui.screens.describe import DescribeScreen

        found = next((one for one in self._candidates() if one.name == self._front()), None)
        if found is None:
            return None
        title = f"run {self._run_id}: {found.name}"
        return self.app.push_screen(DescribeScreen(title, candidate_facts(found), self._mode_id))

    def do_describe(self, _: str) -> AwaitMount | None:
        """All of the run, its failure or the gate's reasons whole."""
        from mlops_tui.screens.describe import DescribeScreen

        if self._run is None:
            return None
        self.say(f"$ mlops show run {self._run_id}")
        facts = run_facts(self._run, self.now())
        if self._version is not None:
            facts += [("verdict", line) for line in verdict_lines(self._version)]
        kinds: tuple[Argument, ...] = ("model", "version", "job")
        subjects = {kind: self.subject(kind) for kind in kinds}
        return self.app.push_screen(DescribeScreen(f"run {self._run_id}", facts, self._mode_id, subjects))

    def do_metric(self, _: str) -> None:
        """The curves of the next metric."""
        keys = self._curves.keys(self._run.metric) if self._run is not None else []
        if len(keys) < 2:
            self.say("There are no curves of another metric.")
            return
        self._key = keys[(keys.index(self._key) + 1) % len(keys)]
        self._show_curves()

    def do_sort(self, _: str) -> None:
        """Another order of the leaderboard."""
        orders = list(leaderboard_orders(""))
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._show_rows()

    def do_copy(self, _: str) -> None:
        """The run as JSON."""
        if self._run is not None:
            self.engine_app.send_to_clipboard(self._run.model_dump_json(indent=2))

    def shown_lines(self) -> list[str]:
        """The leaderboard as text."""
        run = self._run
        if run is None:
            return []
        heads = [column.title for column in candidate_columns(run.metric)]
        rows: Sequence[dict[str, Cell]] = [candidate_cells(one, run.metric) for one in self._candidates()]
        return ["\t".join(heads), *("\t".join(cell.text for cell in row.values()) for row in rows)]
